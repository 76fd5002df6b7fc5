import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import Planning
import Sharing
import Testing

@Suite("Locks", .serialized, .enabled(if: SharedProject.program != nil, "the program has to be built")) struct LockTests {
  private let project: SharedProject

  init() throws { project = try SharedProject() }

  @Test("the same state is the same text, which reads back")
  func stable() throws {
    let empty = try project.lock()
    #expect(empty.lockedInstances == 0 && empty.instances.count(where: { $0.key != nil }) == 2)
    try project.run()
    let lock = try project.lock()
    #expect(lock.lockedInstances == 5)
    #expect(try project.lock().bytes == lock.bytes)
    #expect(try RecipeLock(reading: lock.bytes, at: "l") == lock)
    #expect(lock.sources.map(\.origin) == ["other", "words.txt"])
    #expect(lock.sources.last?.instances == ["upper"])
    #expect(!String(decoding: lock.bytes, as: UTF8.self).contains(project.root))
    let moved = try SharedProject()
    try moved.run()
    #expect(try moved.lock().bytes == lock.bytes, "where it lies and when it ran is not in it")
  }

  @Test("what changes is said, and nothing else")
  func comparison() throws {
    try project.run()
    let lock = try project.lock()
    #expect(try project.compare(lock).isSame)
    try project.scratch.write("project/words.txt", "one\ntwx\n")
    let changed = try project.compare(lock)
    #expect(changed.changesKeys && changed.changedSources == ["words.txt"])
    #expect(changed.findings.filter { $0.subject == .instance }.map(\.name) == ["upper"])
    #expect(changed.findings.last?.reasons == ["input text changed: ./words.txt"])
    #expect(Set(changed.undetermined) == ["lines", "twice", "all"])
  }

  @Test("a param is named with both values, a comment changes no key")
  func params() throws {
    try project.run()
    let lock = try project.lock()
    let changed = try project.compare(lock, sets: ["again=3"])
    #expect(changed.findings.map(\.reasons) == [["again 2 -> 3"], ["count 2 -> 3"]])
    try project.edit("recipe.yaml", "stages:", "# a comment\nstages:")
    let commented = try project.compare(lock)
    #expect(!commented.isSame && !commented.changesKeys && commented.findings.map(\.subject) == [.file])
    try project.edit("stages/upper.sh", "a-z A-Z", "a-y A-Y")
    #expect(
      try project.compare(lock).findings.filter { $0.subject == .instance }.map(\.reasons.first) == [
        "source upper.sh changed", "source upper.sh changed",
      ])
  }

  @Test("a lock that was tampered with is refused")
  func tampered() throws {
    try project.run()
    let text = String(decoding: try project.lock().bytes, as: UTF8.self)
    for (old, new) in [
      ("\"count\": 2", "\"count\": 3"), ("heirloom lock 1", "heirloom lock 9"), ("\"key\": \"sha256:", "\"key\": \"sha1:"),
    ] {
      try #require(text.contains(old))
      #expect(throws: SharingError.self) { try RecipeLock(reading: Array(text.replacing(old, with: new).utf8), at: "l") }
    }
  }
}

@Suite("Exported recipes", .serialized, .enabled(if: SharedProject.program != nil, "the program has to be built")) struct ExportTests {
  private let project: SharedProject

  init() throws { project = try SharedProject() }

  @Test("an archive holds what planning and stages need, and nothing else")
  func contents() throws {
    try project.run()
    let paths = try project.package().document.entries.map(\.path.text)
    let stages = ["join", "lines", "times", "upper"].flatMap { ["recipe/stages/\($0).sh", "recipe/stages/\($0).yaml"] }
    #expect(paths == (["recipe/other/words.txt", "recipe/recipe.lock", "recipe/recipe.yaml", "recipe/words.txt"] + stages).sorted())
    #expect(try project.package(.results).document.entries.count { $0.path.text.hasPrefix("results/") } == 5)
    #expect(try project.package(.outputs(of: ["all"])).document.entries.count { $0.path.text.hasPrefix("objects/") } == 1)
    let all = try project.package(.all)
    #expect(all.missing == [] && all.document.entries.count { $0.path.text.hasPrefix("objects/") } == 5)
    for item in all.items where item.entry.path.text.hasPrefix("results/") {
      guard case .bytes(let bytes) = item.content else { continue }
      #expect(!String(decoding: bytes, as: UTF8.self).contains("\"log\"") && !String(decoding: bytes, as: UTF8.self).contains(project.root))
    }
  }

  @Test("a source by an absolute path is refused by name")
  func absolute() throws {
    try project.edit("recipe.yaml", "./words.txt", project.root + "/words.txt")
    let error = #expect(throws: SharingError.self) { try project.package() }
    #expect(error?.message.contains("absolute path") == true)
  }

  @Test("what was taken in does nothing when it is run")
  func takenIn() throws {
    try project.run()
    let archive = project.scratch.path + "/r.tar"
    try ArchiveExport.write(project.package(.all), to: archive)
    let there = project.scratch.path + "/there"
    let outcome = try RecipeImport(.archive(archive), into: there, storePath: there + "/artifacts").run()
    #expect(outcome.results == 5 && outcome.objects == 5)
    let request = RunRequest(
      manifest: there + "/recipe.yaml", recipe: RecipeOptions(), planning: PlanningEnvironment(workingDirectory: there),
      options: try project.options())
    let plan = try RecipePlan.make(request.load().recipe, in: there + "/artifacts", options: request.options)
    #expect(plan.count("cached") == 5)
  }

  @Test("contracts that came with the program come along, so the recipe plans without it")
  func installed() throws {
    try FileSystem.posix.makeDirectory(project.scratch.path + "/installed")
    try FileSystem.posix.rename(project.root + "/stages", to: project.scratch.path + "/installed/stages")
    var request = try project.request()
    request.planning.installedStages = project.scratch.path + "/installed/stages"
    let planned = try PlannedRecipe(request)
    let lock = try LockMaking(planned, storePath: project.store, variables: [:]).make()
    #expect(lock.contracts.allSatisfy { $0.path == nil })
    let package = try RecipeCollection.collect(planned, lock, .none, storePath: project.store)
    let archive = project.scratch.path + "/r.tar"
    try ArchiveExport.write(package, to: archive)
    let there = project.scratch.path + "/there"
    _ = try RecipeImport(.archive(archive), into: there, storePath: there + "/artifacts").run()
    let again = RunRequest(
      manifest: there + "/recipe.yaml", recipe: RecipeOptions(), planning: PlanningEnvironment(workingDirectory: there),
      options: try project.options())
    let comparison = try LockComparison(PlannedRecipe(again), with: lock, storePath: there + "/artifacts", variables: [:])
    #expect(comparison.isSame, "\(comparison.lines)")
  }
}

@Suite("Computing a recipe again", .serialized, .enabled(if: SharedProject.program != nil, "the program has to be built"))
struct ReproductionTests {
  private let project: SharedProject

  init() throws {
    project = try SharedProject()
    try project.run()
  }

  private func archive(_ artifacts: RecipeCollection.Artifacts = .none) throws -> RecipeSource {
    let path = project.scratch.path + "/r.tar"
    try ArchiveExport.write(project.package(artifacts), to: path, .whatIsThere)
    return .exported(.archive(path))
  }

  private func verdicts(_ report: ReproductionReport) -> [String: String] {
    Dictionary(report.rows.map { ($0.name, $0.verdict.rawValue) }, uniquingKeysWith: { first, _ in first })
  }

  @Test("from an archive, on a store that never saw it, every output is identical")
  func identical() throws {
    let outcome = try project.reproduce(archive())
    #expect(outcome.report.isReproduced && outcome.report.count(.identical) == 5 && outcome.report.rows.count == 5)
    #expect(outcome.report.lines.last == "letters: reproduced: 5 identical")
    let statements = try Attestations(outcome).all()
    #expect(statements.count == 6 && statements[0].name == "reproduction-" + outcome.lock.digest.hex)
    #expect(statements[0].statement.predicate["reproduced"] == true)
    let upper = try #require(statements.first { $0.statement.predicate["buildDefinition"]?["externalParameters"]?["instance"] == "upper" })
    #expect(upper.statement.subjects.map(\.digest) == outcome.lock.instance("upper")?.outputs?.map(\.digest))
    #expect(
      upper.statement.predicate["buildDefinition"]?["resolvedDependencies"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == [
        "inputs.text", "sources.upper.sh", "contract.upper",
      ])
    #expect(!String(decoding: statements.flatMap { $0.statement.bytes }, as: UTF8.self).contains(project.scratch.path))
  }

  @Test("after one byte of a source is changed it says which outputs differ and why, and which follow")
  func changedSource() throws {
    try project.scratch.write("project/recipe.lock", project.lock().bytes)
    try project.scratch.write("project/words.txt", "one\ntwx\n")
    let report = try project.reproduce(.manifest(project.root + "/recipe.yaml")).report
    #expect(!report.isReproduced && report.exitStatus == 1)
    #expect(
      verdicts(report) == [
        "upper.text": "differs", "lines.text": "identical", "twice.text": "differs", "other.text": "identical", "all.text": "differs",
      ])
    let upper = try #require(report.rows.first { $0.instance == "upper" })
    let old = Digest(hashing: "one\ntwo\n").hex.prefix(12)
    #expect(upper.causes == ["source words.txt \(old) -> \(Digest(hashing: "one\ntwx\n").hex.prefix(12))"] && upper.follows == [])
    let all = try #require(report.rows.first { $0.instance == "all" })
    #expect(all.causes == [] && all.follows == ["twice.text"])
    #expect(report.comparison.changedSources == ["words.txt"])
  }

  @Test("a stage that gives other bytes for the same key is the cause, and what it made others give follows")
  func otherBytes() throws {
    // The lock is of a stage that tells the time; its script is the same in both.
    try project.scratch.write("project/stages/upper.sh", "date +%N >$2\n")
    try project.run()
    let report = try project.reproduce(archive()).report
    let upper = try #require(report.rows.first { $0.instance == "upper" })
    #expect(upper.verdict == .differs && upper.causes == ["the same key gave other bytes"])
    #expect(report.rows.first { $0.instance == "twice" }?.why == "follows upper.text")
  }

  @Test("chosen instances, a draw with a seed, and what they need")
  func selection() throws {
    let source = try archive(.all)
    let named = try project.reproduce(source, .named(["twice"])).report
    #expect(
      verdicts(named) == [
        "upper.text": "identical", "twice.text": "identical", "lines.text": "not run", "other.text": "not run", "all.text": "not run",
      ])
    #expect(named.isReproduced)
    let first = try project.reproduce(source, .sample(2, seed: 5)).report
    let second = try project.reproduce(source, .sample(2, seed: 5)).report
    #expect(verdicts(first) == verdicts(second))
    #expect(throws: (any Error).self) { try project.reproduce(source, .named(["nobody"])) }
  }

  @Test("with trusted inputs only what was chosen is computed")
  func trusted() throws {
    let report = try project.reproduce(archive(.all), .named(["all"]), trusting: true).report
    #expect(verdicts(report)["all.text"] == "identical" && report.count(.trusted) == 4)
    let without = try project.reproduce(archive(.results), .named(["all"]), trusting: true).report
    #expect(verdicts(without)["all.text"] == "identical" && without.isReproduced, "what has no bytes is computed")
  }

  @Test("an exported directory is taken as it lies, an archive that was changed is refused")
  func changedDirectory() throws {
    let package = try project.package()
    for item in package.items {
      switch item.content {
      case .bytes(let bytes): try project.scratch.write("dir/" + item.entry.path.text, bytes)
      case .file(let path): try project.scratch.write("dir/" + item.entry.path.text, try #require(try FileSystem.posix.read(path)))
      }
    }
    try project.scratch.write("dir/" + RecipeDocument.name, package.document.bytes)
    let container = try #require(try RecipeContainer.at(project.scratch.path + "/dir"))
    #expect(try project.reproduce(.exported(container)).report.isReproduced)
    try project.scratch.write("dir/recipe/words.txt", "one\ntwx\n")
    #expect(try project.reproduce(.exported(container)).report.comparison.changedSources == ["words.txt"])
    try ArchiveExport.write(project.package(), to: project.scratch.path + "/x.tar")
    var bytes = try #require(try project.scratch.read("x.tar"))
    let place = try #require(bytes.indices.last { bytes[$0] == UInt8(ascii: "w") && bytes[($0 - 1)] == UInt8(ascii: "t") })
    bytes[place] ^= 1
    try project.scratch.write("x.tar", bytes)
    #expect(throws: SharingError.self) { try project.reproduce(.exported(.archive(project.scratch.path + "/x.tar"))) }
  }

  @Test("a failed stage is told, and what needed it was not run")
  func failing() throws {
    try project.scratch.write("project/recipe.lock", project.lock().bytes)
    try project.scratch.write("project/stages/times.sh", "exit 3\n")
    let report = try project.reproduce(.manifest(project.root + "/recipe.yaml")).report
    #expect(verdicts(report)["twice.text"] == "failed" && verdicts(report)["all.text"] == "not run" && !report.isReproduced)
  }

  @Test("scores of another kernel may move within their own uncertainty")
  func tolerance() {
    func scores(_ value: Double, _ error: Double?) -> JSONObject {
      var metric = JSONObject([("value", .number(value))])
      if let error { metric.set("stderr", .number(error)) }
      return JSONObject([("exact_match", .object(metric))])
    }
    #expect(NumericsTolerance.excess(scores(0.5, 0.02), scores(0.54, 0.02)) == [])
    #expect(NumericsTolerance.excess(scores(0.5, 0.02), scores(0.57, 0.02))?.count == 1)
    #expect(NumericsTolerance.excess(scores(3, nil), scores(3.02, nil)) == [])
    #expect(NumericsTolerance.excess(scores(3, nil), scores(3.04, nil))?.count == 1)
    #expect(NumericsTolerance.excess(JSONObject(), scores(1, nil)) == nil)
    #expect(NumericsTolerance.of(numerics: "portable", locked: "a", found: "b") == .bits)
    #expect(NumericsTolerance.of(numerics: "native", locked: "a", found: "a") == .bits)
    #expect(NumericsTolerance.of(numerics: "native", locked: "a", found: "b") == .metrics)
    #expect(NumericsTolerance.of(numerics: "native", locked: nil, found: "b") == .bits)
  }

  @Test("a crate of the run names what was done, and every reference in it has an end")
  func crate() throws {
    try project.scratch.write("project/stages/shelf.sh", "mkdir $2; cp $1 $2/book\n")
    try project.scratch.write(
      "project/stages/shelf.yaml",
      """
      stage: shelf
      version: 1
      inputs: {text: {type: file}}
      outputs: {books: {type: directory}}
      run: {command: [sh, "${stage.dir}/shelf.sh", "${inputs.text}", "${outputs.books}"], sources: [shelf.sh]}

      """)
    try project.edit("recipe.yaml", "stages:", "stages:\n  shelf: {uses: shelf, inputs: {text: upper.text}}")
    try project.edit("recipe.yaml", "text: ./other", "text: shelf.books")
    try project.run()
    let queries = try StoreQueries(project.store)
    let crate = try RunCrate(queries.run(.latest), queries.store)
    #expect(crate.files.map(\.path) == ["ro-crate-metadata.json", "recipe.yaml"])
    let graph = try #require(try JSONValue(parsing: crate.files[0].bytes)["@graph"]?.arrayValue)
    let names = graph.compactMap { $0["@id"]?.stringValue }
    #expect(Set(names).count == names.count, "no entity twice")
    #expect(graph.count { $0["@type"] == "ControlAction" } == 6 && graph.count { $0["@type"] == "HowToStep" } == 6)
    var open: [String] = []
    func walk(_ value: JSONValue, isTop: Bool) {
      for element in value.arrayValue ?? [] { walk(element, isTop: false) }
      guard let object = value.objectValue else { return }
      if !isTop, object.count == 1, let id = object["@id"]?.stringValue, !names.contains(id), !id.hasPrefix("http") { open.append(id) }
      for member in object.members { walk(member.value, isTop: false) }
    }
    for entity in graph { walk(entity, isTop: true) }
    #expect(open == [])
    #expect(!String(decoding: crate.files[0].bytes, as: UTF8.self).contains(project.root))
  }
}

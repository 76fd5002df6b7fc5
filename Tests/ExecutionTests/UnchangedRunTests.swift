import Artifacts
import Execution
import Foundation
import JSONValues
import Planning
import Testing

/// A run in which nothing is left to do is found without planning it, and only then.
@Suite("Runs in which nothing has changed")
struct UnchangedRunTests {
  private static let manifest = """
    heirloom: 1
    name: test
    params: {mark: a}
    stages:
      data: {uses: say, with: {text: hello}}
      read: {uses: upper, inputs: {text: ./in.txt}, with: {mark: "${mark}"}}
      asked: {uses: asked, inputs: {text: data.text}}
      tree: {uses: tree, with: {script: 'echo a > "$out/one"; mkdir "$out/in"; echo b > "$out/in/two"'}}
    """

  private static let asked = """
    stage: asked
    version: 1
    summary: Depends on what a command prints and on a variable.
    inputs: {text: {type: file}}
    outputs: {out: {type: file}}
    run:
      command: [sh, -c, 'cat "$0" > "$1"', "${inputs.text}", "${outputs.out}"]
      versions: [[sh, "./v.sh"]]
      keyed_environment: [KEYED]
    """

  private func project() throws -> TestProject {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.manifest)
    try project.write("in.txt", "one")
    try project.write("stages/asked.yaml", Self.asked)
    try project.write("stages/v.sh", "echo 1")
    return project
  }

  private func isUnchanged(_ project: TestProject, sets: [String] = [], _ change: (inout RunOptions) -> Void = { _ in }) throws -> Bool {
    try UnchangedRun(project.request(sets: sets, change), in: project.store) != nil
  }

  @Test("the second run is one, and is recorded as any other")
  func recorded() throws {
    let project = try project()
    #expect(try !isUnchanged(project))
    let first = try project.run()
    #expect(first.ran.count == 4 && first.outcome?.exitStatus == 0)
    #expect(try isUnchanged(project))
    let second = try project.run()
    #expect(Set(second.cached) == ["data", "read", "asked", "tree"] && second.outcome?.cached == 4)
    let queries = try StoreQueries(project.store)
    let run = try queries.run(.latest)
    #expect(run.id != (try queries.runs().last?.id) && run.standing == .ended(0))
    #expect(run.instances.map(\.state) == ["cached", "cached", "cached", "cached"])
    #expect(run.instances.allSatisfy { $0.key != nil } && run.instances[2].needs == ["data"])
    #expect(try queries.find("asked", in: .latest).paths["out"] != nil)
    let lines = try UnchangedRun(project.request(), in: project.store)?.planLines
    #expect(lines == (try project.plan() + ["4 instances: 4 cached"]))
  }

  /// What somebody might do between two runs that changes what the second has to do, or what it would find.
  private static let changes: [(name: String, make: @Sendable (TestProject) throws -> Void)] = [
    ("the manifest", { try $0.write("recipe.yaml", manifest.replacing("hello", with: "hallo")) }),
    ("a comment in the manifest", { try $0.write("recipe.yaml", manifest + "\n# so") }),
    ("a contract", { try $0.write("stages/asked.yaml", asked.replacing("version: 1", with: "version: 2")) }),
    ("a command's source", { try $0.write("stages/say.sh", "echo \"$2\" > \"$1\"; :") }),
    ("what a version command prints", { try $0.write("stages/v.sh", "echo 2") }),
    ("a source file", { try $0.write("in.txt", "two") }),
    ("a source file gone", { try FileManager.default.removeItem(atPath: $0.root + "/in.txt") }),
    ("a result gone", { project in try remove(project, "results", suffix: ".json") }),
    ("an object gone", { project in try remove(project, "objects", suffix: "") }),
    ("a view gone", { try FileManager.default.removeItem(atPath: $0.store + "/views/test/data") }),
    ("all views gone", { try FileManager.default.removeItem(atPath: $0.store + "/views") }),
    ("the memo torn", { project in try tear(project) { $0.dropLast($0.count / 2) } }),
    ("the memo overwritten", { project in try tear(project) { _ in Array("{}\nzz\n".utf8)[...] } }),
    ("the index gone", { try FileManager.default.removeItem(atPath: $0.store + "/index") }),
  ]

  @Test("any change sends it the long way", arguments: changes.indices)
  func changed(place: Int) throws {
    let (name, make) = Self.changes[place]
    let project = try project()
    try project.run()
    #expect(try isUnchanged(project), "before '\(name)'")
    try make(project)
    #expect(try !isUnchanged(project), "\(name)")
  }

  @Test("other params, targets, variables and programs are other requests; the same ones again are known")
  func requests() throws {
    let project = try project()
    try project.run()
    try project.run(sets: ["mark=b"])
    #expect(try !isUnchanged(project, sets: ["mark=c"]))
    #expect(try !isUnchanged(project) { $0.targets = ["data"] })
    #expect(try !isUnchanged(project) { $0.program = "/dev/zero" })
    #expect(try !isUnchanged(project, sets: ["mark=b"]) { $0.variables["KEYED"] = "x" })
    #expect(try !isUnchanged(project, sets: ["mark=b"]) { $0.reruns = ["data"] })
    #expect(try isUnchanged(project, sets: ["mark=b"]))
  }

  @Test("views are those of the last run, whatever was run in between")
  func views() throws {
    let project = try project()
    try project.run()
    #expect(project.output("read", "text") == "ONEa")
    try project.run(sets: ["mark=b"])
    #expect(project.output("read", "text") == "ONEb")
    #expect(try !isUnchanged(project), "its views are another's now")
    try project.run()
    #expect(project.output("read", "text") == "ONEa")
    try project.run(sets: ["mark=b"])
    try project.run(sets: ["mark=b"])
    #expect(project.output("read", "text") == "ONEb")
  }

  @Test("a view that was changed by hand is mended")
  func mended() throws {
    let project = try project()
    try project.run()
    try FileManager.default.removeItem(atPath: project.store + "/views/test/read")
    try project.run()
    #expect(project.output("read", "text") == "ONEa")
  }

  @Test("a run that failed or had warnings is not remembered")
  func failed() throws {
    let project = try project()
    try project.write("stages/v.sh", "exit 1")
    #expect(try project.run().failed == ["asked"])
    #expect(try !isUnchanged(project))
  }

  @Test("a contract that appears where none was looked for is seen")
  func shadow() throws {
    let project = try project()
    let installed = project.root + "/installed"
    try FileManager.default.createDirectory(atPath: installed, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: project.root + "/stages/tree.yaml", toPath: installed + "/tree.yaml")
    var request = project.request()
    request.planning.installedStages = installed
    #expect(try request.run(in: project.store, display: SilentProgress()).outcome.ran == 4)
    #expect(try UnchangedRun(request, in: project.store) != nil)
    let text = try String(contentsOfFile: installed + "/tree.yaml", encoding: .utf8)
    try project.write("stages/tree.yaml", text.replacing("version: 1", with: "version: 2"))
    #expect(try UnchangedRun(request, in: project.store) == nil)
    #expect(try request.run(in: project.store, display: SilentProgress()).outcome.ran == 1)
  }

  private static func remove(_ project: TestProject, _ directory: String, suffix: String) throws {
    let whole = project.store + "/" + directory
    // The object of `tree/in/two`: what no other stage takes has to be there in full.
    let digest = try StoreQueries(project.store).store.listing(
      StoreQueries(project.store).find("tree", in: .latest).result!.answer.outputs[0].digest)!.files.last!.digest.hex
    let name = directory == "objects" ? "\(digest.prefix(2))/\(digest.dropFirst(2))" : project.files(in: "artifacts/results")[0]
    try FileManager.default.removeItem(atPath: "\(whole)/\(name)")
  }

  private static func tear(_ project: TestProject, _ change: ([UInt8]) -> ArraySlice<UInt8>) throws {
    let name = try #require(project.files(in: "artifacts/index/plans").first)
    let path = project.store + "/index/plans/" + name
    try Data(change(Array(Data(contentsOf: URL(fileURLWithPath: path))))).write(to: URL(fileURLWithPath: path))
  }
}

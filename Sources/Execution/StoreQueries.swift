import Artifacts
import Diagnostics
import Hashing
import JSONValues
import Planning

/// What somebody asked for and the store does not know: exit status 2.
package struct QueryError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// Which run a question is about.
package enum RunChoice: Sendable, Equatable {
  case latest
  case latestOf(recipe: String)
  /// Of the manifest at that absolute path.
  case latestFrom(manifest: String)
  case id(String)
}

/// Questions about what is in a store: runs, instances, outputs, logs. Reads without locks; writes nothing but link directories.
package struct StoreQueries: Sendable {
  package let store: Store

  package init(_ storePath: String) throws(StoreError) { store = try Store(reading: storePath) }

  // MARK: - Runs

  /// Newest first.
  package func runs() throws(StoreError) -> [RecordedRun] {
    var runs: [RecordedRun] = []
    for id in try runIDs() {
      if let run = try RecordedRun(id: id, store: store) { runs.append(run) }
    }
    return runs
  }

  /// An id is one from its beginning, the name of a run, `latest`, or `latest~2`, the second before that.
  package func run(_ choice: RunChoice) throws -> RecordedRun {
    var choice = choice
    var skipped = 0
    if case .id(let text) = choice {
      if let count = Self.stepsBack(text) { (choice, skipped) = (.latest, count) }
      if case .run(let id)? = try store.pin(named: text)?.subject { choice = .id(id) }
    }
    for id in try runIDs() {
      if case .id(let wanted) = choice, !id.utf8.starts(with: wanted.utf8) { continue }
      guard let run = try RecordedRun(id: id, store: store) else { continue }
      if case .latestOf(let recipe) = choice, !run.recipe.utf8.elementsEqual(recipe.utf8) { continue }
      if case .latestFrom(let manifest) = choice, !run.manifest.utf8.elementsEqual(manifest.utf8) { continue }
      if skipped == 0 { return run }
      skipped -= 1
    }
    switch choice {
    case .latest: throw QueryError("nothing has been run in this store yet: \(store.root)")
    case .latestOf(let recipe): throw QueryError("no run of a recipe '\(recipe)' in this store")
    case .latestFrom(let manifest): throw QueryError("no run of \(manifest) in this store")
    case .id(let id): throw QueryError("no run '\(id)' in this store")
    }
  }

  /// The run of exactly that id; nil where there is none.
  package func run(exactly id: RunID) throws(StoreError) -> RecordedRun? { try RecordedRun(id: id.text, store: store) }

  /// Of `latest` and `latest~N`; nil for anything else.
  static func stepsBack(_ text: String) -> Int? {
    guard text.hasPrefix("latest") else { return nil }
    let rest = text.dropFirst("latest".count)
    return rest.isEmpty ? 0 : rest.first == "~" ? Int(rest.dropFirst()) : nil
  }

  /// Ids of all runs, newest first; other names that stand there are none.
  package func ids() throws(StoreError) -> [RunID] { try runIDs().compactMap(RunID.init) }

  private func runIDs() throws(StoreError) -> [String] { (try store.files.list(store.root + "/runs") ?? []).reversed() }

  // MARK: - Instances and outputs

  /// One instance of a run with what is known of its result.
  package struct Finding: Sendable {
    package let run: RecordedRun
    package let instance: RecordedRun.Instance
    /// Nil while there is none.
    package let result: ResultRecord?
    /// Where each output's bytes can be read; outputs whose bytes are gone are missing.
    package let paths: [String: String]
  }

  package func find(_ name: String, in choice: RunChoice) throws -> Finding {
    let run = try run(choice)
    let instance = try Self.instance(name, run)
    let result = try instance.key.flatMap { key throws(StoreError) in try store.result(key) }
    var paths: [String: String] = [:]
    for output in result?.answer.outputs ?? [] {
      let view = store.viewPath(recipe: run.recipe, instance: instance.name, output: output.name)
      guard let path = try store.path(of: output) else { continue }
      let isCurrent = store.files.readLink(view).map {
        $0.hasSuffix(output.isDirectory ? output.digest.hex : String(output.digest.hex.dropFirst(2)))
      }
      paths[output.name] = isCurrent == true ? view : path
    }
    return Finding(run: run, instance: instance, result: result, paths: paths)
  }

  /// `INSTANCE` or `INSTANCE.OUTPUT`; names of groups and values in brackets may hold dots. Where neither is there, whichever is nearer to
  /// something that is.
  package func parse(_ text: String, in choice: RunChoice) throws -> (instance: String, output: String?) {
    let run = try run(choice)
    if !Self.instances(text, run).isEmpty { return (text, nil) }
    let tail = text.lastIndex(of: "]") ?? text.startIndex
    guard let dot = text[tail...].lastIndex(of: ".") else { return (text, nil) }
    let split = (instance: String(text[..<dot]), output: Optional(String(text[text.index(after: dot)...])))
    let paths = run.instances.map(\.path)
    // Outputs are a stage's: after the name of a group another name was meant.
    if Self.instances(split.instance, run).contains(where: { InstancePattern(split.instance)?.reaches($0.path) ?? true }) { return split }
    let isNear = InstancePath.nearest(text, among: paths) == nil && InstancePath.nearest(split.instance, among: paths) != nil
    return isNear ? split : (text, nil)
  }

  /// The one that a name or a pattern (`rft[task=sort].train`) means.
  private static func instance(_ name: String, _ run: RecordedRun) throws -> RecordedRun.Instance {
    let found = instances(name, run)
    if found.count == 1 { return found[0] }
    if found.count > 1 {
      let names = found.prefix(12).map(\.name).joined(separator: ", ") + (found.count > 12 ? ", …" : "")
      throw QueryError("'\(name)' has \(found.count) instances: \(names)")
    }
    let near = InstancePath.nearest(name, among: run.instances.map(\.path)).map { "; did you mean '\($0)'?" } ?? ""
    throw QueryError("no instance '\(name)' in run \(run.id) of \(run.recipe)\(near)")
  }

  package static func instances(_ name: String, _ run: RecordedRun) -> [RecordedRun.Instance] {
    if let exact = run.instances.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) { return [exact] }
    guard let pattern = InstancePattern(name) else { return [] }
    return run.instances.filter { pattern.matches($0.path) }
  }

  package func output(_ name: String, of finding: Finding) throws -> StoredOutput {
    guard let outcome = finding.result?.answer else {
      throw QueryError("\(finding.instance.name) has no result yet: \(finding.instance.state)")
    }
    if let output = outcome.outputs.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) { return output }
    let known = outcome.outputs.map(\.name)
    let near = NearestName.find(name, among: known).map { "; did you mean '\($0)'?" } ?? "; it has \(known.joined(separator: ", "))"
    throw QueryError("\(finding.instance.name) has no output '\(name)'\(near)")
  }

  /// The log of an instance: of its result, or of the attempt that is going on or failed.
  package func log(_ finding: Finding) throws -> [UInt8] {
    guard let key = finding.instance.key else {
      if let bytes = try RunJobs(run: finding.run.id, in: store)?.log(of: finding.instance.name) { return bytes }
      throw QueryError("\(finding.instance.name) was not started in run \(finding.run.id)")
    }
    // What failed or runs now is of more interest than what an earlier result said.
    if let bytes = try store.files.read(store.workDirectory(key).logPath) { return bytes }
    if let log = finding.result?.answer.log, let bytes = try store.object(log) { return bytes }
    if let bytes = try RunJobs(run: finding.run.id, in: store)?.log(of: finding.instance.name) { return bytes }
    throw QueryError("\(finding.instance.name) has no log in this store")
  }

  // MARK: - Export

  /// Copies an output as plain files into `directory`, which must be empty or not there. A single file is named after the output.
  package func export(_ output: StoredOutput, to directory: String, meter: WorkMeter? = nil) throws {
    meter?.begin("copying \(output.name)", bytes: output.size)
    let files = store.files
    if let names = try files.list(directory), !names.isEmpty { throw QueryError("\(directory) is not empty") }
    try files.makeDirectory(directory)
    guard output.isDirectory else { return try copy(output.digest, to: "\(directory)/\(Self.fileName(output))", meter) }
    guard let listing = try store.listing(output.digest) else { throw Self.gone(output) }
    for empty in listing.emptyDirectories { try files.makeDirectory("\(directory)/\(empty)") }
    for file in listing.files {
      if let slash = file.path.lastIndex(of: "/") { try files.makeDirectory("\(directory)/\(file.path[..<slash])") }
      try copy(file.digest, to: "\(directory)/\(file.path)", meter)
    }
  }

  private func copy(_ digest: Digest, to path: String, _ meter: WorkMeter?) throws {
    guard try store.files.copy(store.objectPath(digest), to: path, observe: { meter?.add(bytes: $0) }) else {
      throw QueryError("the bytes of \(path) are gone from the store; run the recipe to have them again")
    }
  }

  private static func gone(_ output: StoredOutput) -> QueryError {
    QueryError("the bytes of output \(output.name) are gone from the store; run the recipe to have them again")
  }

  private static func fileName(_ output: StoredOutput) -> String {
    switch output.type {
    case "dataset", "rollouts": output.name + ".jsonl"
    case "scores", "json": output.name + ".json"
    default: output.name
    }
  }
}

extension StoreQueries.Finding {
  /// As `show INSTANCE --json` prints it: the result, its provenance and its outputs.
  package var json: JSONValue {
    guard case .object(var object) = instance.json else { return instance.json }
    object.set("run", .string(run.id))
    object.set("recipe", .string(run.recipe))
    object.set("needs", .array(instance.needs.map(JSONValue.string)))
    guard let result else { return .object(object) }
    let answer = result.answer
    object.set("outputs", .array(answer.outputs.map { json($0) }))
    object.set("computed_in", .string(answer.run))
    object.set("seconds", .number(answer.seconds))
    object.set("host", .object(answer.host))
    object.set("metrics", .object(answer.metrics))
    if !answer.warnings.isEmpty { object.set("warnings", .array(answer.warnings.map(JSONValue.string))) }
    if answer.isMixed { object.set("mixed", true) }
    if result.outcomes.count > 1 { object.set("different_outcomes", .integer(result.outcomes.count)) }
    object.set("parts", result.parts)
    return .object(object)
  }

  /// As `show INSTANCE.OUTPUT --json` prints it.
  package func json(_ output: StoredOutput) -> JSONValue {
    [
      "output": .string(output.name), "path": paths[output.name].map { .string($0) } ?? .null, "digest": .string(output.digest.text),
      "type": .string(output.type), "size": .integer(output.size), "key": instance.key.map { .string($0.text) } ?? .null,
    ]
  }
}

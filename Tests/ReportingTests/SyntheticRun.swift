import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import Planning
import Reporting

/// A run written into a store of its own as the runner and the stages would have written it; nothing is executed. It goes when the test is over.
final class SyntheticRun {
  struct Output {
    var name: String
    var type: String
    /// One file where its name is empty, else a directory.
    var files: [(path: String, bytes: [UInt8])]

    init(_ name: String, _ type: String, _ json: JSONValue) { self.init(name, type, json.encodedBytes()) }
    init(_ name: String, _ type: String, _ text: String) { self.init(name, type, Array(text.utf8)) }
    init(_ name: String, _ type: String, _ bytes: [UInt8]) { (self.name, self.type, files) = (name, type, [("", bytes)]) }
    init(_ name: String, _ type: String, files: [(path: String, bytes: [UInt8])]) {
      (self.name, self.type, self.files) = (name, type, files)
    }
  }

  enum Ending {
    case ran(Double)
    case cached
    case failed(String)
    case running
    case waiting
  }

  private(set) var store: Store
  let root: String
  let directory: RunDirectory
  private var plan: [JSONValue] = []
  private var journal: [(String, [(String, JSONValue)])] = []
  /// Digests of outputs by `instance.output`.
  private(set) var digests: [String: String] = [:]
  private(set) var keys: [String: Digest] = [:]
  /// Where results of the stages that are added from now on come from.
  var host = JSONObject(of: ["host": "somewhere", "cpu": "a processor", "threads": 2])

  /// - Parameter directory: where its store lies.
  init(
    in directory: String = FileManager.default.temporaryDirectory.path,
    manifest: String = "heirloom: 1\nname: synthetic\ndescription: made by hand\nparams: {seed: 1, rate: 0.5}\nstages: {a: {uses: x}}\n"
  ) throws {
    root = directory + "/heirloom-report-" + UUID().uuidString
    store = try Store.open(root + "/artifacts")
    self.directory = try RunDirectory.begin(in: store, manifest: Array(manifest.utf8))
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// - Parameters:
  ///   - inputs: by name the `instance.output` that it takes; or, with a leading `./`, a source.
  ///   - groups: around it, from the outside in; its name begins with theirs.
  ///   - labels: of the elements of inputs that have some.
  func add(
    _ name: String, _ stage: String, axes: [(String, JSONValue)] = [], groups: [(name: String, axes: [(String, JSONValue)])] = [],
    parameters: JSONObject = JSONObject(), changed: [String] = [],
    inputs: [(name: String, from: [String])] = [], labels: [String: [JSONObject]] = [:], outputs: [Output] = [],
    metrics: JSONObject = JSONObject(),
    warnings: [String] = [], log: String? = nil, events: String? = nil, _ ending: Ending = .ran(1)
  ) throws {
    let taken = inputs.flatMap(\.from)
    let needs = taken.filter { !$0.hasPrefix("./") }.map { String($0[..<($0.lastIndex(of: ".") ?? $0.endIndex)]) }
    let own = groups.isEmpty ? name : name.split(separator: ".").last.map(String.init) ?? name
    let path: [JSONValue] = (groups + [(own.split(separator: "[").first.map(String.init) ?? own, axes)]).map {
      ["name": .string($0.name), "axes": .object(JSONObject($0.axes))]
    }
    var entry = JSONObject([
      ("instance", .string(name)), ("entry", .string(name)), ("stage", .string(stage)), ("path", .array(path)),
      ("axes", .object(JSONObject(axes))),
      ("parameters", .object(parameters)), ("needs", .array(needs.map { .string($0) })), ("changed", .array(changed.map { .string($0) })),
    ])
    let sources = inputs.map { ($0.name, $0.from.filter { $0.hasPrefix("./") }) }.filter { !$0.1.isEmpty }
    if !sources.isEmpty { entry.append("sources", .object(JSONObject(sources.map { ($0, .array($1.map { .string($0) })) }))) }
    plan.append(.object(entry))
    let key = Digest(hashing: "key of \(name)")
    keys[name] = key
    guard case .waiting = ending else {
      return try settle(name, stage, key, inputs, labels, outputs, metrics, warnings, log, events, ending, parameters)
    }
  }

  private func settle(
    _ name: String, _ stage: String, _ key: Digest, _ inputs: [(name: String, from: [String])], _ labels: [String: [JSONObject]],
    _ outputs: [Output], _ metrics: JSONObject, _ warnings: [String], _ log: String?, _ events: String?, _ ending: Ending,
    _ parameters: JSONObject
  ) throws {
    let text = JSONValue.string(key.text)
    if case .cached = ending {
      journal.append(("judged", [("instance", .string(name)), ("action", "cached"), ("key", text)]))
    } else {
      journal.append(
        ("judged", [("instance", .string(name)), ("action", "run"), ("key", text), ("reasons", ["never run"])]))
      journal.append(("started", [("instance", .string(name)), ("key", text), ("attempt", 1)]))
    }
    let work = store.workDirectory(key)
    switch ending {
    case .ran(let seconds):
      journal.append(("finished", [("instance", .string(name)), ("outcome", "ran"), ("seconds", .number(seconds))]))
      try publish(name, stage, key, inputs, labels, outputs, metrics, warnings, log, parameters, seconds: seconds)
    case .cached: try publish(name, stage, key, inputs, labels, outputs, metrics, warnings, log, parameters, seconds: 2)
    case .failed(let error):
      journal.append(
        ("finished", [("instance", .string(name)), ("outcome", "failed"), ("seconds", 1), ("error", .string(error))]))
      try work.prepare(.forgotten)
      try store.files.write(Array((log ?? "").utf8), to: work.logPath)
      if let events { try store.files.write(Array(events.utf8), to: work.eventsPath) }
    case .running:
      try work.prepare(.forgotten)
      try store.files.write(Array((log ?? "").utf8), to: work.logPath)
      try store.files.write(Array((events ?? "").utf8), to: work.eventsPath)
    case .waiting: break
    }
  }

  private func publish(
    _ name: String, _ stage: String, _ key: Digest, _ inputs: [(name: String, from: [String])], _ labels: [String: [JSONObject]],
    _ outputs: [Output], _ metrics: JSONObject, _ warnings: [String], _ log: String?, _ parameters: JSONObject, seconds: Double
  ) throws {
    var pending = PendingWrites()
    var stored: [StoredOutput] = []
    for output in outputs {
      if output.files.count == 1, output.files[0].path.isEmpty {
        let bytes = output.files[0].bytes
        stored.append(
          StoredOutput(name: output.name, type: output.type, digest: try store.put(bytes, &pending), size: bytes.count, isDirectory: false))
      } else {
        let files = try output.files.map {
          TreeListing.File(path: $0.path, digest: try store.put($0.bytes, &pending), size: $0.bytes.count)
        }
        let listing = TreeListing(files: files)
        stored.append(
          StoredOutput(
            name: output.name, type: output.type, digest: try store.put(listing.bytes, &pending), size: listing.size, isDirectory: true))
      }
      digests["\(name).\(output.name)"] = stored[stored.count - 1].digest.text
    }
    let members = inputs.map { input, from -> (String, JSONValue) in
      let found = from.map { digests[$0] ?? Digest(hashing: $0).text }
      if let labels = labels[input] {
        let elements = zip(found, labels).map { digest, labels -> JSONValue in
          ["digest": .string(digest), "labels": .array(labels.members.map { [.string($0.key), $0.value] })]
        }
        return (input, .array(elements))
      }
      return (input, found.count == 1 ? .string(found[0]) : .array(found.map { .string($0) }))
    }
    let outcome = ResultOutcome(
      outputs: stored, recipe: "synthetic", instance: name, run: directory.id, finished: 1_795_000_000, seconds: seconds,
      host: host, metrics: metrics, warnings: warnings,
      log: try log.map { try store.put(Array($0.utf8), &pending) })
    let parts = JSONObject([("inputs", .object(JSONObject(members))), ("parameters", .object(parameters)), ("stage", .string(stage))])
    _ = try store.publish(key: key, stage: stage, parts: .object(parts), outcome: outcome, .keepsFirst, &pending)
  }

  /// Writes plan and journal.
  ///
  /// - Parameter status: nil for a run that goes on.
  func finish(status: Int? = 0, parameters: JSONObject = JSONObject()) throws {
    try directory.write(plan: [
      "recipe": "synthetic", "manifest": .string(root + "/recipe.yaml"), "numerics": "native", "parameters": .object(parameters),
      "uses": [],
      "instances": .array(plan),
    ])
    directory.note("start", [("recipe", "synthetic")])
    for (kind, members) in journal { directory.note(kind, members) }
    guard let status else { return try directory.flush() }
    directory.note("end", [("status", .integer(status)), ("seconds", 12.5)])
    try directory.end()
  }

  func report() throws -> RunReport {
    let queries = try StoreQueries(store.root)
    return try RunReport.read(queries.run(.latest), queries.store)
  }

  func object(_ digest: String) -> String { store.objectPath(Digest(digest)!) }
}

extension JSONObject {
  /// Of a value that is written as an object.
  init(of value: JSONValue) { self = value.objectValue ?? JSONObject() }
}

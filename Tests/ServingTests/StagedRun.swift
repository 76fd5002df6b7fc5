import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues

/// A run whose journal and events the test writes itself, one step at a time, so that nothing waits for a clock. It goes when the test is over.
final class StagedRun {
  let root: String
  let store: Store
  let directory: RunDirectory
  let names: [String]

  var id: RunID { RunID(directory.id)! }
  var storePath: String { root + "/artifacts" }

  /// - Parameter root: of another run, whose store it shares.
  init(_ names: [String] = ["a", "b", "c"], recipe: String = "staged", parameters: JSONObject = JSONObject(), in root: String? = nil) throws
  {
    self.names = names
    ownsRoot = root == nil
    self.root = root ?? FileManager.default.temporaryDirectory.path + "/heirloom-serving-" + UUID().uuidString
    store = try Store.open(self.root + "/artifacts")
    directory = try RunDirectory.begin(in: store, manifest: Array("heirloom: 1\nname: staged\nstages: {a: {uses: x}}\n".utf8))
    let instances = names.enumerated().map { place, name -> JSONValue in
      [
        "instance": .string(name), "entry": .string(name), "stage": "train/sft", "path": [["name": .string(name), "axes": [:]]],
        "axes": [:],
        "parameters": ["learning_rate": 0.001], "needs": place == 0 ? [] : [.string(names[place - 1])],
      ]
    }
    try directory.write(plan: [
      "recipe": .string(recipe), "manifest": .string(self.root + "/recipe.yaml"), "numerics": "native", "parameters": .object(parameters),
      "uses": [], "instances": .array(instances),
    ])
    directory.note("start", [("recipe", .string(recipe))])
    try directory.flush()
  }

  private let ownsRoot: Bool

  deinit { if ownsRoot { try? FileManager.default.removeItem(atPath: root) } }

  func key(_ place: Int) -> Digest { Digest(hashing: "key of \(names[place]) in \(directory.id)") }
  func work(_ place: Int) -> WorkDirectory { store.workDirectory(key(place)) }

  func start(_ place: Int) throws {
    let (name, key) = (JSONValue.string(names[place]), JSONValue.string(key(place).text))
    try work(place).prepare(.forgotten)
    try store.files.write([], to: work(place).logPath)
    directory.note("judged", [("instance", name), ("action", "run"), ("key", key), ("reasons", ["never run"])])
    directory.note("started", [("instance", name), ("key", key), ("attempt", 1)])
    try directory.flush()
  }

  func progress(_ place: Int, _ done: Int, of: Int) throws {
    try event(place, ["t": .number(Double(done)), "kind": "progress", "done": .integer(done), "of": .integer(of)])
  }

  func metric(_ place: Int, _ name: String, _ step: Int, _ value: Double) throws {
    try event(place, ["kind": "metric", "name": .string(name), "step": .integer(step), "value": .number(value)])
  }

  func event(_ place: Int, _ event: JSONValue) throws { try store.files.append(event.encodedBytes() + [0x0A], to: work(place).eventsPath) }

  func log(_ place: Int, _ text: String) throws { try store.files.append(Array(text.utf8), to: work(place).logPath) }

  /// `ran`, `cached`, `failed` …; of what ran, a result with its log.
  func finish(_ place: Int, _ outcome: String = "ran", error: String? = nil, metrics: JSONObject = JSONObject()) throws {
    var members: [(String, JSONValue)] = [("instance", .string(names[place])), ("outcome", .string(outcome)), ("seconds", 1.5)]
    if let error { members.append(("error", .string(error))) }
    if outcome == "ran" {
      var pending = PendingWrites()
      let log = try store.put(try store.files.read(work(place).logPath) ?? [], &pending)
      let result = ResultOutcome(
        outputs: [], recipe: "staged", instance: names[place], run: directory.id, finished: 1_795_000_000, seconds: 1.5, metrics: metrics,
        log: log)
      _ = try store.publish(key: key(place), stage: "train/sft", parts: ["inputs": [:]], outcome: result, .keepsFirst, &pending)
      try work(place).remove()
    }
    directory.note("finished", members)
    try directory.flush()
  }

  func end(_ status: Int = 0) throws {
    directory.note("end", [("status", .integer(status)), ("seconds", 12.5)])
    try directory.end()
  }

  func recorded() throws -> RecordedRun { try StoreQueries(storePath).run(exactly: id)! }
}

import Artifacts
import Execution
import Hashing
import JSONValues
import Remotes
import Testing

/// A run of three stages, `data` -> `train` -> `scores`, whose results lie in a store as if somebody had computed them.
struct SampleRun {
  let store: Store
  let id: String
  let keys: [String: Digest]

  static let names = ["data", "train", "scores"]

  /// - Parameter version: other bytes of `scores` for the same keys.
  init(in store: Store, recipe: String = "sample", version: Int = 1) throws {
    self.store = store
    let data = try Self.file(store, noise(2000), "dataset", "train")
    let passing = try Self.file(store, noise(700, seed: 4), "file", "scraps")
    let model = try Self.model(store)
    let scores = try Self.file(store, noise(50, seed: 6 + UInt64(version)), "scores", "scores")
    var keys: [String: Digest] = [:]
    var outputs = [data, passing]
    keys["data"] = try Self.publish(store, "data", inputs: JSONObject(), outputs, recipe)
    outputs = [model]
    keys["train"] = try Self.publish(store, "train", inputs: JSONObject([("data", .string(data.digest.text))]), outputs, recipe)
    outputs = [scores]
    keys["scores"] = try Self.publish(store, "scores", inputs: JSONObject([("model", .string(model.digest.text))]), outputs, recipe)
    self.keys = keys
    let cached = Self.names.compactMap { name in keys[name].map { (instance: name, key: $0) } }
    let text = "heirloom: 1\nname: \(recipe)\n"
    id = try AdoptedRun.record(plan: Self.plan(recipe), manifest: Array(text.utf8), cached: cached, in: store) { true } ?? ""
  }

  static func plan(_ recipe: String) -> JSONValue {
    let needs = ["data": [], "train": ["data"], "scores": ["train"]]
    return [
      "recipe": .string(recipe), "manifest": .string("/home/somebody/project/\(recipe).yaml"), "numerics": "portable", "parameters": [:],
      "uses": [["manifest": "/home/somebody/project/parts/more.yaml", "text": ""]],
      "instances": .array(
        names.map { name in
          [
            "instance": .string(name), "entry": .string(name), "stage": .string("test/\(name)"),
            "path": [["name": .string(name), "axes": [:]]], "axes": [:], "parameters": [:],
            "needs": .array((needs[name] ?? []).map { .string($0) }), "passing": name == "data" ? ["scraps"] : [],
          ]
        }),
    ]
  }

  private static func file(_ store: Store, _ bytes: [UInt8], _ type: String, _ name: String) throws -> StoredOutput {
    StoredOutput(name: name, type: type, digest: try store.keep(bytes).digest, size: bytes.count, isDirectory: false)
  }

  private static func model(_ store: Store) throws -> StoredOutput {
    let (weights, config) = (try store.keep(noise(300_000, seed: 5)), try store.keep(Array("{}".utf8)))
    let listing = TreeListing(
      files: [
        .init(path: "config.json", digest: config.digest, size: config.size),
        .init(path: "weights/model.safetensors", digest: weights.digest, size: weights.size),
      ], emptyDirectories: ["logs"])
    return StoredOutput(
      name: "model", type: "model", digest: try store.keep(listing.bytes).digest, size: weights.size + config.size, isDirectory: true)
  }

  /// The parts of a key as the program makes them.
  static func parts(_ name: String, inputs: JSONObject, outputs: [String]) -> JSONValue {
    [
      "format": "heirloom-key-1", "inputs": .object(inputs), "outputs": .array(outputs.map(JSONValue.string)), "parameters": [:],
      "run": ["native": .string("test/\(name)")], "stage": .string("test/\(name)"), "version": 1,
    ]
  }

  private static func publish(
    _ store: Store, _ name: String, inputs: JSONObject, _ outputs: [StoredOutput], _ recipe: String
  ) throws -> Digest {
    let parts = parts(name, inputs: inputs, outputs: outputs.map(\.name))
    var pending = PendingWrites()
    let log = try store.put(Array("the log of \(name)\n".utf8), &pending)
    let outcome = ResultOutcome(
      outputs: outputs, recipe: recipe, instance: name, run: "20260101T000000.000Z-abcdef", finished: 1_700_000_000.5, seconds: 2.25,
      host: JSONObject([("host", "private.example"), ("cpu", "a processor")]), metrics: JSONObject([("loss", 1.5)]), log: log)
    let key = CanonicalJSON.digest(parts)
    _ = try store.publish(key: key, stage: "test/\(name)", parts: parts, outcome: outcome, .keepsFirst, &pending)
    return key
  }

  func output(_ instance: String, _ name: String? = nil) throws -> StoredOutput {
    let outputs = try keys[instance].flatMap { try store.result($0) }?.answer.outputs ?? []
    return try #require(outputs.first { name == nil || $0.name == name })
  }

  func key(_ instance: String) throws -> Digest { try #require(keys[instance]) }
}

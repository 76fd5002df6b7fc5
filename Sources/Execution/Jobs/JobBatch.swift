import Hashing
import JSONValues

/// `jobs/<batch>.json`: what the jobs of a batch are to do, each under its index. It names instances; how they are computed comes from the
/// captured manifest.
struct JobBatch: Sendable, Equatable {
  /// What the instance takes outputs of: by the key that is known, or by the job that will have one.
  struct Need: Sendable, Equatable {
    let instance: String
    var key: Digest?
    var job: JobName?
  }

  struct Member: Sendable, Equatable {
    let index: Int
    let instance: String
    /// Nil where inputs are not final yet.
    var key: Digest?
    var attempt = 1
    var isRerun = false
    var needsBytes = false
    /// What it was promised; more than the manifest says when it was not enough before.
    var memoryBytes: Int?
    var needs: [Need] = []
  }

  let name: String
  let run: String
  /// As the run calls it.
  let executor: String
  let system: String
  let cluster: String
  /// Seconds since 1970.
  let submitted: Double
  /// Nobody waits: each job sees to its own retries and to the recipe's views.
  let isHandedOver: Bool
  let members: [Member]

  func member(_ index: Int) -> Member? { members.first { $0.index == index } }
}

extension JobBatch {
  private static let format = "heirloom jobs 1"

  var json: JSONValue {
    [
      "format": .string(Self.format), "batch": .string(name), "run": .string(run), "executor": .string(executor),
      "system": .string(system), "cluster": .string(cluster), "submitted": .number(submitted), "handed_over": .bool(isHandedOver),
      "jobs": .array(members.map(\.json)),
    ]
  }

  init?(json: JSONValue?) {
    guard let json, json["format"]?.stringValue == Self.format, let name = json["batch"]?.stringValue, let run = json["run"]?.stringValue,
      let executor = json["executor"]?.stringValue, let system = json["system"]?.stringValue, let cluster = json["cluster"]?.stringValue,
      let submitted = json["submitted"]?.numberValue, let isHandedOver = json["handed_over"]?.boolValue,
      let list = json["jobs"]?.arrayValue
    else { return nil }
    let members = list.compactMap(Member.init(json:))
    guard members.count == list.count else { return nil }
    self.init(
      name: name, run: run, executor: executor, system: system, cluster: cluster, submitted: submitted, isHandedOver: isHandedOver,
      members: members)
  }
}

extension JobBatch.Member {
  var json: JSONValue {
    var object = JSONObject([("index", .integer(index)), ("instance", .string(instance)), ("attempt", .integer(attempt))])
    if let key { object.set("key", .string(key.text)) }
    if isRerun { object.set("rerun", true) }
    if needsBytes { object.set("needs_bytes", true) }
    if let memoryBytes { object.set("memory", .integer(memoryBytes)) }
    object.set("needs", .array(needs.map(\.json)))
    return .object(object)
  }

  init?(json: JSONValue) {
    guard let index = json["index"]?.integerValue, let instance = json["instance"]?.stringValue,
      let attempt = json["attempt"]?.integerValue, let list = json["needs"]?.arrayValue
    else { return nil }
    self.init(
      index: index, instance: instance, key: json["key"]?.stringValue.flatMap(Digest.init), attempt: attempt,
      isRerun: json["rerun"]?.boolValue ?? false, needsBytes: json["needs_bytes"]?.boolValue ?? false,
      memoryBytes: json["memory"]?.integerValue, needs: list.compactMap(JobBatch.Need.init(json:)))
    guard needs.count == list.count else { return nil }
  }
}

extension JobBatch.Need {
  var json: JSONValue {
    var object = JSONObject([("instance", .string(instance))])
    if let key { object.set("key", .string(key.text)) }
    if let job {
      object.set("batch", .string(job.batch))
      object.set("index", .integer(job.index))
    }
    return .object(object)
  }

  init?(json: JSONValue) {
    guard let instance = json["instance"]?.stringValue else { return nil }
    self.init(instance: instance, key: json["key"]?.stringValue.flatMap(Digest.init))
    if let batch = json["batch"]?.stringValue, let index = json["index"]?.integerValue { job = JobName(batch: batch, index: index) }
  }
}

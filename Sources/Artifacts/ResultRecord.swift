import Hashing
import JSONValues

/// One output of a result: what it is and which bytes.
package struct StoredOutput: Sendable, Equatable {
  package let name: String
  package let type: String
  /// Of the file, or of a directory's listing.
  package let digest: Digest
  /// Bytes, of all files together.
  package let size: Int
  package let isDirectory: Bool

  package init(name: String, type: String, digest: Digest, size: Int, isDirectory: Bool) {
    self.name = name
    self.type = type
    self.digest = digest
    self.size = size
    self.isDirectory = isDirectory
  }
}

/// One time a key was computed: what came out, where, how long it took.
package struct ResultOutcome: Sendable, Equatable {
  package var outputs: [StoredOutput]
  package var recipe: String
  package var instance: String
  package var run: String
  /// Seconds since 1970.
  package var finished: Double
  package var seconds: Double
  /// What could have changed the bytes but is not in the key: CPU, kernel class, threads, and what the stage itself reported.
  package var host: JSONObject
  /// The last value of each metric.
  package var metrics: JSONObject
  /// What the stage warned of.
  package var warnings: [String]
  package var log: Digest?
  /// It went on from a checkpoint of another kernel, so it cannot be had again.
  package var isMixed: Bool

  package init(
    outputs: [StoredOutput], recipe: String, instance: String, run: String, finished: Double, seconds: Double,
    host: JSONObject = JSONObject(),
    metrics: JSONObject = JSONObject(), warnings: [String] = [], log: Digest? = nil, isMixed: Bool = false
  ) {
    self.outputs = outputs
    self.recipe = recipe
    self.instance = instance
    self.run = run
    self.finished = finished
    self.seconds = seconds
    self.host = host
    self.metrics = metrics
    self.warnings = warnings
    self.log = log
    self.isMixed = isMixed
  }
}

/// What is known of a key: its parts in full and every different set of outputs seen for it, one of which answers.
package struct ResultRecord: Sendable, Equatable {
  package let key: Digest
  package let stage: String
  package let parts: JSONValue
  package private(set) var outcomes: [ResultOutcome]
  /// The place of the outcome that answers.
  package private(set) var current: Int

  package init(key: Digest, stage: String, parts: JSONValue, outcome: ResultOutcome) {
    self.key = key
    self.stage = stage
    self.parts = parts
    outcomes = [outcome]
    current = 0
  }

  package var answer: ResultOutcome { outcomes[current] }

  /// How a further outcome compares with those known.
  package enum Novelty: Sendable, Equatable {
    /// The same bytes as the answer.
    case same
    /// The same bytes as an earlier outcome that is not the answer.
    case earlier
    case different
  }

  package enum Answering: Sendable { case keepsFirst, becomesCurrent }

  /// Notes a further outcome; outputs seen before are not noted twice.
  package mutating func note(_ outcome: ResultOutcome, _ answering: Answering) -> Novelty {
    if let known = outcomes.firstIndex(where: { $0.outputs == outcome.outputs }) {
      let novelty: Novelty = known == current ? .same : .earlier
      if answering == .becomesCurrent { current = known }
      return novelty
    }
    outcomes.append(outcome)
    if answering == .becomesCurrent { current = outcomes.count - 1 }
    return .different
  }
}

// MARK: - As JSON

extension ResultRecord {
  private static let format = "heirloom result 1"

  package var json: JSONValue {
    [
      "format": .string(Self.format), "key": .string(key.description), "stage": .string(stage), "current": .integer(current),
      "outcomes": .array(outcomes.map(\.json)), "parts": parts,
    ]
  }

  package init?(json: JSONValue) {
    guard json["format"]?.stringValue == Self.format, let key = json["key"]?.stringValue.flatMap(Digest.init),
      let stage = json["stage"]?.stringValue, let parts = json["parts"], let current = json["current"]?.integerValue,
      let list = json["outcomes"]?.arrayValue
    else { return nil }
    let outcomes = list.compactMap(ResultOutcome.init(json:))
    guard outcomes.count == list.count, outcomes.indices.contains(current) else { return nil }
    self.key = key
    self.stage = stage
    self.parts = parts
    self.outcomes = outcomes
    self.current = current
  }
}

extension StoredOutput {
  package var json: JSONValue {
    [
      "name": .string(name), "type": .string(type), "digest": .string(digest.description), "size": .integer(size),
      "directory": .bool(isDirectory),
    ]
  }

  init?(json: JSONValue) {
    guard let name = json["name"]?.stringValue, let type = json["type"]?.stringValue,
      let digest = json["digest"]?.stringValue.flatMap(Digest.init), let size = json["size"]?.integerValue,
      let isDirectory = json["directory"]?.boolValue
    else { return nil }
    self.init(name: name, type: type, digest: digest, size: size, isDirectory: isDirectory)
  }
}

extension ResultOutcome {
  package var json: JSONValue {
    var object = JSONObject([
      ("outputs", .array(outputs.map(\.json))), ("recipe", .string(recipe)), ("instance", .string(instance)), ("run", .string(run)),
      ("finished", .number(finished)), ("seconds", .number(seconds)), ("host", .object(host)), ("metrics", .object(metrics)),
    ])
    if !warnings.isEmpty { object.set("warnings", .array(warnings.map { .string($0) })) }
    if let log { object.set("log", .string(log.description)) }
    if isMixed { object.set("mixed", true) }
    return .object(object)
  }

  init?(json: JSONValue) {
    guard let list = json["outputs"]?.arrayValue, let recipe = json["recipe"]?.stringValue, let instance = json["instance"]?.stringValue,
      let run = json["run"]?.stringValue, let finished = json["finished"]?.numberValue, let seconds = json["seconds"]?.numberValue
    else { return nil }
    let outputs = list.compactMap(StoredOutput.init(json:))
    guard outputs.count == list.count else { return nil }
    self.init(
      outputs: outputs, recipe: recipe, instance: instance, run: run, finished: finished, seconds: seconds,
      host: json["host"]?.objectValue ?? JSONObject(), metrics: json["metrics"]?.objectValue ?? JSONObject(),
      warnings: json["warnings"]?.arrayValue?.compactMap(\.stringValue) ?? [],
      log: json["log"]?.stringValue.flatMap(Digest.init), isMixed: json["mixed"]?.boolValue ?? false)
  }
}

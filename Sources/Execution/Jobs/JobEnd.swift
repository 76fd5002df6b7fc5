import Hashing
import JSONValues

/// `jobs/<batch>-<index>.end.json`: what became of a job, by its own word. It appears whole or not at all, after the result it speaks of,
/// and is the truth whatever the queue says.
struct JobEnd: Sendable, Equatable {
  enum Report: Sendable, Equatable {
    case succeeded(novelty: String?, seconds: Double, warnings: [String])
    /// The result was there already.
    case found
    case failed(StageProblem)
    /// The stage stopped by itself, with a checkpoint.
    case stopped(StageProblem)
    /// It was taken back (`heirloom cancel`).
    case withdrawn(StageProblem)
    /// The store could not be read or written there.
    case broken(String)
  }

  let instance: String
  /// Nil when it could not be judged.
  let key: Digest?
  let report: Report
  let usage: JobUsage

  /// Whether what hangs on it can go on.
  var isDone: Bool {
    switch report {
    case .succeeded, .found: true
    case .failed, .stopped, .withdrawn, .broken: false
    }
  }
}

extension JobEnd {
  private static let format = "heirloom job end 1"

  var json: JSONValue {
    var object = JSONObject([("format", .string(Self.format)), ("instance", .string(instance))])
    if let key { object.set("key", .string(key.text)) }
    object.set("report", report.json)
    object.set("usage", .object(JSONObject(usage.members)))
    return .object(object)
  }

  init?(json: JSONValue) {
    guard json["format"]?.stringValue == Self.format, let instance = json["instance"]?.stringValue, let said = json["report"],
      let report = Report(json: said)
    else { return nil }
    self.init(
      instance: instance, key: json["key"]?.stringValue.flatMap(Digest.init), report: report, usage: JobUsage(json: json["usage"]))
  }
}

extension JobEnd.Report {
  var json: JSONValue {
    switch self {
    case .succeeded(let novelty, let seconds, let warnings):
      var object = JSONObject([("kind", "succeeded"), ("seconds", .number(seconds))])
      if let novelty { object.set("novelty", .string(novelty)) }
      if !warnings.isEmpty { object.set("warnings", .array(warnings.map { .string($0) })) }
      return .object(object)
    case .found: return ["kind": "found"]
    case .failed(let problem): return Self.json("failed", problem)
    case .stopped(let problem): return Self.json("stopped", problem)
    case .withdrawn(let problem): return Self.json("withdrawn", problem)
    case .broken(let message): return ["kind": "broken", "message": .string(message)]
    }
  }

  private static func json(_ kind: String, _ problem: StageProblem) -> JSONValue {
    var object = JSONObject([
      ("kind", .string(kind)), ("message", .string(problem.message)), ("log_tail", .array(problem.logTail.map(JSONValue.string))),
    ])
    if let path = problem.logPath { object.set("log", .string(path)) }
    if problem.isOutOfMemory { object.set("out_of_memory", true) }
    if problem.isKilled { object.set("killed", true) }
    return .object(object)
  }

  init?(json: JSONValue) {
    let problem = StageProblem(
      json["message"]?.stringValue ?? "failed", logTail: json["log_tail"]?.arrayValue?.compactMap(\.stringValue) ?? [],
      logPath: json["log"]?.stringValue, isOutOfMemory: json["out_of_memory"]?.boolValue ?? false,
      isKilled: json["killed"]?.boolValue ?? false)
    switch json["kind"]?.stringValue {
    case "succeeded":
      guard let seconds = json["seconds"]?.numberValue else { return nil }
      self = .succeeded(
        novelty: json["novelty"]?.stringValue, seconds: seconds, warnings: json["warnings"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    case "found": self = .found
    case "failed": self = .failed(problem)
    case "stopped": self = .stopped(problem)
    case "withdrawn": self = .withdrawn(problem)
    case "broken": self = .broken(problem.message)
    default: return nil
    }
  }
}

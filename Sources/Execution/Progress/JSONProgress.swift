import Artifacts
import JSONValues

/// A run as one JSON object a line, for programs. Every object has `kind`; the last is the summary.
package final class JSONProgress: ProgressDisplay {
  private let write: (String) -> Void

  package init(write: @escaping (String) -> Void = StandardError.line) { self.write = write }

  package var refreshSeconds: Double? { 0.5 }

  package func show(_ event: ProgressEvent) {
    guard let (kind, members) = Self.members(event) else { return }
    write(JSONValue.object(JSONObject([("kind", .string(kind))] + members)).encoded())
  }

  private static func members(_ event: ProgressEvent) -> (String, [(String, JSONValue)])? {
    switch event {
    case .began(let run, let recipe, let count):
      ("run", [("run", .string(run)), ("recipe", .string(recipe)), ("instances", .integer(count))])
    case .cached(let name): ("cached", [("instance", .string(name))])
    case .started(let name, let start):
      (
        "started",
        [
          ("instance", .string(name)), ("stage", .string(start.stage)), ("attempt", .integer(start.attempt)),
          ("resumes", .bool(start.resumes)),
          ("reasons", .array(start.reasons.map(JSONValue.string))),
        ]
      )
    case .advanced(let name, let activity): ("progress", [("instance", .string(name))] + activityMembers(activity))
    case .finished(let name, let seconds): ("finished", [("instance", .string(name)), ("seconds", .number(seconds))])
    case .warned(let name, let text): ("warning", [("instance", .string(name)), ("text", .string(text))])
    case .failed(let name, let problem): ("failed", [("instance", .string(name))] + problemMembers(problem))
    case .retrying(let name, let problem, let attempt, let wait):
      ("retrying", [("instance", .string(name)), ("attempt", .integer(attempt)), ("after", .number(wait))] + problemMembers(problem))
    case .blocked(let name, let owner): ("blocked", [("instance", .string(name)), ("run", owner.map { .string($0.run) } ?? .null)])
    case .skipped(let name, let cause): ("skipped", [("instance", .string(name)), ("because", cause.map { .string($0) } ?? .null)])
    case .interrupted(let name): ("interrupted", [("instance", .string(name))])
    case .notice(let text): ("notice", [("text", .string(text))])
    case .stopping(let running): ("stopping", [("running", .integer(running))])
    case .ended(let outcome): ("summary", summaryMembers(outcome))
    case .outlook, .joined: nil
    }
  }

  private static func activityMembers(_ activity: StageActivity) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    if activity.of > 0 { members += [("done", .integer(activity.done)), ("of", .integer(activity.of))] }
    if !activity.metrics.isEmpty { members.append(("metrics", .object(activity.metricsObject))) }
    return members
  }

  private static func problemMembers(_ problem: StageProblem) -> [(String, JSONValue)] {
    [
      ("error", .string(problem.message)), ("log_tail", .array(problem.logTail.map(JSONValue.string))),
      ("log", problem.logPath.map { .string($0) } ?? .null),
    ]
  }

  private static func summaryMembers(_ outcome: RunOutcome) -> [(String, JSONValue)] {
    let seconds = (outcome.seconds * 1000).rounded() / 1000
    var members: [(String, JSONValue)] = [
      ("ran", .integer(outcome.ran)), ("cached", .integer(outcome.cached)), ("failed", .integer(outcome.failed)),
      ("skipped", .integer(outcome.skipped)), ("seconds", .number(seconds)), ("run", .string(outcome.run)),
    ]
    if outcome.interrupted > 0 { members.append(("interrupted", .integer(outcome.interrupted))) }
    return members
  }
}

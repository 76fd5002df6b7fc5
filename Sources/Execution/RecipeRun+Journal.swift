import Artifacts
import JSONValues

/// What the lines of the journal say.
extension RecipeRun {
  static func startMembers(recipe: String, manifest: String, numerics: String) -> [(String, JSONValue)] {
    [
      ("recipe", .string(recipe)), ("manifest", .string(manifest)), ("numerics", .string(numerics)),
      ("process", ProcessIdentity.current.json),
    ]
  }

  static func endMembers(_ outcome: RunOutcome, status: Int32) -> [(String, JSONValue)] {
    [
      ("status", .integer(Int(status))), ("ran", .integer(outcome.ran)), ("cached", .integer(outcome.cached)),
      ("failed", .integer(outcome.failed)), ("skipped", .integer(outcome.skipped)), ("interrupted", .integer(outcome.interrupted)),
      ("seconds", .number(outcome.seconds)),
    ]
  }

  static func judgedMembers(_ judgement: Judgement, _ instance: String, _ reasons: [String]) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("instance", .string(instance)), ("action", .string(judgement.actionName))]
    if let key = judgement.key { members.append(("key", .string(key.digest.text))) }
    if !reasons.isEmpty { members.append(("reasons", .array(reasons.map(JSONValue.string)))) }
    return members
  }
}

extension AttemptPlace {
  var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("executor", .string(executor))]
    if let job { members.append(("job", .string(job))) }
    if let node { members.append(("node", .string(node))) }
    return members
  }
}

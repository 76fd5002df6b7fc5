import Artifacts
import JSONValues

/// What the journal's first and last lines say.
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
}

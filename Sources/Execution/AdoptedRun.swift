import Artifacts
import Hashing
import JSONValues

/// A run that was done elsewhere and whose results came here, written down as one that found everything there: so `status`, `show`,
/// `report` and the collector know of it what they know of any other.
package enum AdoptedRun {
  /// Calls `check` inside the collector's gate, and writes the run down only when it says that all of it is here still; nil when it is not.
  ///
  /// - Parameter plan: as `plan.json` has it, of exactly these instances.
  package static func record(
    plan: JSONValue, manifest: [UInt8], cached: [(instance: String, key: Digest)], in store: Store, if check: () throws -> Bool
  ) throws -> String? {
    let directory = try RunDirectory.begin(in: store, manifest: manifest)
    do {
      try directory.write(plan: plan)
      let text = { (name: String) in plan[name]?.stringValue ?? "" }
      directory.note("start", RecipeRun.startMembers(recipe: text("recipe"), manifest: text("manifest"), numerics: text("numerics")))
      for (instance, key) in cached { directory.noteCached(instance, key) }
      try store.gate.enter()
      defer { store.gate.leave() }
      guard try check() else {
        try directory.discard()
        return nil
      }
      var outcome = RunOutcome(run: directory.id)
      outcome.cached = cached.count
      directory.note("end", RecipeRun.endMembers(outcome, status: 0))
      try directory.end()
      return directory.id
    } catch {
      try? directory.discard()
      throw error
    }
  }
}

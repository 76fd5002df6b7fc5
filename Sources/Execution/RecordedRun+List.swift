import Diagnostics
import JSONValues

/// A run as a line among runs.
extension RecordedRun {
  private static let states = ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"]

  /// As `runs` prints it: `20261121T…  tiny  done  12 s  2 ran, 8 cached (80 % hits)  [best]`.
  package func line(name: String?) -> String {
    var parts = [id, recipe, standingName]
    if let seconds { parts.append(DurationText.text(seconds)) }
    let counts = Self.states.filter { count($0) > 0 }.map { "\(count($0)) \($0)" }
    if !counts.isEmpty { parts.append(counts.joined(separator: ", ") + (cacheHits.map { " (\(Int(($0 * 100).rounded())) % hits)" } ?? "")) }
    if let name { parts.append("[\(name)]") }
    return parts.joined(separator: "  ")
  }

  /// As `runs --json` lists it.
  package func summary(name: String?) -> JSONValue {
    guard case .object(var object) = summary else { return summary }
    object.set("name", name.map { .string($0) } ?? .null)
    object.set("instances", .integer(instances.count))
    if let cacheHits { object.set("cache_hits", .number(cacheHits)) }
    return .object(object)
  }

  /// Of the instances that came to a result, the share that had one already; nil when none did.
  package var cacheHits: Double? {
    let done = count("cached") + count("ran")
    return done > 0 ? Double(count("cached")) / Double(done) : nil
  }
}

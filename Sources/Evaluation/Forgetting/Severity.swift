/// How far a score on a general suite fell below the base's. Bounds in points (hundredths of the score).
package struct SeverityBounds: Sendable, Equatable {
  /// Drops smaller than this are mild.
  package var moderate: Double
  /// Drops larger than this are severe.
  package var severe: Double
  /// So near to chance that the ability counts as gone.
  package var chanceMargin: Double

  package init(moderate: Double = 5, severe: Double = 15, chanceMargin: Double = 5) {
    self.moderate = moderate
    self.severe = severe
    self.chanceMargin = chanceMargin
  }
}

package enum Severity: String, Sendable, Comparable, CaseIterable {
  case none
  /// Above −5 points.
  case mild
  /// −5 to −15 points.
  case moderate
  /// Below −15 points.
  case severe
  /// Severe on every general suite and near chance on most.
  case catastrophic

  package static func < (left: Severity, right: Severity) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }

  package init(points: Double, bounds: SeverityBounds = .init()) {
    switch points {
    case 0...: self = .none
    case (-bounds.moderate).nextUp..<0: self = .mild
    case -bounds.severe...(-bounds.moderate): self = .moderate
    default: self = .severe
    }
  }
}

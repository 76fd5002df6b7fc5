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

/// A general suite before and after.
package struct GeneralDelta: Sendable, Equatable {
  package let suite: String
  package let base: Double
  package let score: Double
  /// What guessing, or the best constant answer, would score.
  package let chance: Double

  package init(suite: String, base: Double, score: Double, chance: Double = 0) {
    self.suite = suite
    self.base = base
    self.score = score
    self.chance = chance
  }

  /// Δ in points.
  package var points: Double { (score - base) * 100 }
  /// Δ in per cent of the base; nil where the base is 0.
  package var percent: Double? { base == 0 ? nil : (score - base) / base * 100 }
}

/// The general suites together.
package struct GeneralRetention: Sendable, Equatable {
  package let deltas: [GeneralDelta]
  package let bounds: SeverityBounds

  package init(_ deltas: [GeneralDelta], bounds: SeverityBounds = .init()) {
    precondition(!deltas.isEmpty, "general retention needs a suite")
    self.deltas = deltas
    self.bounds = bounds
  }

  package var meanPoints: Double { deltas.map(\.points).mean }

  /// The delta furthest below the base.
  package var worst: GeneralDelta { deltas.dropFirst().reduce(deltas[0]) { $1.points < $0.points ? $1 : $0 } }

  /// Of the worst suite; catastrophic when all are severe and more than half are near chance.
  package var severity: Severity {
    let all = deltas.map { Severity(points: $0.points, bounds: bounds) }
    let lost = deltas.count { ($0.score - $0.chance) * 100 <= bounds.chanceMargin }
    if all.allSatisfy({ $0 == .severe }), 2 * lost > deltas.count { return .catastrophic }
    return all.max() ?? .none
  }
}

/// What several seeds say together.
package struct SeedSummary: Sendable, Equatable {
  package let mean: Double
  /// With n − 1; nil for one seed.
  package let standardDeviation: Double?
  package let count: Int

  package init(_ values: [Double]) {
    let mean = values.mean
    count = values.count
    self.mean = mean
    standardDeviation =
      values.count > 1 ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
  }
}

/// Whether one method may be said to forget less than another.
package enum ForgettingClaim: String, Sendable {
  case holds = "forgets less"
  case doesNotHold = "does not forget less on every seed"
  case tooFewSeeds = "one seed"
  case didNotLearn = "did not learn"

  package static let seedsNeeded = 3

  /// - Parameters:
  ///   - forgetting: FM of both methods, by seed (nearer 0 is better).
  ///   - gain: mean gain of the method that makes the claim.
  ///   - referenceGain: that of plain supervised fine-tuning; under half of it nothing was learned.
  package init(forgetting: [Double], against other: [Double], gain: Double, referenceGain: Double) {
    if gain < referenceGain / 2 {
      self = .didNotLearn
    } else if min(forgetting.count, other.count) < Self.seedsNeeded {
      self = .tooFewSeeds
    } else {
      self = zip(forgetting, other).allSatisfy { $0 > $1 } ? .holds : .doesNotHold
    }
  }
}

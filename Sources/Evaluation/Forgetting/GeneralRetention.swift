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

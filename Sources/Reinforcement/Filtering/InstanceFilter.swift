import Datasets

/// Rollout-based instance filtering (RIF, arXiv 2507.05386): which records a model is trained on, by how it answers them now. A pure function
/// of the scores, the rule and the seed.
package struct InstanceFilter: Sendable {
  package enum Criterion: String, Sendable, CaseIterable {
    /// At least one correct completion; records without are "incompetent".
    case anyCorrect = "any_correct"
    /// Completions that differ, and so give a gradient.
    case nonzeroVariance = "nonzero_variance"
    /// A share of correct completions between two bounds, both exclusive as in EasyR1.
    case passRate = "pass_rate"
  }

  package enum Control: String, Sendable, CaseIterable {
    case none
    /// As many records as the criterion keeps, drawn from all: what a claim about the criterion is compared with.
    case randomSameSize = "random_same_size"
  }

  /// Why a record is kept or dropped, by the criterion.
  package enum Reason: String, Sendable, CaseIterable {
    case correct
    case varied
    case inBand = "in_band"
    case noneCorrect = "none_correct"
    case allCorrect = "all_correct"
    case equal
    case belowBand = "below_band"
    case aboveBand = "above_band"
    /// No completion could be scored.
    case notScored = "not_scored"

    package var keeps: Bool { [.correct, .varied, .inBand].contains(self) }
  }

  package struct Verdict: Sendable, Equatable {
    package let reason: Reason
    /// What the criterion says, or the draw where there is a control.
    package let isKept: Bool
  }

  package var criterion: Criterion
  /// A completion is correct from this value on, less the tolerance.
  package var threshold: Double
  package var low: Double
  package var high: Double
  package var control: Control
  package var seed: UInt64
  /// Keep every record where the criterion would keep none: a sequence of tasks goes on then, unfiltered.
  package var keepsAllWhenEmpty = false

  package init(
    _ criterion: Criterion = .anyCorrect, threshold: Double = 1, low: Double = 0.01, high: Double = 0.99, control: Control = .none,
    seed: UInt64 = 0
  ) {
    self.criterion = criterion
    self.threshold = threshold
    self.low = low
    self.high = high
    self.control = control
    self.seed = seed
  }

  package func verdicts(_ instances: [InstanceScores]) -> [Verdict] {
    let reasons = instances.map(reason)
    if keepsAllWhenEmpty, !reasons.contains(where: \.keeps) { return reasons.map { Verdict(reason: $0, isKept: true) } }
    switch control {
    case .none: return reasons.map { Verdict(reason: $0, isKept: $0.keeps) }
    case .randomSameSize:
      var random = CounterRandom(seed: seed, "filter", "random_same_size")
      let drawn = Set(random.sample(reasons.count(where: \.keeps), of: Array(instances.indices)))
      return reasons.enumerated().map { Verdict(reason: $1, isKept: drawn.contains($0)) }
    }
  }

  package func reason(_ instance: InstanceScores) -> Reason {
    guard let rate = instance.passRate(threshold) else { return .notScored }
    switch criterion {
    case .anyCorrect: return rate > 0 ? .correct : .noneCorrect
    case .nonzeroVariance:
      if instance.varies { return .varied }
      return rate == 0 ? .noneCorrect : rate == 1 ? .allCorrect : .equal
    case .passRate:
      if rate <= low + InstanceScores.tolerance { return .belowBand }
      return rate >= high - InstanceScores.tolerance ? .aboveBand : .inBand
    }
  }
}

import Datasets

/// A model's suite against its base: how far it went, in the unit of tables and with its sign turned so that less is worse, and whether that is
/// more than noise.
struct ScoreChange {
  let suite: String
  let value: Double
  let low: Double
  let high: Double
  let isOutsideNoise: Bool

  /// - Parameter comparisons: how many changes this one was picked from as the worst.
  init(_ after: SuiteScores, from base: SuiteScores, _ settings: ForgettingSettings, comparisons: Int = 1) {
    let sign: Double = base.isHigherBetter ? 1 : -1
    let paired = PairedComparison(
      before: base.perRecord.map { $0 * sign }, after: after.perRecord.map { $0 * sign }, samples: settings.samples, seed: settings.seed,
      confidence: settings.confidence, comparisons: comparisons)
    suite = after.suite
    value = (after.value - base.value) * sign * base.scale
    low = paired.interval.lowerBound * base.scale
    high = paired.interval.upperBound * base.scale
    // Texts weigh differently in bits per byte: both have to say the same.
    isOutsideNoise = paired.isOutsideNoise && (value < 0) == (paired.difference < 0)
  }
}

import JSONValues

/// What a filter did to a set of records: counts with their reasons, how often the model was right, and how rewards vary, before and after.
package struct FilterReport: Sendable {
  package let filter: InstanceFilter
  package let component: String
  package let instances: [InstanceScores]
  package let verdicts: [InstanceFilter.Verdict]

  package init(_ filter: InstanceFilter, component: String, _ instances: [InstanceScores]) {
    self.filter = filter
    self.component = component
    self.instances = instances
    verdicts = filter.verdicts(instances)
  }

  package var keptCount: Int { verdicts.count(where: \.isKept) }
  package var isDrawn: Bool { filter.control != .none }
  /// The criterion kept nothing, and so everything was.
  package var isUnfiltered: Bool { keptCount > 0 && !verdicts.contains { $0.reason.keeps } }
  package var kept: [InstanceScores] { zip(instances, verdicts).filter { $1.isKept }.map { $0.0 } }

  /// How many records the criterion says what of; reasons that occur.
  package var reasons: [(reason: InstanceFilter.Reason, count: Int)] {
    InstanceFilter.Reason.allCases.map { reason in (reason, verdicts.count { $0.reason == reason }) }.filter { $0.1 > 0 }
  }

  package struct Summary: Sendable {
    package let records: Int
    package let completions: Int
    /// Mean over the records that have one.
    package let passRate: Double?
    /// Over all completions that have a reward.
    package let rewardMean: Double?
    package let rewardVariance: Double?
    /// Mean over records of the variance among a record's own completions: what a group's advantages are made from.
    package let varianceWithin: Double?
    /// Share of the records whose completions do not differ in reward.
    package let equalShare: Double?
  }

  package func summary(_ instances: [InstanceScores]) -> Summary {
    let rewards = instances.flatMap { $0.rewards.compactMap { $0 } }
    let within = instances.compactMap(\.rewardVariance)
    return Summary(
      records: instances.count, completions: instances.reduce(0) { $0 + $1.values.count },
      passRate: InstanceScores.mean(instances.compactMap { $0.passRate(filter.threshold) }), rewardMean: InstanceScores.mean(rewards),
      rewardVariance: InstanceScores.variance(rewards), varianceWithin: InstanceScores.mean(within),
      equalShare: within.isEmpty ? nil : Double(within.count { Self.isZero($0) }) / Double(within.count))
  }

  /// Records by pass rate: every possible one where all records have as many scored completions, else those that occur.
  package func passRates(_ instances: [InstanceScores]) -> [(rate: Double, records: Int)] {
    let scored = instances.filter { $0.scored > 0 }
    let rates = scored.compactMap { $0.passRate(filter.threshold) }
    let sizes = Set(scored.map(\.scored))
    let values: [Double] =
      if let size = sizes.first, sizes.count == 1 { (0...size).map { Double($0) / Double(size) } } else { Set(rates).sorted() }
    return values.map { value in (value, rates.count { $0 == value }) }
  }

  /// Records by the variance of their rewards: none, then ten bins up to 1/4, then beyond.
  package struct VarianceHistogram: Sendable, Equatable {
    package var zero = 0
    package var counts = [Int](repeating: 0, count: 10)
    package var beyond = 0

    package static let edges = (0...10).map { Double($0) / 40 }
  }

  package func variances(_ instances: [InstanceScores]) -> VarianceHistogram {
    var histogram = VarianceHistogram()
    for variance in instances.compactMap(\.rewardVariance) {
      if Self.isZero(variance) {
        histogram.zero += 1
      } else if variance > 0.25 + InstanceScores.tolerance {
        histogram.beyond += 1
      } else {
        histogram.counts[min(9, Int(variance * 40))] += 1
      }
    }
    return histogram
  }

  /// Rewards that differ by less than the tolerance have less variance than its square.
  private static func isZero(_ variance: Double) -> Bool { variance <= InstanceScores.tolerance * InstanceScores.tolerance }
}

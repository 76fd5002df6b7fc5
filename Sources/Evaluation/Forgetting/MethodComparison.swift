/// Two methods side by side, seed by seed: the one whose mean FM is nearer 0 against the other, as they ended and at equal gain.
package struct MethodComparison: Sendable {
  /// One seed that both methods have.
  package struct Seed: Sendable {
    package let name: String?
    package let forgetting: Double
    package let other: Double
    /// At the largest gain that both reach; nil where a score is missing or one of them gained nothing.
    package let equalGain: EqualGain?
  }

  package struct EqualGain: Sendable {
    package let gain: Double
    package let forgetting: Double
    package let other: Double
  }

  package let method: String
  package let other: String
  /// FM over T, or where cells are missing FM since learned.
  package let metric: ContinualMetric
  package let seeds: [Seed]
  package let claim: ForgettingClaim
  /// Of the same method over the same other; nil where not every seed can be compared at equal gain.
  package let equalGainClaim: ForgettingClaim?

  /// Nil where the methods went through different tasks, or FM is not known of both.
  package init?(_ left: MethodForgetting, _ right: MethodForgetting) {
    guard left.tasks.count == right.tasks.count, zip(left.tasks, right.tasks).allSatisfy({ $0.utf8.elementsEqual($1.utf8) }) else {
      return nil
    }
    let metrics: [ContinualMetric] = [.forgetting, .forgettingSinceLearned]
    guard let metric = metrics.first(where: { left[$0] != nil && right[$0] != nil }), let one = left[metric]?.mean,
      let two = right[metric]?.mean
    else { return nil }
    let (better, worse) = one >= two ? (left, right) : (right, left)
    var seeds: [Seed] = []
    for run in better.runs {
      guard let twin = worse.runs.first(where: { $0.seed == run.seed }), let own = run[metric], let other = twin[metric] else { continue }
      seeds.append(Seed(name: run.seed?.name, forgetting: own, other: other, equalGain: Self.equalGain(run.matrix, twin.matrix)))
    }
    let hasLearned = better.hasLearned == true && worse.hasLearned == true
    self.method = better.name
    self.other = worse.name
    self.metric = metric
    self.seeds = seeds
    claim = ForgettingClaim(forgetting: seeds.map(\.forgetting), against: seeds.map(\.other), hasLearned: hasLearned)
    let equal = seeds.compactMap(\.equalGain)
    equalGainClaim =
      equal.isEmpty || equal.count < seeds.count
      ? nil : ForgettingClaim(forgetting: equal.map(\.forgetting), against: equal.map(\.other), hasLearned: hasLearned)
  }

  private static func equalGain(_ own: ScoreMatrix, _ other: ScoreMatrix) -> EqualGain? {
    guard let own = GainCurve(own), let other = GainCurve(other), let gain = GainCurve.commonGain(own, other),
      let forgetting = own.forgetting(at: gain), let lost = other.forgetting(at: gain)
    else { return nil }
    return EqualGain(gain: gain, forgetting: forgetting, other: lost)
  }
}

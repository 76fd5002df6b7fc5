/// The advantages of a batch of groups, each group the completions of one prompt, and what is worth logging of their rewards. Knows
/// nothing of tokens or models.
///
/// A reward is nil where it could not be computed: it stays outside every statistic, and its advantage is 0. So is that of a reward which
/// finds nothing to be compared with: the only one of its group (GRPO, RLOO), or without a greedy reward (ReMax).
package struct Advantages: Sendable, Equatable {
  package struct Group: Sendable, Equatable {
    package var rewards: [Double?]
    /// Of the greedy completion: ReMax's baseline.
    package var greedy: Double?

    package init(rewards: [Double?], greedy: Double? = nil) {
      self.rewards = rewards
      self.greedy = greedy
    }
  }

  /// What one group's rewards were like.
  package struct GroupSummary: Sendable, Equatable {
    /// Rewards that could be computed.
    package let scored: Int
    /// Of those; 0 without any.
    package let mean: Double
    /// With n − 1; 0 with fewer than two.
    package let standardDeviation: Double
    /// At least one reward, and no two further apart than `tolerance`.
    package let isEqual: Bool
    /// Whether any advantage differs from 0: a group without signal changes nothing and can be left out.
    package let hasSignal: Bool
  }

  /// Rewards nearer to each other than this are equal: sums of weighted components differ by rounding.
  package static let tolerance = 1e-6

  /// Per group, per completion.
  package let values: [[Double]]
  package let groups: [GroupSummary]
  /// Over all rewards that could be computed.
  package let mean: Double
  /// Over all of them, with n − 1.
  package let standardDeviation: Double

  package init(_ groups: [Group], _ method: AdvantageMethod) {
    let all = Moments(groups.flatMap(\.rewards).compactMap { $0 })
    var values: [[Double]] = []
    var summaries: [GroupSummary] = []
    for group in groups {
      let own = Moments(group.rewards.compactMap { $0 })
      let advantages = Self.advantages(of: group, own, all, method)
      values.append(advantages)
      summaries.append(
        GroupSummary(
          scored: own.count, mean: own.mean, standardDeviation: own.standardDeviation, isEqual: own.isEqual,
          hasSignal: advantages.contains { $0 != 0 }))
    }
    self.values = values
    self.groups = summaries
    mean = all.mean
    standardDeviation = all.standardDeviation
  }

  /// The share of scored groups whose rewards are all equal (`frac_reward_zero_std`).
  package var equalShare: Double { average(\.isEqual) { $0 ? 1 : 0 } }

  /// The mean over scored groups of the variance within a group.
  package var meanGroupVariance: Double { average(\.standardDeviation) { $0 * $0 } }

  private func average<T>(_ part: KeyPath<GroupSummary, T>, _ value: (T) -> Double) -> Double {
    let scored = groups.filter { $0.scored > 0 }
    return scored.isEmpty ? 0 : scored.reduce(0) { $0 + value($1[keyPath: part]) } / Double(scored.count)
  }

  // MARK: - One group

  private static func advantages(of group: Group, _ own: Moments, _ all: Moments, _ method: AdvantageMethod) -> [Double] {
    switch method {
    case .grpo(let scale, let delta):
      let divisor: Double =
        switch scale {
        case .group: own.standardDeviation + delta
        case .batch: all.standardDeviation + delta
        case .none: 1
        }
      return distances(group.rewards, from: own.isComparable ? own.mean : nil).map { $0 / divisor }
    case .rloo:
      let factor = Double(own.count) / Double(max(own.count - 1, 1))
      return distances(group.rewards, from: own.isComparable ? own.mean : nil).map { $0 * factor }
    case .remax:
      return distances(group.rewards, from: group.greedy).map { $0.magnitude <= tolerance ? 0 : $0 }
    }
  }

  private static func distances(_ rewards: [Double?], from baseline: Double?) -> [Double] {
    guard let baseline else { return rewards.map { _ in 0 } }
    return rewards.map { reward in reward.map { $0 - baseline } ?? 0 }
  }

  private struct Moments {
    let count: Int
    let mean: Double
    let standardDeviation: Double
    let isEqual: Bool

    init(_ rewards: [Double]) {
      let mean = rewards.isEmpty ? 0 : rewards.reduce(0, +) / Double(rewards.count)
      let squares = rewards.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      count = rewards.count
      self.mean = mean
      standardDeviation = rewards.count > 1 ? (squares / Double(rewards.count - 1)).squareRoot() : 0
      isEqual = rewards.min().map { low in (rewards.max() ?? low) - low <= tolerance } ?? false
    }

    var isComparable: Bool { count > 1 && !isEqual }
  }
}

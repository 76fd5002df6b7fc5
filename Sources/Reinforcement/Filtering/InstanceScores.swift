import Datasets
import JSONValues

/// What the completions of one record came to, in the component that a filter looks at and in the reward: what every rule is a function of, so
/// that another rule or threshold samples nothing again.
package struct InstanceScores: Sendable, Equatable {
  /// The name that stands for the weighted sum, where no component has it.
  package static let sum = "reward"
  /// Rewards closer than this are equal.
  package static let tolerance = 1e-6

  /// The record's place in the rollouts, from 0.
  package let index: Int
  /// As the model read it.
  package let prompt: String
  /// Of each completion; nil where it could not be scored.
  package let values: [Double?]
  package let rewards: [Double?]

  package init(index: Int, prompt: String, values: [Double?], rewards: [Double?]) {
    self.index = index
    self.prompt = prompt
    self.values = values
    self.rewards = rewards
  }

  /// - Throws: where the completions were not scored, or not by this component.
  package init(_ rollout: Rollout, index: Int, component: String) throws(DatasetError) {
    guard !rollout.samples.isEmpty else { throw DatasetError("the record has no completion") }
    var values: [Double?] = []
    for sample in rollout.samples { values.append(try sample.value(of: component)) }
    self.init(index: index, prompt: rollout.promptText, values: values, rewards: rollout.samples.map { $0.rewards?.total })
  }

  package var scored: Int { values.count { $0 != nil } }

  /// Completions whose value reaches the threshold.
  package func correct(_ threshold: Double) -> Int { values.count { $0.map { $0 >= threshold - Self.tolerance } ?? false } }

  /// Correct over scored; nil where nothing was scored.
  package func passRate(_ threshold: Double) -> Double? { scored == 0 ? nil : Double(correct(threshold)) / Double(scored) }

  /// Whether two scored values differ.
  package var varies: Bool {
    let scored = values.compactMap { $0 }
    guard let least = scored.min(), let most = scored.max() else { return false }
    return most - least > Self.tolerance
  }

  package var rewardMean: Double? { Self.mean(rewards.compactMap { $0 }) }

  /// With n: at most 1/4 where rewards are between 0 and 1.
  package var rewardVariance: Double? { Self.variance(rewards.compactMap { $0 }) }

  static func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }

  static func variance(_ values: [Double]) -> Double? {
    guard let mean = mean(values) else { return nil }
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
  }
}

extension Rollout.Sample {
  /// The component's value, or the weighted sum's; nil where it could not score this completion.
  package func value(of component: String) throws(DatasetError) -> Double? {
    guard let rewards else { throw DatasetError("the completions were not scored: they have no 'rewards'") }
    if rewards.has(component) { return rewards[component] }
    if component == InstanceScores.sum { return rewards.total }
    let names = rewards.components.map { "'\($0.name)'" } + ["'\(InstanceScores.sum)', their sum"]
    throw DatasetError("the completions have no reward '\(component)'; there is \(names.joined(separator: ", "))")
  }
}

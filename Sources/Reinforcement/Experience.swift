import Evaluation
import Kernels
import Modeling

/// What one step learns from: rollouts with their rewards, and the advantages made of them. Knows nothing of the policy's weights.
struct Experience {
  let rollouts: [Rollout]
  /// log π_ref of each token of each completion of each rollout; nil without a reference.
  let reference: [[[Float]]]?
  let advantages: Advantages
  private let settings: ReinforcementSettings

  /// - Parameter beta: what KL in the reward is weighted with at this step.
  init(_ rollouts: [Rollout], reference: [[[Float]]]?, beta: Double, _ settings: ReinforcementSettings) {
    self.rollouts = rollouts
    self.reference = reference
    self.settings = settings
    let groups = rollouts.enumerated().map { index, rollout in
      let rewards = rollout.samples.enumerated().map { place, sample -> Double? in
        guard let reward = sample.rewards?.total else { return nil }
        guard settings.klInReward, let reference else { return reward }
        let kl = settings.loss.klEstimator.sum(
          policy: sample.logProbabilities, reference: reference[index][place], settings.loss.klClamps)
        return reward - beta * kl
      }
      return Advantages.Group(rewards: rewards, greedy: rollout.greedy?.rewards?.total)
    }
    advantages = Advantages(groups, settings.method)
  }

  /// Whether a rollout's completions move the policy, or its pull towards the reference does.
  func trains(_ rollout: Int) -> Bool {
    isCounted(rollout) && (advantages.groups[rollout].hasSignal || settings.klInLoss)
  }

  /// Whether a rollout is in the loss's denominator. One whose rewards are equal may yet pull somewhere, where a greedy one scored otherwise.
  func isCounted(_ rollout: Int) -> Bool { !(settings.dropsEqualRewards && !advantages.groups[rollout].hasSignal) }

  var estimator: KLEstimator { settings.loss.klEstimator }
  var clamps: KLEstimator.Clamps { settings.loss.klClamps }

  private func weight(_ sample: Rollout.Sample) -> Float { settings.masksTruncated && sample.finish == .length ? 0 : 1 }

  /// What the loss of an update over these rollouts divides by.
  func counts(_ numbers: [Int]) -> PolicyCounts {
    numbers.filter(isCounted).reduce(into: PolicyCounts()) { counts, number in
      for sample in rollouts[number].samples where weight(sample) != 0 {
        counts = counts + PolicyCounts(sequences: 1, tokens: sample.ids.count)
      }
    }
  }

  /// The rollouts as one forward and backward pass sees them.
  struct Pass {
    var tokens = TokenBatch()
    var targets = Targets()
    var policy = PolicyBatch()
  }

  func pass(_ numbers: [Int]) -> Pass {
    var pass = Pass()
    for number in numbers {
      let rollout = rollouts[number]
      _ = pass.targets.append(prompt: rollout.promptIDs, completions: rollout.samples.map(\.ids), to: &pass.tokens)
      for (place, sample) in rollout.samples.enumerated() {
        let advantage = Float(advantages.values[number][place])
        if settings.klInLoss, let reference {
          pass.policy.append(
            advantage: advantage, weight: weight(sample), old: sample.logProbabilities, reference: reference[number][place])
        } else {
          pass.policy.append(advantage: advantage, weight: weight(sample), old: sample.logProbabilities)
        }
      }
    }
    return pass
  }

  /// Rows of the largest pass over so many rollouts, and its targets: what memory has to be there for.
  static func largest(_ rollouts: [Rollout], together: Int) -> (rows: Int, targets: Int) {
    let sizes = rollouts.map { rollout in
      let tokens = rollout.samples.reduce(0) { $0 + $1.ids.count }
      return (rows: rollout.promptIDs.count + tokens, targets: tokens)
    }
    let rows = sizes.map(\.rows).sorted(by: >).prefix(together).reduce(0, +)
    return (rows, sizes.map(\.targets).sorted(by: >).prefix(together).reduce(0, +))
  }
}

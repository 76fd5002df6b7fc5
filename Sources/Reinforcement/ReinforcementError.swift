/// Why reinforcement fine-tuning cannot go on.
package enum ReinforcementError: Error, Equatable, Sendable, CustomStringConvertible {
  case noPrompts
  case noBase
  /// Rollouts count from 0, as lines of their file less one.
  case tooFewSamples(rollout: Int, count: Int, method: String)
  case noGreedySample(rollout: Int)
  case emptyCompletion(rollout: Int)
  /// Steps count from 1.
  case notFinite(quantity: String, step: Int)
  case noRewards(step: Int, components: [String])

  package var description: String {
    switch self {
    case .noPrompts: "there is no prompt to train on"
    case .noBase: "the reference is 'base', and there is no input 'base'"
    case .tooFewSamples(let rollout, let count, let method):
      "rollout \(rollout + 1) has \(count) completions; \(method) compares the completions of one prompt with each other and needs 2"
    case .noGreedySample(let rollout):
      "rollout \(rollout + 1) has no greedy completion, which remax compares with: make the rollouts with 'greedy: true'"
    case .emptyCompletion(let rollout): "rollout \(rollout + 1) has a completion without tokens"
    case .notFinite(let quantity, let step):
      "\(quantity) is not finite at step \(step): the last checkpoint is from before it; a lower learning_rate or max_grad_norm may help"
    case .noRewards(let step, let components):
      "no completion of step \(step) could be scored: \(components.map { "'\($0)'" }.joined(separator: ", ")) gave null for all of them"
    }
  }
}

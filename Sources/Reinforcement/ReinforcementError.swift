/// Why reinforcement fine-tuning cannot go on.
package enum ReinforcementError: Error, Equatable, Sendable, CustomStringConvertible {
  case noPrompts
  case noBase
  /// `place` of a rollout: `rollouts.jsonl:31`, or its number.
  case tooFewSamples(place: String, count: Int, method: String)
  case noGreedySample(place: String)
  case emptyCompletion(place: String)
  /// Steps count from 1. `updates`: made before; `checkpoint`: the step after which the last one was written.
  case notFinite(quantity: String, step: Int, updates: Int, checkpoint: Int?)
  /// `place`: of the step's first prompt, where it is known.
  case noRewards(step: Int, components: [String], place: String?)

  package var description: String {
    switch self {
    case .noPrompts: "there is no prompt to train on"
    case .noBase: "the reference is 'base', and there is no input 'base'"
    case .tooFewSamples(let place, let count, let method):
      "\(place): there \(count == 1 ? "is 1 completion" : "are \(count) completions"); "
        + "\(method) compares the completions of one prompt with each other and needs 2"
    case .noGreedySample(let place):
      "\(place): there is no greedy completion, which remax compares with: make the rollouts with 'greedy: true'"
    case .emptyCompletion(let place): "\(place): a completion has no tokens"
    case .notFinite(let quantity, let step, let updates, let checkpoint): Self.text(quantity, step, updates, checkpoint)
    case .noRewards(let step, let components, let place):
      "no completion of step \(step) could be scored: \(components.map { "'\($0)'" }.joined(separator: ", ")) gave null for all of them"
        + (place.map { "; the first answers \($0)" } ?? "")
    }
  }

  private static func text(_ quantity: String, _ step: Int, _ updates: Int, _ checkpoint: Int?) -> String {
    if updates == 0 { return "\(quantity) is not finite at step \(step), before any update: the weights it began with make it so" }
    let kept = checkpoint.map { "the last checkpoint was written after step \($0)" } ?? "there is no checkpoint yet"
    return "\(quantity) is not finite at step \(step); \(kept): a lower learning_rate or max_grad_norm may help"
  }
}

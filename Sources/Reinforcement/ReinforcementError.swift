/// Why reinforcement fine-tuning cannot go on.
package enum ReinforcementError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Steps count from 1.
  case notFinite(quantity: String, step: Int)
  case noRewards(step: Int, component: String)

  package var description: String {
    switch self {
    case .notFinite(let quantity, let step): "\(quantity) is not finite at step \(step)"
    case .noRewards(let step, let component): "no completion of step \(step) could be scored: '\(component)' gave null for all of them"
    }
  }
}

/// A β that follows the divergence: up while it lies above the target, down while below (Ziegler et al., arXiv 1909.08593).
package struct AdaptiveKL: Sendable, Equatable {
  package private(set) var beta: Double
  package let target: Double
  /// Completions after which a steady error of a fifth has changed β by a fifth.
  package let horizon: Double

  package init(beta: Double, target: Double, horizon: Double) {
    precondition(target > 0 && horizon > 0, "target \(target), horizon \(horizon)")
    self.beta = beta
    self.target = target
    self.horizon = horizon
  }

  /// β ← β (1 + clip(KL / target − 1, ±0.2) · n / horizon), `kl` the mean over `completions` (n).
  package mutating func update(kl: Double, completions: Int) {
    beta *= 1 + (kl / target - 1).clamped(to: 0.2) * Double(completions) / horizon
  }
}

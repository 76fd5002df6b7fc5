import Kernels

/// What the head says of each target of a pass: views into activations, valid until the next pass.
package struct TargetStatistics {
  package let count: Int
  /// log p of the target token.
  package let logProbabilities: UnsafePointer<Float>
  /// Of the whole distribution, in nats.
  package let entropies: UnsafePointer<Float>
  /// 1 where the target is the likeliest token, else 0.
  package let correct: UnsafePointer<Float>
  /// Entropy of the `topCount` likeliest tokens among themselves, in nats; nil unless the activations were made for it.
  package let topEntropies: UnsafePointer<Float>?

  package init(
    count: Int, logProbabilities: UnsafePointer<Float>, entropies: UnsafePointer<Float>, correct: UnsafePointer<Float>,
    topEntropies: UnsafePointer<Float>? = nil
  ) {
    self.count = count
    self.logProbabilities = logProbabilities
    self.entropies = entropies
    self.correct = correct
    self.topEntropies = topEntropies
  }

  /// As EAFT has it: the largest possible value, log 20, is close to 3.
  package static let topCount = 20
}

/// A loss that depends on the model through log p of each target: all the training loop has to know of it is d loss / d log p. The
/// negative log-likelihood gives −1/N; weighted and policy losses give other slopes.
package struct TokenLoss {
  /// What has to be known before the slopes of a target are.
  package enum Scope: Sendable {
    /// That target's own statistics: head and gradient run in one pass.
    case token
    /// All targets of the micro-batch: the head runs twice over the blocks that the activations have no room for.
    case batch
  }

  package let scope: Scope
  /// Writes d loss / d log p of each target in the range to the same places of the last argument.
  package let slopes: (TargetStatistics, Range<Int>, Floats) -> Void

  package init(scope: Scope = .token, slopes: @escaping (TargetStatistics, Range<Int>, Floats) -> Void) {
    self.scope = scope
    self.slopes = slopes
  }
}

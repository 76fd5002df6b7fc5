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
}

/// A loss that depends on the model through log p of each target: all the training loop has to know of it is d loss / d log p. The
/// negative log-likelihood gives −1/N; weighted and policy losses give other slopes.
package struct TokenLoss {
  /// What has to be known before the slopes of a target are.
  package enum Scope: Sendable {
    /// That target's own statistics: head and gradient run in one pass.
    case token
    /// All targets of the micro-batch: the head runs twice.
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

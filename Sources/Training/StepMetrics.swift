/// What one optimizer step reports, under TRL's names.
package struct StepMetrics: Sendable, Equatable {
  /// From 1.
  package var step: Int
  package var loss: Double
  /// Mean over the step's targets, in nats.
  package var entropy: Double
  package var meanTokenAccuracy: Double
  /// Tokens seen since the run began, targets or not.
  package var tokens: Int
  package var learningRate: Double
  /// Before clipping.
  package var gradNorm: Double
  package var epoch: Double

  package var named: [(name: String, value: Double)] {
    [
      ("loss", loss), ("entropy", entropy), ("mean_token_accuracy", meanTokenAccuracy), ("num_tokens", Double(tokens)),
      ("learning_rate", learningRate), ("grad_norm", gradNorm), ("epoch", epoch),
    ]
  }
}

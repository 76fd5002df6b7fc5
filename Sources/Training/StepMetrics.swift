/// What one optimizer step reports, under TRL's names.
package struct StepMetrics: Sendable, Equatable {
  /// From 1.
  package var step: Int
  /// Of the data: the terms stand beside it.
  package var loss: Double
  /// Mean over the step's targets, in nats.
  package var entropy: Double
  package var meanTokenAccuracy: Double
  /// Tokens seen since the run began, targets or not.
  package var tokens: Int
  package var learningRate: Double
  /// Before clipping, terms included.
  package var gradNorm: Double
  package var epoch: Double
  /// What the loss and its terms say beyond that.
  package var more: [NamedValue] = []

  package var named: [(name: String, value: Double)] {
    [
      ("loss", loss), ("entropy", entropy), ("mean_token_accuracy", meanTokenAccuracy), ("num_tokens", Double(tokens)),
      ("learning_rate", learningRate), ("grad_norm", gradNorm), ("epoch", epoch),
    ] + more.map { ($0.name, $0.value) }
  }
}

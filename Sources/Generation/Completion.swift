/// A generated sequence.
package struct Completion: Sendable, Equatable {
  package enum Finish: String, Sendable {
    /// A stop token, which is the last of `tokens`, or the caller's stop rule.
    case stop
    case length
  }

  package var tokens: [Int32] = []
  /// Of each token, when it was drawn: under softmax(logits / temperature) (temperature 1 where that is 0), before any truncation and
  /// before stop tokens are kept away.
  package var logProbabilities: [Float] = []
  package var finish: Finish = .length

  package init(tokens: [Int32] = [], logProbabilities: [Float] = [], finish: Finish = .length) {
    self.tokens = tokens
    self.logProbabilities = logProbabilities
    self.finish = finish
  }
}

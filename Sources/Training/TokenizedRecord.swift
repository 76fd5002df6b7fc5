/// One record as the training loop takes it. Knows nothing of the text it came from.
package struct TokenizedRecord: Sendable, Equatable {
  package var ids: [Int32]
  /// Whether each token is a target: predicted from the tokens before it. The first of a record never is.
  package var trained: [Bool]
  /// A factor on each token's loss; nil for 1 everywhere.
  package var weights: [Float]?

  package init(ids: [Int32], trained: [Bool], weights: [Float]? = nil) {
    precondition(ids.count == trained.count && weights.map { $0.count == ids.count } ?? true, "\(ids.count) tokens, \(trained.count) marks")
    self.ids = ids
    self.trained = trained
    self.weights = weights
  }

  package var targetCount: Int { trained.dropFirst().reduce(0) { $0 + ($1 ? 1 : 0) } }
}

/// What a policy loss has to know of one micro-batch's targets beside the model's own log-probabilities.
package struct PolicyBatch: Sendable, Equatable {
  /// One completion.
  package struct Sequence: Sendable, Equatable {
    /// Its tokens, among the micro-batch's targets.
    package var targets: Range<Int>
    package var advantage: Float
    /// A factor on its loss; 0 leaves it out of loss, counts and statistics (`mask_truncated_completions`).
    package var weight: Float

    package init(targets: Range<Int>, advantage: Float, weight: Float = 1) {
      self.targets = targets
      self.advantage = advantage
      self.weight = weight
    }
  }

  /// In the order of their targets.
  package var sequences: [Sequence]
  /// log π_old of each target: of the policy that drew it.
  package var old: [Float]
  /// log π_ref of each target; nil where the loss has no KL (β is 0, or takes its toll in the reward).
  package var reference: [Float]?

  package init(sequences: [Sequence] = [], old: [Float] = [], reference: [Float]? = nil) {
    self.sequences = sequences
    self.old = old
    self.reference = reference
  }

  /// Adds a completion whose tokens follow those that are there.
  package mutating func append(
    advantage: Float, weight: Float = 1, old: some Collection<Float>, reference: (some Collection<Float>)? = [Float]?.none
  ) {
    precondition(
      reference.map { $0.count == old.count } ?? true, "\(old.count) log-probabilities, \(reference?.count ?? 0) of the reference")
    precondition(sequences.isEmpty || (self.reference == nil) == (reference == nil), "all completions have a reference, or none has")
    sequences.append(Sequence(targets: self.old.count..<self.old.count + old.count, advantage: advantage, weight: weight))
    self.old += old
    if let reference { self.reference = (self.reference ?? []) + reference }
  }

  package var counts: PolicyCounts {
    let counted = sequences.filter { $0.weight != 0 }
    return PolicyCounts(sequences: counted.count, tokens: counted.reduce(0) { $0 + $1.targets.count })
  }
}

/// What a loss divides by: the completions and completion tokens of a whole optimizer step, those left out not counted.
package struct PolicyCounts: Sendable, Equatable {
  package var sequences: Int
  package var tokens: Int

  package init(sequences: Int = 0, tokens: Int = 0) {
    self.sequences = sequences
    self.tokens = tokens
  }

  package static func + (left: PolicyCounts, right: PolicyCounts) -> PolicyCounts {
    PolicyCounts(sequences: left.sequences + right.sequences, tokens: left.tokens + right.tokens)
  }
}

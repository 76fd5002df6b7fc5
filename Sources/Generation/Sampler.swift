import Kernels

/// Draws one token from one row of logits. The draw is a function of the logits and one uniform number, so it does not depend on what else
/// is in the batch.
package struct Sampler {
  package let settings: SamplingSettings

  package init(settings: SamplingSettings) { self.settings = settings }

  package struct Draw: Equatable {
    package let token: Int32
    /// log p under softmax(logits / temperature) (temperature 1 when greedy) over the whole vocabulary, before any truncation: what a
    /// policy ratio compares with.
    package let logProbability: Float

    package init(token: Int32, logProbability: Float) {
      self.token = token
      self.logProbability = logProbability
    }
  }

  /// `logits` (vocabulary) are overwritten; `uniform` in [0, 1).
  package func draw(_ logits: Floats, _ vocabulary: Int, uniform: Double) -> Draw {
    if settings.temperature == 0 { return greedy(logits, vocabulary) }
    if settings.temperature != 1 {
      let inverse = Float(1 / settings.temperature)
      for i in 0..<vocabulary { logits[i] *= inverse }
    }
    // Probabilities relative to the likeliest token, (0, 1].
    let row = SoftmaxCrossEntropy.exponentiate(logits, count: vocabulary)
    let token = settings.truncates ? drawTruncated(logits, vocabulary, uniform) : drawFromAll(logits, vocabulary, uniform)
    return Draw(token: Int32(token), logProbability: VectorMath.log(logits[token]) - VectorMath.log(row.sum))
  }

  private func greedy(_ logits: Floats, _ vocabulary: Int) -> Draw {
    let row = SoftmaxCrossEntropy.exponentiate(logits, count: vocabulary)
    return Draw(token: Int32(row.first), logProbability: -VectorMath.log(row.sum))
  }

  // MARK: - Drawing

  /// Walks the vocabulary in order, sums in Double.
  private func drawFromAll(_ weights: Floats, _ count: Int, _ uniform: Double) -> Int {
    var total = 0.0
    for i in 0..<count { total += Double(weights[i]) }
    var rest = uniform * total
    var last = 0
    for i in 0..<count where weights[i] > 0 {
      rest -= Double(weights[i])
      last = i
      if rest < 0 { return i }
    }
    return last
  }

  private func drawTruncated(_ weights: Floats, _ count: Int, _ uniform: Double) -> Int {
    let kept = survivors(weights, count)
    let total = kept.reduce(0.0) { $0 + Double(weights[$1]) }
    var rest = uniform * total
    for i in kept {
      rest -= Double(weights[i])
      if rest < 0 { return i }
    }
    return kept[kept.count - 1]
  }

  /// The tokens left after `top_k`, `top_p` and `min_p`, likeliest first, ties by id.
  func survivors(_ weights: Floats, _ count: Int) -> [Int] {
    var kept = likeliest(weights, count)
    if settings.topK > 0, settings.topK < kept.count {
      let least = weights[kept[settings.topK - 1]]
      kept.removeSubrange((kept.firstIndex { weights[$0] < least } ?? kept.count)...)
    }
    if settings.topP < 1 {
      let mass = settings.topK > 0 ? kept.reduce(0.0) { $0 + Double(weights[$1]) } : (0..<count).reduce(0.0) { $0 + Double(weights[$1]) }
      var ahead = 0.0
      var size = 0
      while size < kept.count, size == 0 || ahead < settings.topP * mass {
        ahead += Double(weights[kept[size]])
        size += 1
      }
      kept.removeSubrange(size...)
    }
    if settings.minP > 0 {
      let least = Float(settings.minP) * weights[kept[0]]
      kept.removeSubrange((kept.firstIndex { weights[$0] < least } ?? kept.count)...)
    }
    return kept
  }

  /// Sorted tokens, at least as many as `top_k`, `top_p` and `min_p` can leave. Weights are at most 1: their bits, cut to exponent and
  /// three more, number the buckets of a histogram, and only tokens of the buckets that matter are sorted.
  private func likeliest(_ weights: Floats, _ count: Int) -> [Int] {
    let lowest = lowestBucket(weights, count)
    var kept: [Int] = []
    for i in 0..<count where bucket(weights[i]) >= lowest { kept.append(i) }
    kept.sort { weights[$0] > weights[$1] || (weights[$0] == weights[$1] && $0 < $1) }
    return kept
  }

  private func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> 20) }

  private func lowestBucket(_ weights: Floats, _ count: Int) -> Int {
    let buckets = bucket(1) + 1
    if settings.topK == 0, settings.topP >= 1 { return bucket(Float(settings.minP)) }
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * buckets) { table in
      table.initialize(repeating: 0)
      var mass = 0.0
      for i in 0..<count {
        let b = min(bucket(weights[i]), buckets - 1)
        table[b] += Double(weights[i])
        table[buckets + b] += 1
        mass += Double(weights[i])
      }
      var (above, number) = (0.0, 0.0)
      for b in stride(from: buckets - 1, to: 0, by: -1) {
        above += table[b]
        number += table[buckets + b]
        if settings.topK > 0, number >= Double(settings.topK) { return b }
        // A margin for the other order of this sum.
        if settings.topK == 0, above >= settings.topP * mass * (1 + 1e-9) { return b }
      }
      return 0
    }
  }
}

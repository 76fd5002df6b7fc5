import Kernels

/// Draws one token from one row of logits. The draw is a function of the logits and one uniform number, so it does not depend on what else
/// is in the batch.
package struct Sampler {
  package let settings: SamplingSettings

  package init(settings: SamplingSettings) { self.settings = settings }

  package struct Draw: Equatable {
    package let token: Int32
    /// log p under softmax(logits / temperature) (temperature 1 where that is 0) over the whole vocabulary, before any truncation: what a
    /// policy ratio compares with.
    package let logProbability: Float

    package init(token: Int32, logProbability: Float) {
      self.token = token
      self.logProbability = logProbability
    }
  }

  /// `logits` (vocabulary) are overwritten; `uniform` in [0, 1). `greedy` takes the likeliest token all the same. `excluding`: tokens that
  /// may not be drawn; not all there are.
  package func draw(_ logits: Floats, _ vocabulary: Int, uniform: Double, greedy: Bool = false, excluding: [Int32] = []) -> Draw {
    if settings.temperature != 1 && settings.temperature != 0 {
      let inverse = Float(1 / settings.temperature)
      for i in 0..<vocabulary { logits[i] *= inverse }
    }
    if !excluding.isEmpty { return drawSome(logits, vocabulary, uniform, greedy, excluding) }
    // Probabilities relative to the likeliest token, (0, 1].
    let row = SoftmaxCrossEntropy.exponentiate(logits, count: vocabulary)
    if greedy || settings.temperature == 0 { return Draw(token: Int32(row.first), logProbability: -VectorMath.log(row.sum)) }
    let token = settings.truncates ? drawTruncated(logits, vocabulary, uniform) : drawFromAll(logits, vocabulary, uniform)
    return Draw(token: Int32(token), logProbability: VectorMath.log(logits[token]) - VectorMath.log(row.sum))
  }

  private func drawSome(_ logits: Floats, _ vocabulary: Int, _ uniform: Double, _ greedy: Bool, _ excluding: [Int32]) -> Draw {
    let untouched = Array(UnsafeBufferPointer(start: logits, count: vocabulary))
    let total = VectorMath.logSumExp(untouched, count: vocabulary)
    for token in excluding { logits[Int(token)] = -.infinity }
    let row = SoftmaxCrossEntropy.exponentiate(logits, count: vocabulary)
    var token = row.first
    if !greedy && settings.temperature != 0 {
      token = settings.truncates ? drawTruncated(logits, vocabulary, uniform) : drawFromAll(logits, vocabulary, uniform)
    }
    return Draw(token: Int32(token), logProbability: untouched[token] - total)
  }

  // MARK: - Drawing

  private static let block = 1024

  /// In the order of the vocabulary: first the block, then the token in it; sums of blocks in Double.
  private func drawFromAll(_ weights: Floats, _ count: Int, _ uniform: Double) -> Int {
    let sums = stride(from: 0, to: count, by: Self.block).map {
      Double(VectorMath.sum(weights + $0, count: min(Self.block, count - $0)))
    }
    var rest = uniform * sums.reduce(0, +)
    for (block, sum) in sums.enumerated() where sum > 0 {
      if rest < sum || !sums[(block + 1)...].contains(where: { $0 > 0 }) {
        return draw(weights, block * Self.block..<min(count, (block + 1) * Self.block), rest)
      }
      rest -= sum
    }
    return 0
  }

  private func draw(_ weights: Floats, _ range: Range<Int>, _ rest: Double) -> Int {
    var rest = rest
    var last = range.lowerBound
    for i in range where weights[i] > 0 {
      rest -= Double(weights[i])
      last = i
      if rest < 0 { return i }
    }
    return last
  }

  private func drawTruncated(_ weights: Floats, _ count: Int, _ uniform: Double) -> Int {
    let cut = Truncation(settings).cut(weights, count)
    for i in 0..<count { weights[i] = weights[i] >= cut.weight ? weights[i] : 0 }
    if cut.lastTie < count {
      for i in cut.lastTie + 1..<count where weights[i] == cut.weight { weights[i] = 0 }
    }
    return drawFromAll(weights, count, uniform)
  }
}

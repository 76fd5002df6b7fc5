import Kernels

/// Draws one token from one row of logits. The draw is a function of the logits and one uniform number, so it does not depend on what else
/// is in the batch.
package struct Sampler {
  package let settings: SamplingSettings

  package init(settings: SamplingSettings) { self.settings = settings }

  package struct Draw: Equatable {
    package let token: Int32
    /// log p under softmax(logits / temperature) (temperature 1 where that is 0) over the whole vocabulary, before any truncation: what a
    /// policy ratio compares with. At temperature 1 the bits are those of `SoftmaxCrossEntropy.forward`. NaN where some logit is no number
    /// or infinite: then the token says nothing.
    package let logProbability: Float

    package init(token: Int32, logProbability: Float) {
      self.token = token
      self.logProbability = logProbability
    }
  }

  /// `logits` (vocabulary) are left as they were; `uniform` in [0, 1). `greedy` takes the likeliest token all the same. `excluding`: tokens
  /// that may not be drawn; not all there are.
  package func draw(_ logits: Floats, _ vocabulary: Int, uniform: Double, greedy: Bool = false, excluding: [Int32] = []) -> Draw {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.blocks(vocabulary)) { sums in
      guard let sums = sums.baseAddress else { return Draw(token: 0, logProbability: 0) }
      var row = Row(logits: logits, count: vocabulary, factor: factor, sums: sums)
      // Truncation sorts weights by their bits, which a NaN's would lead astray.
      guard row.total.isFinite else { return Draw(token: 0, logProbability: .nan) }
      let (largest, logSum) = (row.maximum, VectorMath.log(row.total))
      let token: Int
      if excluding.isEmpty {
        token = greedy || settings.temperature == 0 ? row.likeliest : draw(row, uniform)
      } else {
        let excluded = excluding.map { logits[Int($0)] }
        for token in excluding { logits[Int(token)] = -.infinity }
        row = Row(logits: logits, count: vocabulary, factor: factor, sums: sums)
        token = greedy || settings.temperature == 0 ? row.likeliest : draw(row, uniform)
        for (token, logit) in zip(excluding, excluded) { logits[Int(token)] = logit }
      }
      return Draw(token: Int32(token), logProbability: (logits[token] * factor - largest) - logSum)
    }
  }

  /// Logits are multiplied with it.
  private var factor: Float { settings.temperature == 0 || settings.temperature == 1 ? 1 : Float(1 / settings.temperature) }

  private static func blocks(_ count: Int) -> Int { (count + VectorMath.samplingBlock - 1) / VectorMath.samplingBlock }

  /// A row of logits, of whose probabilities relative to the likeliest token, (0, 1], only the blocks' sums are kept.
  private struct Row {
    let logits: Floats
    let count: Int
    let factor: Float
    let sums: Floats
    let maximum: Float
    let total: Float

    init(logits: Floats, count: Int, factor: Float, sums: Floats) {
      (self.logits, self.count, self.factor, self.sums) = (logits, count, factor, sums)
      maximum = VectorMath.max(logits, count: count) * factor
      total = VectorMath.sampleWeights(logits, count: count, factor: factor, maximum: maximum, sums: sums, weights: nil)
    }

    /// The first of the largest.
    var likeliest: Int {
      let largest = VectorMath.max(logits, count: count)
      var first = 0
      while logits[first] < largest { first += 1 }
      return first
    }

    func range(ofBlock block: Int) -> Range<Int> {
      block * VectorMath.samplingBlock..<min(count, (block + 1) * VectorMath.samplingBlock)
    }
  }

  // MARK: - Drawing

  private func draw(_ row: Row, _ uniform: Double) -> Int {
    if settings.truncates { return drawTruncated(row, uniform) }
    guard let (block, rest) = drawBlock(row, uniform) else { return 0 }
    let range = row.range(ofBlock: block)
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count + 1) { weights in
      guard let weights = weights.baseAddress else { return 0 }
      _ = VectorMath.sampleWeights(
        row.logits + range.lowerBound, count: range.count, factor: row.factor, maximum: row.maximum, sums: weights + range.count,
        weights: weights)
      return range.lowerBound + draw(weights, range.count, rest)
    }
  }

  /// In the order of the vocabulary: first the block, then the token in it; sums of blocks in Double. With the block, what is left to walk
  /// in it; nil when no token has any weight.
  private func drawBlock(_ row: Row, _ uniform: Double) -> (block: Int, rest: Double)? {
    let blocks = Sampler.blocks(row.count)
    guard let last = (0..<blocks).last(where: { row.sums[$0] > 0 }) else { return nil }
    var rest = uniform * (0..<blocks).reduce(0.0) { $0 + Double(row.sums[$1]) }
    for block in 0..<last where row.sums[block] > 0 {
      let sum = Double(row.sums[block])
      if rest < sum { return (block, rest) }
      rest -= sum
    }
    return (last, rest)
  }

  private func draw(_ weights: Floats, _ count: Int, _ rest: Double) -> Int {
    var rest = rest
    var last = 0
    for i in 0..<count where weights[i] > 0 {
      rest -= Double(weights[i])
      last = i
      if rest < 0 { return i }
    }
    return last
  }

  private func drawTruncated(_ row: Row, _ uniform: Double) -> Int {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: row.count) { buffer in
      guard let weights = buffer.baseAddress else { return 0 }
      _ = VectorMath.sampleWeights(
        row.logits, count: row.count, factor: row.factor, maximum: row.maximum, sums: row.sums, weights: weights)
      let cut = Truncation(settings).cut(weights, row.count)
      for i in 0..<row.count { weights[i] = weights[i] >= cut.weight ? weights[i] : 0 }
      if cut.lastTie < row.count {
        for i in cut.lastTie + 1..<row.count where weights[i] == cut.weight { weights[i] = 0 }
      }
      for block in 0..<Sampler.blocks(row.count) {
        let range = row.range(ofBlock: block)
        row.sums[block] = VectorMath.sum(weights + range.lowerBound, count: range.count)
      }
      guard let (block, rest) = drawBlock(row, uniform) else { return 0 }
      let range = row.range(ofBlock: block)
      return range.lowerBound + draw(weights + range.lowerBound, range.count, rest)
    }
  }
}

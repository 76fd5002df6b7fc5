/// How far a model's distribution at each target is from a reference's: KL(p_ref‖p) = Σ p_ref (log p_ref − log p) in nats, both
/// distributions the softmax of logits / temperature. Shapes: logits (rows, vocabulary), divergences (rows).
package enum DistributionMatch {
  /// One divergence and what it counts for: factor · KL at this temperature.
  package struct Measure: Sendable, Equatable {
    package let temperature: Float
    package let factor: Float

    package init(temperature: Float, factor: Float) {
      precondition(temperature > 0, "temperature \(temperature)")
      self.temperature = temperature
      self.factor = factor
    }
  }

  private static let block = 1024

  /// d KL / d logit_j = (p_j − p_ref,j) / temperature. `logits` are read; `reference` holds the reference's logits and becomes
  /// share · Σ factor · d KL / d logits over the measures; `divergences[m]` receives the KL of measure m, without factor.
  package static func forward(
    _ pool: ThreadPool, rows: Int, vocabulary: Int, logits: UnsafePointer<Float>, reference: Floats, measures: [Measure], share: Float,
    divergences: [Floats]
  ) {
    precondition(measures.count == divergences.count, "\(measures.count) measures, \(divergences.count) results")
    pool.run(RowPartition(rows: rows, rowsPerTask: max(1, 16384 / max(1, vocabulary)))) { _, range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * block) { scratch in
        withUnsafeTemporaryAllocation(of: Scale.self, capacity: measures.count) { scales in
          guard let scratch = scratch.baseAddress else { return }
          for row in range {
            let pair = Pair(logits + row * vocabulary, reference + row * vocabulary, vocabulary)
            for (index, measure) in measures.enumerated() {
              let (scale, divergence) = pair.measured(measure, share, scratch)
              scales[index] = scale
              divergences[index][row] = divergence
            }
            pair.replace(UnsafeBufferPointer(scales), scratch)
          }
        }
      }
    }
  }

  /// slopes += what `forward` left in `reference`: (count) floats.
  package static func add(_ pool: ThreadPool, count: Int, _ reference: UnsafePointer<Float>, to slopes: Floats) {
    pool.run(RowPartition(rows: count, rowsPerTask: 1 << 15)) { _, range in
      for i in range { slopes[i] += reference[i] }
    }
  }

  /// What turns centred logits into slopes: inverse temperature, and the factor over each side's sum of exponentials.
  private struct Scale {
    let inverse: Float
    let model: Float
    let reference: Float
  }

  /// One row of either side.
  private struct Pair {
    let model: UnsafePointer<Float>
    let reference: Floats
    let count: Int
    let modelMaximum: Float
    let referenceMaximum: Float

    init(_ model: UnsafePointer<Float>, _ reference: Floats, _ count: Int) {
      self.model = model
      self.reference = reference
      self.count = count
      modelMaximum = rowMaximum(UnsafeMutablePointer(mutating: model), count)
      referenceMaximum = rowMaximum(reference, count)
    }

    /// With x, r the centred logits / temperature: KL = Σ e^r (r − x) / Z_r − log Z_r + log Z_x, block by block in order.
    @inline(__always)
    func measured(_ measure: Measure, _ share: Float, _ scratch: Floats) -> (Scale, divergence: Float) {
      let inverse = Float(1 / Double(measure.temperature))
      let (products, left, right) = (scratch, scratch + block, scratch + 2 * block)
      var (modelSum, referenceSum, moment): (Float, Float, Float) = (0, 0, 0)
      var start = 0
      while start < count {
        let size = min(block, count - start)
        let (a, b) = (model + start, reference + start)
        for i in 0..<size {
          let x = (a[i] - modelMaximum) * inverse
          let r = (b[i] - referenceMaximum) * inverse
          let e = VectorMath.exp(r)
          left[i] = VectorMath.exp(x)
          right[i] = e
          products[i] = e * (r - x)
        }
        modelSum += rowSum(left, size)
        referenceSum += rowSum(right, size)
        moment += rowSum(products, size)
        start += size
      }
      let divergence = moment / referenceSum + (VectorMath.log(modelSum) - VectorMath.log(referenceSum))
      let factor = share * measure.factor * inverse
      return (Scale(inverse: inverse, model: factor / modelSum, reference: factor / referenceSum), max(0, divergence))
    }

    /// The reference's row becomes the slopes, summed over the measures.
    @inline(__always)
    func replace(_ scales: UnsafeBufferPointer<Scale>, _ sums: Floats) {
      var start = 0
      while start < count {
        let size = min(block, count - start)
        let (a, b) = (model + start, reference + start)
        sums.update(repeating: 0, count: size)
        for scale in scales {
          for i in 0..<size {
            let p = VectorMath.exp((a[i] - modelMaximum) * scale.inverse) * scale.model
            let q = VectorMath.exp((b[i] - referenceMaximum) * scale.inverse) * scale.reference
            sums[i] += p - q
          }
        }
        b.update(from: sums, count: size)
        start += size
      }
    }
  }
}

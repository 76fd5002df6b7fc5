import Kernels
import Modeling

/// How far one model's predictions have moved from another's: KL(π₀‖π) = Σ_v π₀(v) log(π₀(v)/π(v)) in nats, at each place, over the whole
/// vocabulary. "RL's Razor" (arXiv 2509.04259) finds that it predicts forgetting when taken on the new task's inputs.
package struct DistributionDrift: Sendable, Equatable {
  /// In the order of `TargetPasses.places`.
  package private(set) var divergences: [Double]

  /// Both models' logits are there for one block of places at a time. `progress`: passes done; may throw to stop.
  package init(
    base: Transformer, _ model: Transformer, _ targets: TargetPasses, progress: (Int) throws -> Void = { _ in }
  ) throws {
    let width = base.configuration.vocabularySize
    precondition(
      model.configuration.vocabularySize == width, "vocabularies of \(width) and \(model.configuration.vocabularySize) tokens")
    let divergences = UnsafeMutableBufferPointer<Double>.allocate(capacity: max(targets.places.count, 1))
    defer { divergences.deallocate() }
    divergences.initialize(repeating: 0)
    let (a, b) = (targets.activations(base.configuration), targets.activations(model.configuration))
    for (index, pass) in targets.passes.enumerated() {
      base.forward(pass.batch, a)
      model.forward(pass.batch, b)
      base.logits(after: pass.rows, a) { block, x in
        model.logits(after: Array(pass.rows[block]), b) { part, y in
          base.pool.run(part.count) { i in
            let place = pass.range.lowerBound + block.lowerBound + part.lowerBound + i
            divergences[place] = Self.divergence(x + (part.lowerBound + i) * width, y + i * width, width)
          }
        }
      }
      try progress(index + 1)
    }
    self.divergences = Array(divergences.prefix(targets.places.count))
  }

  /// Of two rows of logits, which are overwritten. With p the softmax of x and d = x − y: Σ p d + log Σ p e^(−d), in which nothing large
  /// cancels where the rows are near each other, and which is 0 where they are equal. Absolute error some 1e-9, of the float32 exponentials.
  package static func divergence(_ x: Floats, _ y: Floats, _ count: Int) -> Double {
    var least = Float.infinity
    for i in 0..<count {
      y[i] = x[i] - y[i]
      least = min(least, y[i])
    }
    // Only where e^(−d) could overflow.
    let shift = least < -60 ? least : 0
    VectorMath.softmax(x, out: x, count: count)
    var (total, mean, moment) = (0.0, 0.0, 0.0)
    let part = 256
    withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { buffer in
      guard let powers = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: part) {
        let size = min(part, count - start)
        for i in 0..<size { powers[i] = shift - y[start + i] }
        VectorMath.exp(powers, out: powers, count: size)
        for i in 0..<size {
          let p = Double(x[start + i])
          total += p
          mean += p * Double(y[start + i])
          moment += p * Double(powers[i])
        }
      }
    }
    return max(0, mean / total + VectorMath.log(moment / total) - Double(shift))
  }
}

/// AdamW in one pass over memory: p ← p·(1 − lr·λ); m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
/// p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε), with λ the decoupled weight decay. The gradient is scaled first (clipping) and
/// cleared after.
package struct AdamWStep: Sendable {
  package let learningRate: Float
  package let beta1: Float
  package let beta2: Float
  package let epsilon: Float
  /// λ of each range is its own; see `update`.
  package let gradientScale: Float
  private let correction1: Float
  private let rootCorrection2: Float

  private static let floatsPerTask = 1 << 16

  /// `step` counts from 1.
  package init(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, step: Int, gradientScale: Float) {
    self.learningRate = Float(learningRate)
    self.beta1 = Float(beta1)
    self.beta2 = Float(beta2)
    self.epsilon = Float(epsilon)
    self.gradientScale = gradientScale
    correction1 = Float(learningRate / (1 - Self.power(beta1, step)))
    rootCorrection2 = Float((1 - Self.power(beta2, step)).squareRoot())
  }

  /// Over `count` floats of each. `weightDecay` is λ.
  package func update(
    _ pool: ThreadPool, count: Int, weightDecay: Double, parameters: Floats, gradients: Floats, first: Floats, second: Floats
  ) {
    let keep = Float(1 - Double(learningRate) * weightDecay)
    pool.run(RowPartition(rows: count, rowsPerTask: Self.floatsPerTask)) { _, range in
      update(
        range.count, keep, parameters + range.lowerBound, gradients + range.lowerBound, first + range.lowerBound,
        second + range.lowerBound)
    }
  }

  @inline(__always)
  private func update(_ count: Int, _ keep: Float, _ p: Floats, _ gradient: Floats, _ first: Floats, _ second: Floats) {
    let (scale, one, two) = (gradientScale, 1 - beta1, 1 - beta2)
    for i in 0..<count {
      let g = gradient[i] * scale
      let m = beta1 * first[i] + one * g
      let v = beta2 * second[i] + two * (g * g)
      first[i] = m
      second[i] = v
      gradient[i] = 0
      p[i] = p[i] * keep - correction1 * (m / (v.squareRoot() / rootCorrection2 + epsilon))
    }
  }

  /// βⁿ by repeated squaring: the same bits everywhere.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return result
  }
}

import CKernels

/// `VectorMath` over whole arrays and rows, in C. Elementwise functions have the bits of the scalar forms.
///
/// Reductions add in one fixed order, whatever the instruction set. `sum`, `sumOfSquares` and `dot`: element i goes to lane i mod 16 of
/// accumulator (i / 16) mod 4; accumulators 0 + 1 and 2 + 3 are added, then the two sums, then the lanes by halves (l and l + 8, then + 4,
/// + 2, + 1). `logSumExp` has one accumulator of sixteen lanes.
extension VectorMath {
  /// out[i] = e^x[i]; `out` may be `x`.
  package static func exp(_ x: UnsafePointer<Float>, out: Floats, count: Int) { hl_exp(x, out, count) }

  /// out[i] = log x[i]; `out` may be `x`.
  package static func log(_ x: UnsafePointer<Float>, out: Floats, count: Int) { hl_log(x, out, count) }

  /// out[i] = x[i] · sigmoid(x[i]); `out` may be `x`.
  package static func silu(_ x: UnsafePointer<Float>, out: Floats, count: Int) { hl_silu(x, out, count) }

  /// out[i] = 1 / (1 + e^-x[i]); `out` may be `x`.
  package static func sigmoid(_ x: UnsafePointer<Float>, out: Floats, count: Int) { hl_sigmoid(x, out, count) }

  /// Σ x[i].
  package static func sum(_ x: UnsafePointer<Float>, count: Int) -> Float { hl_sum(x, count) }

  /// Σ x[i]².
  package static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Float { hl_dot(x, x, count) }

  /// Σ x[i] y[i].
  package static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float { hl_dot(x, y, count) }

  /// The largest x[i]; -∞ when there is none. NaNs are passed over.
  package static func max(_ x: UnsafePointer<Float>, count: Int) -> Float { hl_max(x, count) }

  /// log Σ e^x[i]: the maximum plus the logarithm of the sum of e^(x[i] - maximum).
  package static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Float { hl_log_sum_exp(x, count) }

  /// out[i] = e^(x[i] - logSumExp(x)), a row of probabilities; returns logSumExp(x). `out` may be `x`.
  @discardableResult
  package static func softmax(_ x: UnsafePointer<Float>, out: Floats, count: Int) -> Float { hl_softmax(x, out, count) }

  /// Numbers in a block of `sampleWeights`.
  package static let samplingBlock = hl_sampling_block

  /// What drawing from softmax(factor · x) wants, with `maximum` = factor · max x: e[i] = exp(factor · x[i] − maximum), and for each block of
  /// `samplingBlock` numbers Σ e, in `sums`. Returns Σ e of all as `SoftmaxCrossEntropy.forward` adds it. `weights` receives e; it may be
  /// nil, or x itself.
  package static func sampleWeights(
    _ x: UnsafePointer<Float>, count: Int, factor: Float, maximum: Float, sums: Floats, weights: Floats?
  ) -> Float {
    hl_sample_weights(x, count, factor, maximum, sums, weights)
  }
}

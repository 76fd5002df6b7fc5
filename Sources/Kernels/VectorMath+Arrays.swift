/// `VectorMath` over whole arrays and rows. Reductions add in one fixed order: element i goes to lane i mod 16, the lanes are then added by halves
/// (lane l and lane l + 8, and so on), so the bits do not depend on the instruction set.
extension VectorMath {
  /// out[i] = e^x[i]; `out` may be `x`.
  package static func exp(_ x: UnsafePointer<Float>, out: Floats, count: Int) { for i in 0..<count { out[i] = exp(x[i]) } }

  /// out[i] = log x[i]; `out` may be `x`.
  package static func log(_ x: UnsafePointer<Float>, out: Floats, count: Int) { for i in 0..<count { out[i] = log(x[i]) } }

  /// out[i] = x[i] · sigmoid(x[i]); `out` may be `x`.
  package static func silu(_ x: UnsafePointer<Float>, out: Floats, count: Int) { for i in 0..<count { out[i] = silu(x[i]) } }

  /// out[i] = 1 / (1 + e^-x[i]); `out` may be `x`.
  package static func sigmoid(_ x: UnsafePointer<Float>, out: Floats, count: Int) { for i in 0..<count { out[i] = sigmoid(x[i]) } }

  /// Σ x[i].
  package static func sum(_ x: UnsafePointer<Float>, count: Int) -> Float { (0..<count).reduce(0) { $0 + x[$1] } }

  /// Σ x[i]².
  package static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Float { dot(x, x, count: count) }

  /// Σ x[i] y[i].
  package static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
    (0..<count).reduce(0) { x[$1].fused(y[$1], $0) }
  }

  /// The largest x[i]; -∞ when there is none. NaNs are passed over.
  package static func max(_ x: UnsafePointer<Float>, count: Int) -> Float { (0..<count).reduce(-.infinity) { x[$1] > $0 ? x[$1] : $0 } }

  /// log Σ e^x[i]: the maximum plus the logarithm of the sum of e^(x[i] - maximum).
  package static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Float {
    let top = max(x, count: count)
    return top + log((0..<count).reduce(0) { $0 + exp(x[$1] - top) })
  }

  /// out[i] = e^(x[i] - logSumExp(x)), a row of probabilities; returns logSumExp(x). `out` may be `x`.
  @discardableResult
  package static func softmax(_ x: UnsafePointer<Float>, out: Floats, count: Int) -> Float {
    let total = logSumExp(x, count: count)
    for i in 0..<count { out[i] = exp(x[i] - total) }
    return total
  }
}

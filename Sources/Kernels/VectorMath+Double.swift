/// Double-precision functions for tables that are made once (rotary angles, schedules). No C library; a few ulp of error.
extension VectorMath {
  /// e^x. Relative error ≤ 4e-16. Below -745 0, above 709.78 +∞, NaN NaN.
  package static func exp(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > 709.782712893384 { return .infinity }
    if x < -745.2 { return 0 }
    let n = (x * 1.4426950408889634).rounded(.toNearestOrEven)
    let r = x.addingProduct(-n, 0x1.62e42fefa38p-1).addingProduct(-n, 0x1.ef35793c7673p-45)
    // Taylor to r^13 / 13!: |r| ≤ 0.347, the rest is below 5e-18.
    var p = 1.0
    for divisor in stride(from: 13.0, through: 1, by: -1) { p = 1 + p * r / divisor }
    let whole = Int(n)
    let half = whole >> 1
    return p * Double(sign: .plus, exponent: half, significand: 1) * Double(sign: .plus, exponent: whole - half, significand: 1)
  }

  /// The natural logarithm. Relative error ≤ 1e-15. 0 gives -∞, negative numbers NaN.
  package static func log(_ x: Double) -> Double {
    if x.isNaN || x == .infinity { return x }
    if x <= 0 { return x == 0 ? -.infinity : .nan }
    var exponent = Double(x.exponent)
    var m = x.significand
    if m > 1.4142135623730951 {
      m *= 0.5
      exponent += 1
    }
    // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| ≤ 0.1716: the terms to s^23 suffice.
    let f = m - 1
    let s = f / (2 + f)
    let z = s * s
    var series = 0.0
    for denominator in stride(from: 23.0, through: 3, by: -2) { series = series * z + 2 / denominator }
    let halfSquare = 0.5 * f * f
    let tail = s * (halfSquare + series * z) + exponent * 0x1.ef35793c7673p-45
    return exponent * 0x1.62e42fefa38p-1 + (f - (halfSquare - tail))
  }

  /// base^exponent for base > 0 (or 0). Relative error ≤ 2e-16 · (4 + |exponent · log base|).
  package static func pow(_ base: Double, _ exponent: Double) -> Double {
    if exponent == 0 { return 1 }
    if exponent == 1 { return base }
    return exp(exponent * log(base))
  }

  /// sin x for |x| ≤ 2²⁷. Absolute error ≤ 3e-16.
  package static func sin(_ x: Double) -> Double { quarterTurns(x, ahead: 0) }

  /// cos x for |x| ≤ 2²⁷. Absolute error ≤ 3e-16.
  package static func cos(_ x: Double) -> Double { quarterTurns(x, ahead: 1) }

  /// sin(x + ahead · π/2), by reduction to |r| ≤ π/4 with π/2 in three parts of 33 bits and a tail.
  private static func quarterTurns(_ x: Double, ahead: Int) -> Double {
    guard x.magnitude <= 0x1p27 else { return .nan }
    let n = (x * 0.6366197723675814).rounded(.toNearestOrEven)
    let r = x.addingProduct(-n, 0x1.921fb544p0).addingProduct(-n, 0x1.0b4611a6p-34).addingProduct(-n, 0x1.3198a2e037073p-69)
    let z = r * r
    let quadrant = (Int(n) &+ ahead) & 3
    // Taylor; the first terms left out are below 5e-17 at π/4.
    var value: Double
    if quadrant & 1 == 0 {
      var p = 0.0
      for i in stride(from: 16.0, through: 2, by: -2) { p = (1 + p) * -z / (i * (i + 1)) }
      value = r + r * p
    } else {
      var p = 0.0
      for i in stride(from: 18.0, through: 4, by: -2) { p = (1 + p) * -z / (i * (i - 1)) }
      let half = 0.5 * z
      value = (1 - half) - half * p
    }
    if quadrant & 2 != 0 { value = -value }
    return value
  }
}

/// Exponentials, logarithms and what is made of them, for one number: polynomials of our own in fused multiply-adds, so that the bits do
/// not depend on the C library, which picks its routines by CPU. The forms here are meant for fused loops (they are inlined, have no
/// branches, and vectorise); the forms for whole arrays and rows, with the same bits, are in `VectorMath+Arrays.swift`.
///
/// Errors are the largest seen against a Double oracle (tests hold them), in units of the last place of the Float result.
package enum VectorMath {
  /// e^x. Error ≤ 1.1 ulp, subnormal results included (there 1 ulp = 2⁻¹⁴⁹). -∞ gives 0, above 88.7228 +∞, NaN NaN.
  @inlinable @inline(__always)
  package static func exp(_ x: Float) -> Float {
    // x = n ln 2 + r, |r| ≤ ln 2 / 2; e^x = 2^n e^r. Clamping so that NaN passes.
    var x = x
    x = x > 89 ? 89 : x
    x = x < -104 ? -104 : x
    let shifted = (x * 0x1.715476p0).addingMagic
    let n = shifted - Float.roundingMagic
    let r = (-n).fused(0x1.7f7d1cp-20, (-n).fused(0x1.62e4p-1, x))
    var p: Float = 0x1.6d113cp-10
    p = p.fused(r, 0x1.120ba2p-7)
    p = p.fused(r, 0x1.55551ap-5)
    p = p.fused(r, 0x1.5554dcp-3)
    p = p.fused(r, 0.5)
    p = (p * r).fused(r, r) + 1
    // 2^n in two factors, for n may be below the smallest normal exponent or one above the largest.
    let whole = Int32(truncatingIfNeeded: Int64(shifted.bitPattern) &- Int64(Float.roundingMagic.bitPattern))
    let half = whole >> 1
    let low = Float(bitPattern: UInt32(bitPattern: (half &+ 127) &<< 23))
    let high = Float(bitPattern: UInt32(bitPattern: (whole &- half &+ 127) &<< 23))
    return (p * low) * high
  }

  /// The natural logarithm. Error ≤ 1 ulp. 0 gives -∞, negative numbers NaN, +∞ +∞, NaN NaN.
  @inlinable @inline(__always)
  package static func log(_ x: Float) -> Float {
    // x = 2^e m, m in [√½, √2); f = m - 1, s = f / (2 + f): log m = f - (f²/2 - s (f²/2 + R(s²))), the odd series of atanh.
    let tiny = x < 0x1p-126
    let scaled = tiny ? x * 0x1p25 : x
    let bits = Int32(bitPattern: scaled.bitPattern) &- 0x3f35_04f3
    let exponent = Float(bits >> 23) - (tiny ? 25 : 0)
    let m = Float(bitPattern: UInt32(bitPattern: (bits & 0x007f_ffff) &+ 0x3f35_04f3))
    let f = m - 1
    let s = f / (2 + f)
    let z = s * s
    var series: Float = 0.22222222
    series = series.fused(z, 0.2857143)
    series = series.fused(z, 0.4)
    series = series.fused(z, 0.6666667)
    let halfSquare = 0.5 * f * f
    let tail = s.fused(series.fused(z, halfSquare), exponent * 0x1.7f7d1cp-20)
    let finite = exponent.fused(0x1.62e4p-1, f - (halfSquare - tail))
    let edge = x == 0 ? -Float.infinity : (x == Float.infinity ? x : Float.nan)
    return x > 0 && x < Float.infinity ? finite : edge
  }

  /// 1 / (1 + e^-x). Error ≤ 3 ulp.
  @inlinable @inline(__always)
  package static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

  /// x · sigmoid(x). Error ≤ 3 ulp. -∞ gives NaN, as the formula does.
  @inlinable @inline(__always)
  package static func silu(_ x: Float) -> Float { x / (1 + exp(-x)) }

  /// log(1 + x) for x > -1. Error ≤ 3 ulp.
  @inlinable @inline(__always)
  package static func log1p(_ x: Float) -> Float {
    // log(u) with u = 1 + x rounded, corrected by what the rounding lost, divided by u.
    let u = 1 + x
    let lost = x - (u - 1)
    let value = log(u) + lost / u
    return u == Float.infinity ? u : (u == 1 ? x : (u > 0 ? value : log(u)))
  }
}

extension Float {
  /// 1.5 · 2²³: adding it rounds a small number to an integer, which then stands in the low bits.
  @inlinable @inline(__always)
  package static var roundingMagic: Float { 0x1.8p23 }

  @inlinable @inline(__always)
  package var addingMagic: Float { self + Float.roundingMagic }

  /// self · factor + addend with one rounding.
  @inlinable @inline(__always)
  package func fused(_ factor: Float, _ addend: Float) -> Float { addend.addingProduct(self, factor) }
}

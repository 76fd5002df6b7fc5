import Glibc
import Kernels
import Testing

@Suite("vector math")
struct VectorMathTests {
  /// Distance in units of the last place of the exact value rounded to Float (2⁻¹⁴⁹ among the subnormals).
  static func ulps(_ actual: Float, _ exact: Double) -> Double {
    let rounded = Float(exact)
    if actual == rounded { return 0 }
    if !rounded.isFinite || !actual.isFinite { return rounded.isNaN && actual.isNaN ? 0 : .infinity }
    return abs(Double(actual) - exact) / Double(rounded.ulp)
  }

  /// The worst error of `function` over `count` arguments spread evenly over `range`.
  static func worst(_ range: ClosedRange<Double>, count: Int = 400_000, _ function: (Float) -> Float, _ oracle: (Double) -> Double)
    -> Double
  {
    (0...count).reduce(0) { worst, i in
      let x = Float(range.lowerBound + (range.upperBound - range.lowerBound) * Double(i) / Double(count))
      return Swift.max(worst, ulps(function(x), oracle(Double(x))))
    }
  }

  @Test("exp is within 1.1 ulp, subnormal results included")
  func exponential() {
    #expect(Self.worst(-104...88.72, VectorMath.exp, Glibc.exp) <= 1.1)
    #expect(Self.worst(-1...1, VectorMath.exp, Glibc.exp) <= 1.1)
  }

  @Test("log is within 1 ulp, subnormal arguments included")
  func logarithm() {
    #expect(Self.worst(1e-6...4, VectorMath.log, Glibc.log) <= 1)
    #expect(Self.worst(1...1e6, VectorMath.log, Glibc.log) <= 1)
    for exponent in -149...127 {
      let x = Float(sign: .plus, exponent: exponent, significand: exponent < -126 ? 1 : 1.37)
      #expect(Self.ulps(VectorMath.log(x), Glibc.log(Double(x))) <= 1, "\(x)")
    }
  }

  @Test("log1p, sigmoid and silu are within their stated errors")
  func composed() {
    #expect(Self.worst(-0.99...3, VectorMath.log1p, Glibc.log1p) <= 3)
    #expect(Self.worst(-1e-5...1e-5, VectorMath.log1p, Glibc.log1p) <= 3)
    #expect(Self.worst(-85...85, VectorMath.sigmoid) { 1 / (1 + Glibc.exp(-$0)) } <= 3)
    #expect(Self.worst(-85...85, VectorMath.silu) { $0 / (1 + Glibc.exp(-$0)) } <= 3)
  }

  @Test("extremes come out as the functions define them")
  func extremes() {
    #expect(VectorMath.exp(-Float.infinity) == 0 && VectorMath.exp(Float(-200)) == 0 && VectorMath.exp(Float(0)) == 1)
    #expect(
      VectorMath.exp(Float.infinity) == .infinity && VectorMath.exp(Float(88.73)) == .infinity && VectorMath.exp(Float(88.72)).isFinite)
    #expect(VectorMath.exp(Float.nan).isNaN)
    #expect(VectorMath.log(Float(0)) == -.infinity && VectorMath.log(-0.0 as Float) == -.infinity && VectorMath.log(Float(1)) == 0)
    #expect(VectorMath.log(Float.infinity) == .infinity && VectorMath.log(-1 as Float).isNaN && VectorMath.log(Float.nan).isNaN)
    #expect(VectorMath.log(Float.greatestFiniteMagnitude).isFinite && VectorMath.log(Float.leastNonzeroMagnitude).isFinite)
    #expect(VectorMath.log1p(0) == 0 && VectorMath.log1p(1e-20) == 1e-20 && VectorMath.log1p(-1) == -.infinity)
    #expect(VectorMath.sigmoid(-200) == 0 && VectorMath.sigmoid(200) == 1 && VectorMath.sigmoid(.nan).isNaN)
    #expect(VectorMath.silu(-200) == 0 && VectorMath.silu(200) == 200 && VectorMath.silu(0) == 0)
  }

  @Test("array forms have the bits of the scalar forms at every length")
  func arrays() {
    for count in [0, 1, 15, 16, 17, 64, 1000] {
      let x = randomFloats(count, stream: 4)
      for i in 0..<count { x.pointer[i] *= 90 }
      if count > 3 { (x.pointer[0], x.pointer[1], x.pointer[2]) = (-.infinity, .infinity, 0) }
      func check(_ array: (UnsafePointer<Float>, Floats, Int) -> Void, _ scalar: (Float) -> Float, _ name: Comment) {
        let out = FloatBuffer(count: count)
        array(x.pointer, out.pointer, count)
        for i in 0..<count {
          let expected = scalar(x.pointer[i])
          #expect(out.pointer[i].bitPattern == expected.bitPattern || (out.pointer[i].isNaN && expected.isNaN), name)
        }
      }
      check({ VectorMath.exp($0, out: $1, count: $2) }, VectorMath.exp, "exp")
      check({ VectorMath.log($0, out: $1, count: $2) }, VectorMath.log, "log")
      check({ VectorMath.sigmoid($0, out: $1, count: $2) }, VectorMath.sigmoid, "sigmoid")
      check({ VectorMath.silu($0, out: $1, count: $2) }, VectorMath.silu, "silu")
    }
  }

  /// The stated order of `sum` and `dot`, in plain Swift.
  static func lanes(_ count: Int, _ term: (Int, Float) -> Float) -> Float {
    var sums = [Float](repeating: 0, count: 64)
    for i in 0..<count { sums[i % 64] = term(i, sums[i % 64]) }
    var lanes = (0..<16).map { lane -> Float in
      let (first, second) = (sums[lane] + sums[lane + 16], sums[lane + 32] + sums[lane + 48])
      return first + second
    }
    for width in [8, 4, 2, 1] {
      for l in 0..<width { lanes[l] += lanes[l + width] }
    }
    return lanes[0]
  }

  @Test("reductions add in the stated order")
  func reductions() {
    for count in [0, 1, 15, 16, 17, 33, 63, 64, 65, 100, 127, 128, 1000] {
      let x = randomFloats(count, stream: 5)
      let y = randomFloats(count, stream: 6)
      #expect(VectorMath.sum(x.pointer, count: count) == Self.lanes(count) { $1 + x.pointer[$0] })
      #expect(VectorMath.dot(x.pointer, y.pointer, count: count) == Self.lanes(count) { x.pointer[$0].fused(y.pointer[$0], $1) })
      #expect(VectorMath.sumOfSquares(x.pointer, count: count) == Self.lanes(count) { x.pointer[$0].fused(x.pointer[$0], $1) })
      #expect(VectorMath.max(x.pointer, count: count) == x.elements.max() ?? -.infinity)
    }
  }

  @Test("softmax and logSumExp agree with Double, at large arguments too")
  func softmax() {
    for (count, shift) in [(1, 0), (7, 0), (16, 100), (1000, -1000), (49_152, 3000)] as [(Int, Float)] {
      let x = randomFloats(count, stream: 8)
      for i in 0..<count { x.pointer[i] = x.pointer[i] * 5 + shift }
      let top = Double(x.elements.max() ?? 0)
      let exact = top + Glibc.log(x.elements.reduce(0) { $0 + Glibc.exp(Double($1) - top) })
      let out = FloatBuffer(count: count)
      let total = VectorMath.softmax(x.pointer, out: out.pointer, count: count)
      #expect(abs(Double(total) - exact) < 2e-7 * Swift.max(8, abs(exact)))
      #expect(total == VectorMath.logSumExp(x.pointer, count: count))
      let sum = out.elements.reduce(0) { $0 + Double($1) }
      #expect(abs(sum - 1) < 3e-7 * Swift.max(8, abs(exact)))
    }
    let none = FloatBuffer(count: 20)
    none.elements.update(repeating: -.infinity)
    #expect(VectorMath.logSumExp(none.pointer, count: 20) == -.infinity)
  }

  @Test("Double functions agree with the C library to the stated errors")
  func doubles() {
    for i in 0...20_000 {
      let t = Double(i) / 20_000
      let x = -700 + 1400 * t
      #expect(abs(VectorMath.exp(x) / Glibc.exp(x) - 1) < 4.5e-16)
      let y = Glibc.exp(x)
      #expect(abs(VectorMath.log(y) - Glibc.log(y)) <= 1e-15 * Swift.max(1e-3, abs(Glibc.log(y))))
      let angle = 131_072 * t
      #expect(abs(VectorMath.sin(angle) - Glibc.sin(angle)) < 3e-16)
      #expect(abs(VectorMath.cos(-angle) - Glibc.cos(angle)) < 3e-16)
      let power = VectorMath.pow(10_000, -t)
      #expect(abs(power / Glibc.pow(10_000, -t) - 1) < 2e-16 * (4 + 9.3 * t))
    }
    #expect(VectorMath.exp(-1000.0) == 0 && VectorMath.exp(710.0) == .infinity && VectorMath.exp(Double.nan).isNaN)
    #expect(VectorMath.log(0.0) == -Double.infinity && VectorMath.log(-1.0).isNaN && VectorMath.log(1.0) == 0)
    #expect(VectorMath.sin(0) == 0 && VectorMath.cos(0) == 1 && VectorMath.pow(2, 10) == 1024)
  }
}

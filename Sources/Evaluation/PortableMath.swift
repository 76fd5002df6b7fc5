/// Functions whose bits do not depend on the machine: the C library's differ in the last bit with the CPU it picks them for.
package enum PortableMath {
  package static let ln2 = 0.693147180559945309417

  /// eˣ = 2ᵏ·eʳ with |r| ≤ ln 2 / 2, eʳ by its Taylor series to the 17th power; within 2 ulp for |x| < 700.
  package static func exp(_ x: Double) -> Double {
    guard x.isFinite, x.magnitude < 745 else { return x.isNaN ? x : (x > 0 ? .infinity : 0) }
    let k = (x / ln2).rounded()
    // ln 2 in two parts, so that k·ln 2 is exact in the first.
    let r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    let series = stride(from: 17.0, through: 1, by: -1).reduce(1) { sum, n in 1 + sum * r / n }
    return series * Double(sign: .plus, exponent: Int(k), significand: 1)
  }
}

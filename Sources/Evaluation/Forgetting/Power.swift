/// How small a drop a suite can show.
package enum Power {
  /// The drop that a paired comparison of `count` records finds in 80 % of cases: (z(1 − (1 − c)/2k) + z(0.8)) · √(share / n).
  ///
  /// - Parameters:
  ///   - changedShare: the share of records whose score differs between the two models.
  ///   - confidence: c, of the two-sided interval.
  ///   - comparisons: k, where the comparison is with the best of k models.
  package static func smallestDetectableDrop(
    count: Int, changedShare: Double, confidence: Double = 0.95, comparisons: Int = 1, power: Double = 0.8
  ) -> Double {
    let bound = StandardNormal.quantile(1 - (1 - confidence) / 2 / Double(comparisons))
    return min(1, (bound + StandardNormal.quantile(power)) * (changedShare / Double(count)).squareRoot())
  }
}

/// The standard normal distribution, the same bits on every machine.
enum StandardNormal {
  /// Φ(x) = ½ + φ(x) · Σ x²ⁿ⁺¹ / (1·3·5···(2n+1))
  static func cumulative(_ x: Double) -> Double {
    guard x.magnitude < 9 else { return x < 0 ? 0 : 1 }
    var term = x
    var sum = x
    var n = 1.0
    while term.magnitude > 1e-18 * sum.magnitude {
      n += 2
      term *= x * x / n
      sum += term
    }
    return 0.5 + sum * PortableMath.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
  }

  /// Φ⁻¹ by halving, for shares strictly between 0 and 1; within 1e-12 for those between 1e-4 and 1 − 1e-4.
  static func quantile(_ share: Double) -> Double {
    var (low, high) = (-9.0, 9.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if cumulative(middle) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

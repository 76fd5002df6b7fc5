/// A value with its standard error, where one can be had.
package struct Estimate: Sendable, Equatable {
  package let value: Double
  package let standardError: Double?

  package init(value: Double, standardError: Double?) {
    self.value = value
    self.standardError = standardError
  }

  /// Mean, and sample standard deviation (n − 1) over √n; one value has no error.
  package static func mean(_ values: [Double]) -> Estimate {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    guard values.count > 1 else { return Estimate(value: mean, standardError: nil) }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return Estimate(value: mean, standardError: (squares / (count - 1) / count).squareRoot())
  }

  /// Σa / Σb with the error of a ratio, linearised: √(n/(n−1) · Σ(aᵢ − r·bᵢ)²) / Σb.
  package static func ratio(_ numerators: [Double], _ denominators: [Double]) -> Estimate {
    let total = denominators.reduce(0, +)
    let ratio = numerators.reduce(0, +) / total
    let count = Double(numerators.count)
    guard numerators.count > 1 else { return Estimate(value: ratio, standardError: nil) }
    let squares = zip(numerators, denominators).reduce(0) { sum, pair in
      let residual = pair.0 - ratio * pair.1
      return sum + residual * residual
    }
    return Estimate(value: ratio, standardError: (count / (count - 1) * squares).squareRoot() / total)
  }

  /// exp of the estimate; the error to first order.
  var exponential: Estimate {
    let value = PortableMath.exp(value)
    return Estimate(value: value, standardError: standardError.map { $0 * value })
  }
}

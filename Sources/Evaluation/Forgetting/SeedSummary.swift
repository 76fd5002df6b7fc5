/// What several seeds say together.
package struct SeedSummary: Sendable, Equatable {
  package let mean: Double
  /// With n − 1; nil for one seed.
  package let standardDeviation: Double?
  package let count: Int

  package init(_ values: [Double]) {
    let mean = values.mean
    count = values.count
    self.mean = mean
    standardDeviation =
      values.count > 1 ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
  }
}

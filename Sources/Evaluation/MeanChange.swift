/// The mean over suites of the change between two models, and where it lies: the records of each suite are resampled apart.
package struct MeanChange: Sendable, Equatable {
  /// One suite: the scores of its records, and the change of the suite's own score.
  package struct Part: Sendable {
    package let before: [Double]
    package let after: [Double]
    package let difference: Double

    package init(before: [Double], after: [Double], difference: Double) {
      (self.before, self.after, self.difference) = (before, after, difference)
    }
  }

  package let difference: Double
  package let low: Double
  package let high: Double

  package init(_ parts: [Part], scale: Double = 1, confidence: Double, samples: Int, seed: UInt64) {
    precondition(!parts.isEmpty, "a mean needs a suite")
    let resamples = parts.enumerated().map { index, part in
      Bootstrap.resampledMeans(zip(part.after, part.before).map { $0 - $1 }, samples: samples, seed: seed &+ UInt64(index))
    }
    var sums = (0..<samples).map { sample in resamples.reduce(0) { $0 + $1[sample] } / Double(parts.count) * scale }
    sums.sort()
    let tail = (1 - confidence) / 2
    difference = parts.map(\.difference).mean * scale
    low = Bootstrap.quantile(sums, tail)
    high = Bootstrap.quantile(sums, 1 - tail)
  }

  package var isOutsideNoise: Bool { low > 0 || high < 0 }
}

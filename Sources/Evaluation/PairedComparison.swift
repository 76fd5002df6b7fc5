import Datasets

/// Two models on the same records, record by record: what one got right and the other did not, and whether the difference is more than noise.
///
/// Where `after` is compared with the best of k earlier models, best by the same records, the difference looks larger than it is. Such a
/// comparison stands for k of them: its interval has confidence 1 − (1 − c)/k and its p-value counts k times (Bonferroni), so the chance
/// that any of the k is called a change without being one stays 1 − c, however the best was picked.
package struct PairedComparison: Sendable, Equatable {
  /// after − before, the mean over the records.
  package let difference: Double
  /// Where the difference lies (percentile bootstrap over records).
  package let interval: ClosedRange<Double>
  /// Records whose score fell, and whose score rose.
  package let fell: [Int]
  package let rose: [Int]
  /// Two-sided exact McNemar over the records that changed, as if this were the only comparison.
  package let pValue: Double
  /// How many comparisons this one was picked from.
  package let comparisons: Int
  package let confidence: Double
  /// Whether all scores are 0 and 1, which McNemar's test is for.
  package let isBinary: Bool

  /// - Parameters:
  ///   - before: scores by record; 0 and 1, or anything where more is better.
  ///   - after: of the same records in the same order.
  ///   - comparisons: how many models `before` was picked from as the best.
  package init(
    before: [Double], after: [Double], samples: Int = 10_000, seed: UInt64 = 0, confidence: Double = 0.95, comparisons: Int = 1
  ) {
    precondition(before.count == after.count && !before.isEmpty, "\(before.count) records before, \(after.count) after")
    let differences = zip(after, before).map { $0 - $1 }
    difference = differences.reduce(0, +) / Double(differences.count)
    fell = differences.indices.filter { differences[$0] < 0 }
    rose = differences.indices.filter { differences[$0] > 0 }
    pValue = McNemar.pValue(fell.count, rose.count)
    isBinary = (before + after).allSatisfy { $0 == 0 || $0 == 1 }
    self.confidence = confidence
    self.comparisons = comparisons
    interval = Bootstrap.interval(
      count: differences.count, samples: samples, confidence: 1 - (1 - confidence) / Double(comparisons), seed: seed
    ) { places in
      places.reduce(0) { $0 + differences[$1] } / Double(places.count)
    }
  }

  /// 0 does not lie in the interval and, of right and wrong answers, McNemar's test agrees: with few changes the bootstrap is too bold.
  package var isOutsideNoise: Bool {
    !interval.contains(0) && (!isBinary || min(1, pValue * Double(comparisons)) <= 1 - confidence)
  }

  package var verdict: Verdict {
    if difference == 0 { return .same }
    guard isOutsideNoise else { return .withinNoise }
    return difference < 0 ? .forgetting : .gain
  }

  /// What may be said of a difference. A drop that noise explains is never called forgetting.
  package enum Verdict: String, Sendable {
    case forgetting
    case gain
    case withinNoise = "within noise"
    case same
  }
}

/// McNemar's exact test: of n records that changed, how unlikely a split this uneven is when both ways are equally likely.
package enum McNemar {
  /// min(1, 2 · Σ_{i ≤ min(b, c)} C(n, i) / 2ⁿ) with n = b + c.
  package static func pValue(_ b: Int, _ c: Int) -> Double {
    let n = b + c
    let few = min(b, c)
    var term = 1.0
    var sum = 1.0
    var exponent = -n
    for i in stride(from: 1, through: few, by: 1) {
      term *= Double(n - i + 1) / Double(i)
      sum += term
      if sum > 0x1p500 {
        term *= 0x1p-500
        sum *= 0x1p-500
        exponent += 500
      }
    }
    return min(1, 2 * sum * Double(sign: .plus, exponent: exponent, significand: 1))
  }
}

/// The percentile bootstrap, seeded: the same records give the same interval.
package enum Bootstrap {
  /// The central `confidence` share of a statistic over resamples of the records.
  ///
  /// - Parameter statistic: of the records at these places, drawn with replacement.
  package static func interval(
    count: Int, samples: Int, confidence: Double = 0.95, seed: UInt64, _ statistic: ([Int]) -> Double
  ) -> ClosedRange<Double> {
    var random = CounterRandom(seed: seed, "bootstrap")
    var places = [Int](repeating: 0, count: count)
    var values = (0..<samples).map { _ in
      for index in places.indices { places[index] = random.below(count) }
      return statistic(places)
    }
    values.sort()
    let tail = (1 - confidence) / 2
    return quantile(values, tail)...quantile(values, 1 - tail)
  }

  /// Between the two nearest of sorted values, in proportion.
  package static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place.rounded(.down))
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

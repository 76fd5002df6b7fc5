import Kernels

/// Which tokens `top_k`, `top_p` and `min_p` leave, as one cut through the order of the probabilities (ties by id). Works on probabilities
/// relative to the likeliest token, whose weight is 1; the float's bits, cut to the exponent and three more, number the buckets of a
/// histogram, and only the bucket that a cut falls into is sorted.
struct Truncation {
  private let settings: SamplingSettings

  /// Kept: weights above `weight`, and those equal to it up to token `lastTie`.
  struct Cut {
    var weight: Float
    var lastTie: Int
  }

  init(_ settings: SamplingSettings) { self.settings = settings }

  func cut(_ weights: Floats, _ count: Int) -> Cut {
    var cut = Cut(weight: 0, lastTie: count)
    if settings.topK > 0, settings.topK < count { cut.weight = largest(settings.topK, weights, count) }
    if settings.topP < 1 { cut = nucleus(weights, count, above: cut.weight) }
    if settings.minP > 0, Float(settings.minP) > cut.weight { cut = Cut(weight: Float(min(1, settings.minP)), lastTie: count) }
    return cut
  }

  // MARK: - Buckets

  private static let buckets = bucket(1) + 1

  private static func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> 20) }

  /// The k-th largest weight.
  private func largest(_ k: Int, _ weights: Floats, _ count: Int) -> Float {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.buckets) { numbers in
      numbers.initialize(repeating: 0)
      for i in 0..<count { numbers[Self.bucket(weights[i])] += 1 }
      var above = 0
      var bucket = Self.buckets - 1
      while bucket > 0, above + Int(numbers[bucket]) < k {
        above += Int(numbers[bucket])
        bucket -= 1
      }
      let sorted = members(of: bucket, weights, count).map { weights[$0] }.sorted(by: >)
      return sorted[k - above - 1]
    }
  }

  /// The fewest tokens, likeliest first, whose mass reaches `topP` of the mass of all tokens of at least the weight `above`.
  private func nucleus(_ weights: Floats, _ count: Int, above least: Float) -> Cut {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.buckets) { masses in
      masses.initialize(repeating: 0)
      for i in 0..<count { masses[Self.bucket(weights[i])] += weights[i] >= least ? Double(weights[i]) : 0 }
      let wanted = settings.topP * masses.reversed().reduce(0, +)
      var ahead = 0.0
      var bucket = Self.buckets - 1
      while bucket > 0, ahead + masses[bucket] < wanted {
        ahead += masses[bucket]
        bucket -= 1
      }
      // Empty only where rounding leaves `wanted` above all there is: then everything is kept.
      let sorted = members(of: bucket, weights, count).filter { weights[$0] >= least && weights[$0] > 0 }
        .sorted { weights[$0] > weights[$1] || (weights[$0] == weights[$1] && $0 < $1) }
      guard var last = sorted.first else { return Cut(weight: least, lastTie: count) }
      for token in sorted {
        if ahead >= wanted, token != sorted[0] { break }
        ahead += Double(weights[token])
        last = token
      }
      return Cut(weight: weights[last], lastTie: last)
    }
  }

  private func members(of bucket: Int, _ weights: Floats, _ count: Int) -> [Int] {
    var members: [Int] = []
    for i in 0..<count where Self.bucket(weights[i]) == bucket { members.append(i) }
    return members
  }
}

import JSONValues

/// How long things are: the least, the mean, percentiles, the most.
package struct LengthSummary: Sendable, Equatable {
  /// Sorted.
  package let lengths: [Int]

  package init(_ lengths: some Sequence<Int>) { self.lengths = lengths.sorted() }

  package var total: Int { lengths.reduce(0, +) }

  /// The smallest length that at least this share does not exceed (nearest rank).
  package func percentile(_ share: Double) -> Int {
    guard !lengths.isEmpty else { return 0 }
    let rank = Int((share * Double(lengths.count)).rounded(.up))
    return lengths[max(1, min(rank, lengths.count)) - 1]
  }

  package static let shares = [50, 90, 95, 99]

  package var mean: Double { lengths.isEmpty ? 0 : Double(total) / Double(lengths.count) }

  package var json: JSONValue {
    let percentiles = Self.shares.map { ("p\($0)", JSONValue.integer(percentile(Double($0) / 100))) }
    return .object(
      JSONObject(
        [("min", .integer(lengths.first ?? 0)), ("mean", .number(mean))] + percentiles + [("max", .integer(lengths.last ?? 0))]))
  }
}

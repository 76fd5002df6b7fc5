import JSONValues

/// What a table of tokens holds and what did not make it in: `statistics.json`.
package struct TokenStatistics: Sendable, Equatable {
  package let summary: LengthSummary
  package let trainedTokens: Int
  /// Records cut at `max_length`.
  package var truncated = 0
  /// Texts that became several records.
  package var split = 0
  /// Reason -> the lines that were dropped for it, in order.
  package var dropped: [(reason: String, lines: [Int])] = []

  package init(_ table: TokenizedRecords) {
    summary = LengthSummary((0..<table.count).map(table.length))
    trainedTokens = table.trainedCount
  }

  package static func == (left: Self, right: Self) -> Bool { left.json == right.json }

  package var lengths: [Int] { summary.lengths }

  /// Records of length in (upper/2, upper], by upper = 1, 2, 4, …
  package var histogram: [(upper: Int, records: Int)] {
    var bins: [(upper: Int, records: Int)] = []
    var upper = 1
    var index = 0
    while index < lengths.count {
      let end = lengths[index...].firstIndex { $0 > upper } ?? lengths.count
      if end > index || !bins.isEmpty { bins.append((upper, end - index)) }
      index = end
      upper *= 2
    }
    return bins
  }

  package var json: JSONValue {
    let reasons = dropped.map { entry in
      JSONValue.object(
        JSONObject([
          ("reason", .string(entry.reason)), ("records", .integer(entry.lines.count)),
          ("first_lines", .array(entry.lines.prefix(5).map { .integer($0) })),
        ]))
    }
    return .object(
      JSONObject([
        ("records", .integer(lengths.count)), ("tokens", .integer(summary.total)), ("trained_tokens", .integer(trainedTokens)),
        ("truncated", .integer(truncated)), ("split", .integer(split)), ("dropped", .integer(dropped.reduce(0) { $0 + $1.lines.count })),
        ("dropped_reasons", .array(reasons)), ("length", summary.json),
        ("length_histogram", .array(histogram.map { ["up_to": .integer($0.upper), "records": .integer($0.records)] })),
      ]))
  }
}

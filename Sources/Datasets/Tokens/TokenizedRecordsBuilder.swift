/// Puts encoded records together and counts what happens to them: cut, split, dropped.
package struct TokenizedRecordsBuilder: Sendable {
  /// What becomes of a record beyond `max_length`.
  package enum Overflow: String, Sendable, CaseIterable {
    case error
    /// Its end is cut off.
    case truncate
    /// It becomes several records of at most that length; for plain text.
    case split
    case drop
  }

  /// What becomes of a record that cannot be encoded.
  package enum Fault: String, Sendable, CaseIterable { case error, drop }

  package let encoder: RecordEncoder
  package let maxLength: Int?
  package let overflow: Overflow
  package let fault: Fault
  private var records = TokenizedRecords()
  private var truncated = 0
  private var split = 0
  private var dropped: [(reason: String, lines: [Int])] = []

  package init(_ encoder: RecordEncoder, maxLength: Int?, overflow: Overflow = .error, fault: Fault = .error) {
    self.encoder = encoder
    self.maxLength = maxLength
    self.overflow = overflow
    self.fault = fault
  }

  /// Errors have no place; whoever reads the file knows it (`RecordFile.read` adds it).
  package mutating func add(_ record: Record, line: Int) throws(DatasetError) {
    do throws(DatasetError) {
      try append(try encoder.encode(record), line)
    } catch {
      guard fault == .drop else { throw error }
      drop(error.message, line)
    }
  }

  package consuming func finish() throws(DatasetError) -> (records: TokenizedRecords, statistics: TokenStatistics) {
    guard records.count > 0 else {
      let reason = dropped.first.map { "; the first was dropped because \($0.reason)" } ?? ""
      throw DatasetError("no record is left to train on\(reason)")
    }
    var statistics = TokenStatistics(records)
    statistics.truncated = truncated
    statistics.split = split
    statistics.dropped = dropped
    return (records, statistics)
  }

  private mutating func append(_ encoded: RecordEncoder.Encoded, _ line: Int) throws(DatasetError) {
    guard let limit = maxLength, encoded.ids.count > limit else {
      records.append(ids: encoded.ids, trained: encoded.trained)
      return
    }
    switch overflow {
    case .error: throw DatasetError("the record has \(encoded.ids.count) tokens, more than max_length \(limit)")
    case .drop: drop("it has more than \(limit) tokens", line)
    case .truncate:
      let trained = Array(encoded.trained.prefix(limit))
      guard trained.dropFirst().contains(true) else { return drop("no trained token is left within \(limit) tokens", line) }
      truncated += 1
      records.append(ids: Array(encoded.ids.prefix(limit)), trained: trained)
    case .split:
      split += 1
      for start in stride(from: 0, to: encoded.ids.count, by: limit) {
        let range = start..<min(start + limit, encoded.ids.count)
        guard encoded.trained[range].dropFirst().contains(true) else { continue }
        records.append(ids: Array(encoded.ids[range]), trained: Array(encoded.trained[range]))
      }
    }
  }

  private mutating func drop(_ reason: String, _ line: Int) {
    if let index = dropped.firstIndex(where: { $0.reason == reason }) {
      dropped[index].lines.append(line)
    } else {
      dropped.append((reason, [line]))
    }
  }
}

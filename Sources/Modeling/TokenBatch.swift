/// Records of token ids laid end to end, without padding; positions restart with each record. Knows nothing of text or targets.
package struct TokenBatch: Sendable {
  package private(set) var tokens: [Int32] = []
  /// Record r is `tokens[offsets[r]..<offsets[r + 1]]`.
  package private(set) var offsets: [Int] = [0]
  /// Of each token within its record.
  package private(set) var positions: [Int32] = []

  package init() {}

  package init(_ records: some Sequence<[Int32]>) {
    for record in records { append(record) }
  }

  /// Empty records are left out: they have no token that anything could be computed for.
  package mutating func append(_ record: [Int32]) {
    guard !record.isEmpty else { return }
    tokens += record
    positions += 0..<Int32(record.count)
    offsets.append(tokens.count)
  }

  package var count: Int { tokens.count }
  package var records: Int { offsets.count - 1 }
  package var longestRecord: Int { zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0 }
}

/// The predictions a loss or a score looks at: the hidden state of `rows[i]` predicts `tokens[i]`.
package struct Targets: Sendable {
  package private(set) var rows: [Int32] = []
  package private(set) var tokens: [Int32] = []

  package init() {}

  package mutating func append(row: Int, token: Int32) {
    rows.append(Int32(row))
    tokens.append(token)
  }

  package var count: Int { rows.count }

  /// Every token but each record's first.
  package static func all(of batch: TokenBatch) -> Targets {
    var targets = Targets()
    for record in 0..<batch.records {
      for row in batch.offsets[record]..<batch.offsets[record + 1] - 1 { targets.append(row: row, token: batch.tokens[row + 1]) }
    }
    return targets
  }
}

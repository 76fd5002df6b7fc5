/// The predictions a loss or a score looks at: the hidden state of `rows[i]` predicts `tokens[i]`. Several may look at one row, as the
/// first tokens of a prompt's continuations do.
package struct Targets: Sendable {
  package private(set) var rows: [Int32] = []
  package private(set) var tokens: [Int32] = []

  package init() {}

  package mutating func append(row: Int, token: Int32) {
    rows.append(Int32(row))
    tokens.append(token)
  }

  package var count: Int { rows.count }

  /// Every token but those at position 0.
  package static func all(of batch: TokenBatch) -> Targets {
    var targets = Targets()
    for record in 0..<batch.records {
      let rows = batch.offsets[record]..<batch.offsets[record + 1]
      if let before = batch.rowBefore(record: record) { targets.append(row: before, token: batch.tokens[rows.lowerBound]) }
      for row in rows.dropLast() { targets.append(row: row, token: batch.tokens[row + 1]) }
    }
    return targets
  }

  /// Adds a prompt to `batch`, and every token of its completions to the targets; the targets of each completion are returned. A
  /// completion's last token predicts nothing, so it gets no row: one of n tokens costs n − 1 rows.
  package mutating func append(prompt: [Int32], completions: [[Int32]], to batch: inout TokenBatch) -> [Range<Int>] {
    precondition(!prompt.isEmpty, "a prompt without tokens predicts nothing")
    let group = batch.append(prompt: prompt, continuations: completions.map { Array($0.dropLast()) })
    return zip(completions, group.continuations).map { completion, rows in
      let start = count
      for (index, token) in completion.enumerated() {
        append(row: index == 0 ? group.prompt.upperBound - 1 : rows.lowerBound + index - 1, token: token)
      }
      return start..<count
    }
  }
}

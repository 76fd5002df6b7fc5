import Kernels

/// Records of token ids laid end to end, without padding. A record begins at position 0, or it goes on from another one, its prompt, whose
/// rows are there once for all that continue it. Knows nothing of text or targets.
package struct TokenBatch: Sendable {
  package private(set) var tokens: [Int32] = []
  /// Record r is `tokens[offsets[r]..<offsets[r + 1]]`.
  package private(set) var offsets: [Int] = [0]
  /// The record that record r goes on from: r itself where it begins at position 0.
  package private(set) var prompts: [Int] = []
  /// Of each token: within its record, or counted from the start of the record's prompt.
  package private(set) var positions: [Int32] = []

  package init() {}

  package init(_ records: some Sequence<[Int32]>) {
    for record in records { append(record) }
  }

  /// Where the rows of a prompt and of its continuations lie.
  package struct Group: Sendable, Equatable {
    package let prompt: Range<Int>
    /// One each, in order; empty for an empty continuation.
    package let continuations: [Range<Int>]
  }

  /// Empty records are left out: they have no token that anything could be computed for.
  package mutating func append(_ record: [Int32]) { append(record, after: nil) }

  /// The prompt's rows once, then each continuation's, which come after the prompt and know nothing of one another. What is computed for a
  /// continuation has the bits of prompt and continuation as one record.
  @discardableResult
  package mutating func append(prompt: [Int32], continuations: [[Int32]]) -> Group {
    let record = prompt.isEmpty ? nil : records
    let start = count
    append(prompt, after: nil)
    let rows = start..<count
    return Group(
      prompt: rows,
      continuations: continuations.map { continuation in
        let start = count
        append(continuation, after: record)
        return start..<count
      })
  }

  private mutating func append(_ record: [Int32], after prompt: Int?) {
    guard !record.isEmpty else { return }
    let first = prompt.map { Int32(offsets[$0 + 1] - offsets[$0]) } ?? 0
    prompts.append(prompt ?? records)
    tokens += record
    positions += first..<first + Int32(record.count)
    offsets.append(tokens.count)
  }

  package var count: Int { tokens.count }
  package var records: Int { offsets.count - 1 }
  var attentionRecords: AttentionRecords { AttentionRecords(offsets: offsets, prompts: prompts) }
  /// Tokens from position 0 to the end of the longest record, prompt and all.
  package var longestSequence: Int { Int(positions.max() ?? -1) + 1 }

  /// The row before a record's first: the last of its prompt, if it has one.
  package func rowBefore(record: Int) -> Int? { prompts[record] == record ? nil : offsets[prompts[record] + 1] - 1 }
}

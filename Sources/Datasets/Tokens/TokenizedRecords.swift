/// Records as token ids, end to end: what `tokenize` makes and training reads. Knows nothing of text.
package struct TokenizedRecords: Sendable, Equatable {
  /// Ids of all records, one after the other; (T).
  package private(set) var ids: [Int32] = []
  /// 1 where the token is a target of the loss, else 0; (T). A record's first token has nothing before it and is never a target.
  package private(set) var trained: [UInt8] = []
  /// Where each record starts, and T at the end; (records + 1).
  package private(set) var offsets: [Int] = [0]

  package init() {}

  package var count: Int { offsets.count - 1 }
  package var tokenCount: Int { ids.count }
  package var trainedCount: Int { trained.reduce(0) { $0 + Int($1) } }

  /// The places of one record's tokens in `ids` and `trained`.
  package func range(_ record: Int) -> Range<Int> { offsets[record]..<offsets[record + 1] }

  package func length(_ record: Int) -> Int { offsets[record + 1] - offsets[record] }

  /// - Parameter trained: as many as `ids`.
  package mutating func append(ids: [Int32], trained: [Bool]) {
    precondition(ids.count == trained.count && !ids.isEmpty, "a record has \(ids.count) ids and \(trained.count) flags")
    self.ids += ids
    self.trained += trained.enumerated().map { $0.offset > 0 && $0.element ? 1 : 0 }
    offsets.append(self.ids.count)
  }

  /// Appends the records of another table: a mixture is a table put together from others.
  package mutating func append(_ other: TokenizedRecords, records: some Sequence<Int>) {
    for record in records {
      ids += other.ids[other.range(record)]
      trained += other.trained[other.range(record)]
      offsets.append(ids.count)
    }
  }

  /// - Throws: where the three do not fit together.
  init(ids: [Int32], trained: [UInt8], offsets: [Int]) throws(DatasetError) {
    guard ids.count == trained.count else { throw DatasetError("'trained' has \(trained.count) entries where 'ids' has \(ids.count)") }
    guard offsets.first == 0, offsets.last == ids.count else { throw DatasetError("'offsets' must run from 0 to \(ids.count)") }
    for (record, (start, end)) in zip(offsets, offsets.dropFirst()).enumerated() where end <= start {
      throw DatasetError("'offsets' must grow: record \(record) goes from \(start) to \(end)")
    }
    if let wrong = ids.firstIndex(where: { $0 < 0 }) { throw DatasetError("'ids' has a negative token \(ids[wrong]) at \(wrong)") }
    if let wrong = trained.firstIndex(where: { $0 > 1 }) {
      throw DatasetError("'trained' has \(trained[wrong]) at \(wrong); only 0 and 1 are known")
    }
    (self.ids, self.trained, self.offsets) = (ids, trained, offsets)
  }

  /// Refuses tokens that a model of this vocabulary does not have, and records beyond its context.
  package func check(vocabularySize: Int, contextLength: Int) throws(DatasetError) {
    for record in 0..<count {
      guard length(record) <= contextLength else {
        throw DatasetError("record \(record + 1) has \(length(record)) tokens, the model's context \(contextLength)")
      }
    }
    if let wrong = ids.firstIndex(where: { $0 >= vocabularySize }) {
      throw DatasetError(
        "token \(ids[wrong]) is beyond the model's vocabulary of \(vocabularySize): the tokens were made with another tokenizer")
    }
  }
}

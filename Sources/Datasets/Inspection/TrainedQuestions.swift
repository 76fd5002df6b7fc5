/// What tables of tokens ask, where training has nothing else: the text before the trained tokens. Of a conversation each turn counts for
/// itself as well, so that a system turn or a template around a question does not hide it.
package struct TrainedQuestions: Sendable {
  /// Each beside the record that it is of.
  let texts: [(text: ComparableText, record: Int)]
  /// Records that train the prompt too, so that nothing says where it ends: only those that begin with a question's tokens are found.
  let whole: [(ids: [Int32], record: Int)]

  package init(_ tables: [TokenizedRecords], _ codec: TextCodec) {
    var texts: [(text: ComparableText, record: Int)] = []
    var whole: [(ids: [Int32], record: Int)] = []
    var marks = MarkTokens(codec)
    var number = 0
    for table in tables {
      for record in 0..<table.count {
        let range = table.range(record)
        let ids = Array(table.ids[range])
        let start = table.trained[range].firstIndex { $0 != 0 }.map { $0 - range.lowerBound } ?? ids.count
        if start <= 1 { whole.append((ids, number)) }
        let prompt = Array(ids.prefix(start))
        texts.append((ComparableText(codec.decode(prompt)), number))
        for turn in marks.turns(prompt) { texts.append((ComparableText(turn), number)) }
        number += 1
      }
    }
    self.texts = texts
    self.whole = whole
  }
}

/// Tells the tokens that stand for the form of a conversation: they decode to nothing.
private struct MarkTokens {
  private let codec: TextCodec
  private var known: [Int32: Bool] = [:]

  init(_ codec: TextCodec) { self.codec = codec }

  /// The texts between marks, where there are any; a turn begins with its role on a line of its own, so that without it as well.
  mutating func turns(_ ids: [Int32]) -> [String] {
    var turns: [[Int32]] = [[]]
    for id in ids {
      let isMark = known[id] ?? codec.decode([id]).isEmpty
      known[id] = isMark
      if isMark { turns.append([]) } else { turns[turns.count - 1].append(id) }
    }
    guard turns.count > 1 else { return [] }
    return turns.filter { !$0.isEmpty }.map(codec.decode).flatMap { turn in
      turn.firstIndex(of: "\n").map { [turn, String(turn[turn.index(after: $0)...])] } ?? [turn]
    }
  }
}

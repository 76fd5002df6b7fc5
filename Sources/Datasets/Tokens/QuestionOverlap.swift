/// Which questions a training set asks: tells how much of a suite it holds. A suite that watches for forgetting, or stands for what is new,
/// says nothing once its questions are trained on.
///
/// Two questions are the same when their texts are, but for case and white space. Texts are taken from tokens by decoding what comes before
/// the trained tokens; of a conversation each turn counts for itself, so a system turn or a template around the question hides nothing.
package struct QuestionOverlap: Sendable {
  private var known: Set<UInt64> = []
  /// Tokens that decode to nothing: the marks around turns.
  private var marks: [Int32: Bool] = [:]

  package init() {}

  package mutating func insert(_ table: TokenizedRecords, _ codec: TextCodec) {
    for record in 0..<table.count {
      let range = table.range(record)
      let first = table.trained[range].firstIndex { $0 != 0 } ?? range.upperBound
      // Plain text is trained from its first token on: there the text itself is the question.
      let ids = Array(table.ids[range.lowerBound..<(first > range.lowerBound + 1 ? first : range.upperBound)])
      insert(ids, codec)
    }
  }

  /// - Parameter asked: the prompt as the model reads it, without its marks.
  package mutating func insert(_ record: Record, asked: String) {
    if let text = Self.text(of: record) { insert(text) }
    insert(asked)
  }

  private mutating func insert(_ text: String) { if let key = Self.key(text) { known.insert(key) } }

  private mutating func insert(_ ids: [Int32], _ codec: TextCodec) {
    insert(codec.decode(ids))
    for turn in turns(ids, codec) {
      insert(turn)
      // A turn begins with its role on a line of its own.
      if let line = turn.firstIndex(of: "\n") { insert(String(turn[turn.index(after: line)...])) }
    }
  }

  /// What stands between special tokens, which decode to nothing.
  private mutating func turns(_ ids: [Int32], _ codec: TextCodec) -> [String] {
    var turns: [[Int32]] = [[]]
    for id in ids {
      let isMark = marks[id] ?? codec.decode([id]).isEmpty
      marks[id] = isMark
      if isMark { turns.append([]) } else { turns[turns.count - 1].append(id) }
    }
    return turns.count > 1 ? turns.filter { !$0.isEmpty }.map(codec.decode) : []
  }

  /// How many of the suite's questions are among them, as the record has them or as `asked` puts them.
  package func count(of suite: Suite, asked: (Record) -> String?) -> Int {
    suite.records.count { record in contains(Self.text(of: record)) || contains(asked(record)) }
  }

  private static func text(of record: Record) -> String? {
    guard let prompt = record.prompt else {
      if case .text(let text) = record.content { return text }
      return nil
    }
    return switch prompt {
    case .text(let text): text
    // The last turn that is not an answer asks.
    case .messages(let messages): messages.last { $0.role != "assistant" }?.content
    }
  }

  private func contains(_ text: String?) -> Bool { text.flatMap(Self.key).map(known.contains) ?? false }

  /// Nil for a text of white space.
  private static func key(_ text: String) -> UInt64? {
    let words = text.lowercased().split(whereSeparator: \.isWhitespace)
    return words.isEmpty ? nil : StableHash.of(Array(words.joined(separator: " ").utf8))
  }
}

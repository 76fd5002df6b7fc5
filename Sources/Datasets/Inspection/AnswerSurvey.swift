import JSONValues

/// How the answers of a dataset are distributed. One answer that is right too often is a way to score without the skill.
package struct AnswerSurvey: Sendable, Equatable {
  package struct Answer: Sendable, Equatable {
    package let text: String
    package let records: Int
  }

  /// The most frequent first, of equals the one that came first.
  package let answers: [Answer]
  /// Records without one.
  package let missing: Int

  /// A record's answer is its first one without white space at its ends; of multiple choice the letter of the right choice.
  package init(_ records: [Record]) {
    var counts: [ByteString: (records: Int, first: Int)] = [:]
    var missing = 0
    for (index, record) in records.enumerated() {
      guard let answer = Self.answer(record) else {
        missing += 1
        continue
      }
      counts[ByteString(answer), default: (0, index)].records += 1
    }
    answers = counts.sorted { (-$0.value.records, $0.value.first) < (-$1.value.records, $1.value.first) }
      .map { Answer(text: $0.key.text, records: $0.value.records) }
    self.missing = missing
  }

  private static func answer(_ record: Record) -> String? {
    if let gold = record.gold { return gold < 26 ? String(UnicodeScalar(UInt8(65 + gold))) : String(gold) }
    return record.expectedAnswers.first?.withoutOuterSpace
  }

  package var count: Int { answers.reduce(0) { $0 + $1.records } }

  /// The share of the most frequent one; nil where there is none.
  package var mostFrequentShare: Double? { answers.first.map { Double($0.records) / Double(count) } }
}

import Datasets
import JSONValues

/// Which writing of a record's target is kept: the model's first that is whole and right, else the one it had, or none.
package struct RewriteChoice {
  /// What becomes of a record that nothing can judge.
  package enum Unjudged: String, Sendable, CaseIterable {
    case original
    /// The model's writing, unseen.
    case rewrite
    case drop
  }

  package enum Reason: String, Sendable, CaseIterable {
    /// The model's writing is right.
    case right
    /// Nothing could judge it.
    case unjudged
    case wrong
    /// Every writing was cut off, or empty.
    case truncated
    /// There is nothing to ask, or nothing to write anew.
    case notAsked = "not_asked"
  }

  package struct Result: Sendable, Equatable {
    /// Nil where it is dropped.
    package let record: Record?
    package let reason: Reason
    package let isRewritten: Bool
    package let original: String?
    package let written: String?
  }

  package struct Counts: Sendable, Equatable {
    package fileprivate(set) var records = 0
    package fileprivate(set) var rewritten = 0
    /// Of the rewritten ones those that read as they did.
    package fileprivate(set) var unchanged = 0
    package fileprivate(set) var dropped = 0
    package fileprivate(set) var reasons: [Reason: Int] = [:]
  }

  private var judges: RecordJudges
  private let dropsWrong: Bool
  private let unjudged: Unjudged
  package private(set) var counts = Counts()

  /// - Parameter rule: for all records; each one's own where nil.
  package init(rule: VerifyRule?, dropsWrong: Bool, unjudged: Unjudged) {
    judges = RecordJudges(rule)
    self.dropsWrong = dropsWrong
    self.unjudged = unjudged
  }

  /// Chooses and counts. An answer that was cut off is never kept: training would put an end mark behind it.
  package mutating func result(_ record: Record, _ writings: [(text: String, isComplete: Bool)]) throws(DatasetError) -> Result {
    counts.records += 1
    guard !writings.isEmpty else { return keep(record, .notAsked) }
    let whole = writings.filter { $0.isComplete && !$0.text.withoutOuterSpace.isEmpty }
    guard let first = whole.first?.text else { return leave(record, .truncated, drop: dropsWrong, writings[0].text) }
    for (text, _) in whole {
      guard let isRight = try judges.isRight(text, record) else {
        if unjudged == .rewrite { return write(record, .unjudged, first) }
        return leave(record, .unjudged, drop: unjudged == .drop, first)
      }
      if isRight { return write(record, .right, text) }
    }
    return leave(record, .wrong, drop: dropsWrong, first)
  }

  private mutating func write(_ record: Record, _ reason: Reason, _ text: String) -> Result {
    let original = Self.original(record)
    counts.rewritten += 1
    counts.reasons[reason, default: 0] += 1
    if original?.withoutOuterSpace.utf8.elementsEqual(text.withoutOuterSpace.utf8) == true { counts.unchanged += 1 }
    return Result(record: record.rewritten(text), reason: reason, isRewritten: true, original: original, written: text)
  }

  private mutating func leave(_ record: Record, _ reason: Reason, drop: Bool, _ text: String) -> Result {
    guard drop else { return keep(record, reason, text) }
    counts.dropped += 1
    counts.reasons[reason, default: 0] += 1
    return Result(record: nil, reason: reason, isRewritten: false, original: Self.original(record), written: text)
  }

  private mutating func keep(_ record: Record, _ reason: Reason, _ text: String? = nil) -> Result {
    counts.reasons[reason, default: 0] += 1
    return Result(record: record, reason: reason, isRewritten: false, original: Self.original(record), written: text)
  }

  private static func original(_ record: Record) -> String? { record.completion?.plainText ?? record.answers.first }
}

extension RewriteChoice.Result {
  /// A line of the samples.
  package func json(record number: Int) -> JSONValue {
    .object(
      JSONObject([
        ("record", .integer(number)), ("original", original.map { .string($0) } ?? .null),
        ("written", written.map { .string($0) } ?? .null),
        ("reason", .string(reason.rawValue)), ("rewritten", .bool(isRewritten)), ("dropped", .bool(record == nil)),
      ]))
  }
}

extension RewriteChoice.Counts {
  package var json: JSONValue {
    .object(
      JSONObject([
        ("records", .integer(records)), ("rewritten", .integer(rewritten)), ("unchanged", .integer(unchanged)),
        ("kept", .integer(records - rewritten - dropped)), ("dropped", .integer(dropped)),
        (
          "reasons",
          .object(JSONObject(RewriteChoice.Reason.allCases.map { ($0.rawValue, .integer(reasons[$0] ?? 0)) }))
        ),
      ]))
  }
}

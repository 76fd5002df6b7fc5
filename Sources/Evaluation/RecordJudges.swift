import Datasets

/// Judges records by one rule, or each by its own; a rule is made ready once for all records in a row that have it.
package struct RecordJudges {
  private let rule: VerifyRule?
  private var known: (rule: VerifyRule, judge: AnswerJudge)?

  package init(_ rule: VerifyRule? = nil) { self.rule = rule }

  /// Nil where nothing says what is right.
  package mutating func isRight(_ completion: String, _ record: Record) throws(DatasetError) -> Bool? {
    guard let rule = rule ?? record.verify else { return nil }
    if known?.rule != rule { known = (rule, try AnswerJudge(rule)) }
    guard let judge = known?.judge, judge.canJudge(record) else { return nil }
    return judge.judge(completion, record).isRight
  }
}

import Datasets
import JSONValues

/// Records that teach against what a model is sure of: it finds their target unlikely, and gives another answer with certainty that the record's
/// rule judges wrong. Either the record is wrong or the model is; both are worth a look, and such records are what training forgets most by.
package struct ContradictionSurvey: Sendable, Equatable {
  /// Per token: exp of the mean log-probability, so that long answers are not unsure for being long.
  package struct Bounds: Sendable, Equatable {
    /// The model is sure of its answer from this probability on.
    package let sure: Double
    /// The target is unlikely below this one.
    package let unlikely: Double

    package init(sure: Double, unlikely: Double) { (self.sure, self.unlikely) = (sure, unlikely) }
  }

  package struct Finding: Sendable, Equatable {
    package let record: Int
    package let answer: String
    package let answerProbability: Double
    package let target: String
    package let targetProbability: Double
  }

  /// What a model says to one record by itself, and of its target.
  package struct Reading: Sendable {
    package let record: Int
    package let answer: WrittenAnswer
    /// Natural logarithms, of each token.
    package let answerLogProbabilities: [Double]
    package let targetLogProbabilities: [Double]

    package init(record: Int, answer: WrittenAnswer, answerLogProbabilities: [Double], targetLogProbabilities: [Double]) {
      (self.record, self.answer) = (record, answer)
      (self.answerLogProbabilities, self.targetLogProbabilities) = (answerLogProbabilities, targetLogProbabilities)
    }
  }

  package let bounds: Bounds
  /// The surest first.
  package let findings: [Finding]
  package let asked: Int
  /// Records whose answer the model gives right; and whose target it finds unlikely; and that it is sure of.
  package let right: Int
  package let unlikely: Int
  package let sure: Int
  /// Records that no rule can judge, or that ask nothing.
  package let unjudged: Int

  /// - Parameters:
  ///   - records: all of them; `readings` name theirs by place.
  ///   - rule: for all records; each one's own where nil.
  package init(
    _ readings: [Reading], of records: [Record], rule: VerifyRule?, bounds: Bounds, unjudged: Int
  ) throws(DatasetError) {
    var findings: [Finding] = []
    var (right, unlikely, sure) = (0, 0, 0)
    var judges = RecordJudges(rule)
    for reading in readings {
      let record = records[reading.record]
      let isRight = try judges.isRight(reading.answer.text, record) ?? false
      let (own, target) = (Self.probability(reading.answerLogProbabilities), Self.probability(reading.targetLogProbabilities))
      right += isRight ? 1 : 0
      unlikely += target < bounds.unlikely ? 1 : 0
      sure += own >= bounds.sure ? 1 : 0
      // An answer that was cut off may have been on its way to the right one.
      guard !isRight, reading.answer.isComplete, own >= bounds.sure, target < bounds.unlikely else { continue }
      findings.append(
        Finding(
          record: reading.record, answer: reading.answer.text, answerProbability: own,
          target: record.completion?.plainText ?? record.answers.first ?? "", targetProbability: target))
    }
    self.findings = findings.sorted { (-$0.answerProbability, $0.record) < (-$1.answerProbability, $1.record) }
    self.bounds = bounds
    (self.right, self.unlikely, self.sure) = (right, unlikely, sure)
    self.unjudged = unjudged
    asked = readings.count
  }

  private static func probability(_ logProbabilities: [Double]) -> Double {
    logProbabilities.isEmpty ? 1 : PortableMath.exp(logProbabilities.mean)
  }
}

extension ContradictionSurvey {
  /// - Parameter places: what each record is called.
  package func json(places: [String], examples: Int) -> JSONValue {
    .object(
      JSONObject([
        ("sure_above", .number(bounds.sure)), ("unlikely_below", .number(bounds.unlikely)), ("asked", .integer(asked)),
        ("unjudged", .integer(unjudged)), ("right", .integer(right)), ("sure", .integer(sure)), ("unlikely", .integer(unlikely)),
        ("contradicting", .integer(findings.count)),
        (
          "examples",
          .array(
            findings.prefix(examples).map { finding in
              .object(
                JSONObject([
                  ("record", .string(places[finding.record])), ("answer", .string(finding.answer)),
                  ("answer_probability", .number(finding.answerProbability)), ("target", .string(finding.target)),
                  ("target_probability", .number(finding.targetProbability)),
                ]))
            })
        ),
      ]))
  }
}

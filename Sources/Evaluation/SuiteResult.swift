import Datasets
import JSONValues

/// What a model came to on a suite: metrics with their errors, and every record's result.
package struct SuiteResult: Sendable, Equatable {
  package struct Metric: Sendable, Equatable {
    package let name: String
    package let estimate: Estimate
  }

  package let suite: Suite
  package let results: [RecordResult]
  package let metrics: [Metric]
  /// The score of the best answer that is the same for every record; nil where there is none.
  package let bestConstant: (answer: String, score: Double)?

  package static func == (left: Self, right: Self) -> Bool { left.json == right.json && left.results == right.results }

  /// Scores completions; no model is needed, so another scorer is another call.
  package init(scoring completions: [WrittenAnswer], of suite: Suite, prompts: [String]) throws(DatasetError) {
    precondition(completions.count == suite.records.count, "\(suite.records.count) records have \(completions.count) completions")
    let judges = try Self.judges(of: suite)
    var results: [RecordResult] = []
    for (index, record) in suite.records.enumerated() {
      let completion = completions[index]
      let judgement = judges[index].judge(completion.text, record)
      results.append(
        RecordResult(
          index: index, record: record, prompt: prompts[index],
          outcome: .generated(completion: completion.text, isComplete: completion.isComplete, judgement)))
    }
    let answers = zip(suite.records, judges).map { record, judge in
      var forms: [(form: String, answer: String)] = []
      for answer in record.expectedAnswers {
        let form = judge.form(of: answer, record)
        if !forms.contains(where: { $0.form == form }) { forms.append((form, answer)) }
      }
      return forms
    }
    self.init(suite: suite, results: results, bestConstant: Self.mostFrequent(answers))
  }

  /// Picks the likeliest choice of each record; no model is needed either.
  ///
  /// - Parameter logLikelihoods: Σ log p of each record's choices.
  package init(choosing logLikelihoods: [[Double]], of suite: Suite, prompts: [String]) {
    precondition(logLikelihoods.count == suite.records.count, "\(suite.records.count) records, \(logLikelihoods.count) answers")
    let results = suite.records.enumerated().map { index, record in
      RecordResult(index: index, record: record, prompt: prompts[index], outcome: .chosen(logLikelihoods: logLikelihoods[index]))
    }
    self.init(suite: suite, results: results)
  }

  init(suite: Suite, results: [RecordResult]) {
    let golds = suite.records.compactMap(\.gold).map { [(form: String($0), answer: "choice \($0)")] }
    let isChoice = if case .multipleChoice = suite.scoring { true } else { false }
    self.init(suite: suite, results: results, bestConstant: isChoice ? Self.mostFrequent(golds) : nil)
  }

  private init(suite: Suite, results: [RecordResult], bestConstant: (answer: String, score: Double)?) {
    self.suite = suite
    self.results = results
    self.bestConstant = bestConstant
    let measured = results.compactMap { result -> (logLikelihood: Double, bytes: Int, words: Int)? in
      if case .measured(let logLikelihood, _, let bytes, let words) = result.outcome { (logLikelihood, bytes, words) } else { nil }
    }
    metrics =
      measured.isEmpty
      ? suite.scoring.metrics.map { name in
        Metric(name: name, estimate: .mean(results.map { result in result.scores.first { $0.metric == name }?.value ?? 0 }))
      } : Perplexity.metrics(measured)
  }

  /// The suite's own rule, or each record's.
  private static func judges(of suite: Suite) throws(DatasetError) -> [AnswerJudge] {
    if case .generation(let scorer?, _, _) = suite.scoring {
      let judge = try AnswerJudge(scorer)
      return suite.records.map { _ in judge }
    }
    var judges: [AnswerJudge] = []
    var known: (rule: VerifyRule, judge: AnswerJudge)?
    for (index, record) in suite.records.enumerated() {
      guard let rule = record.verify else {
        throw DatasetError("the record has no 'verify' and the suite no 'scorer'", file: Suite.recordsName, line: index + 1)
      }
      if known?.rule != rule { known = (rule, try AnswerJudge(rule)) }
      if let judge = known?.judge { judges.append(judge) }
    }
    return judges
  }

  /// The answer that is right most often; of equals the one that came first.
  private static func mostFrequent(_ answers: [[(form: String, answer: String)]]) -> (answer: String, score: Double)? {
    var counts: [ByteString: (count: Int, first: Int, answer: String)] = [:]
    for (index, forms) in answers.enumerated() {
      for (form, answer) in forms { counts[ByteString(form), default: (0, index, answer)].count += 1 }
    }
    let best = counts.values.max { ($0.count, -$0.first) < ($1.count, -$1.first) }
    return best.map { ($0.answer, Double($0.count) / Double(answers.count)) }
  }

  /// The metric that stands for the suite.
  package var headline: Metric { metrics.first { $0.name == suite.metric } ?? metrics[0] }
}

extension SuiteResult {
  /// The `scores` artifact. It says nothing of batch, host and time; `per_record` is what paired comparisons need.
  package var json: JSONValue {
    let values = metrics.map { metric in
      let fields: [(String, JSONValue)] = [
        ("value", .number(metric.estimate.value)), ("stderr", metric.estimate.standardError.map { .number($0) } ?? .null),
      ]
      return (metric.name, JSONValue.object(JSONObject(fields)))
    }
    var object = JSONObject([
      ("suite", .string(suite.name)), ("kind", .string(suite.scoring.kind)), ("metric", .string(suite.metric)),
      ("higher_is_better", .bool(suite.scoring.higherIsBetter)), ("n", .integer(results.count)), ("metrics", .object(JSONObject(values))),
    ])
    let constant = bestConstant.map { JSONValue.object(JSONObject([("answer", .string($0.answer)), ("score", .number($0.score))])) }
    object.append("best_constant", constant ?? .null)
    if let complete = completeShare { object.append("complete", .number(complete)) }
    object.append("records", .string(suite.fingerprint))
    object.append("per_record", .object(JSONObject(perRecord)))
    return .object(object)
  }

  /// The share of completions that came to their own end.
  private var completeShare: Double? {
    let flags = results.compactMap { if case .generated(_, let isComplete, _) = $0.outcome { isComplete } else { nil } }
    return flags.isEmpty ? nil : Double(flags.count { $0 }) / Double(flags.count)
  }

  private var perRecord: [(String, JSONValue)] {
    (results.first?.scores.map(\.metric) ?? []).map { name in
      (name, .array(results.map { result in .number(result.scores.first { $0.metric == name }?.value ?? 0) }))
    }
  }
}

extension Suite {
  /// Tells suites with other records apart: scores pair up only where it is equal.
  package var fingerprint: String {
    let hash = records.reduce(0 as UInt64) { hash, record in StableHash.mix(hash ^ StableHash.of(record.json.encodedBytes())) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

import Datasets
import JSONValues

/// What a model answered to the records of a suite, without any judgement: what another scorer needs, so that it needs no model.
///
/// Bound to the bytes of the model that gave the answers and to the records that were asked; they serve nobody else.
package struct SuiteAnswers: Sendable, Equatable {
  package enum Body: Sendable, Equatable {
    case generated([WrittenAnswer])
    /// Σ log p of each choice.
    case chosen([[Double]])
    case measured([Measurement])
  }

  package struct Measurement: Sendable, Equatable {
    package let logLikelihood: Double
    package let tokens: Int
    package let bytes: Int
    package let words: Int
  }

  /// `sha256:…`
  package let model: String
  /// `Suite.fingerprint` of the records that were asked.
  package let records: String
  /// As the model read them; empty for plain text.
  package let prompts: [String]
  package let body: Body

  package init(_ result: SuiteResult, model: String) {
    self.model = model
    records = result.suite.fingerprint
    prompts = result.results.map(\.prompt)
    var generated: [WrittenAnswer] = []
    var chosen: [[Double]] = []
    var measured: [Measurement] = []
    for outcome in result.results.map(\.outcome) {
      switch outcome {
      case .generated(let completion, let isComplete, _): generated.append(WrittenAnswer(text: completion, isComplete: isComplete))
      case .chosen(let logLikelihoods): chosen.append(logLikelihoods)
      case .measured(let logLikelihood, let tokens, let bytes, let words):
        measured.append(Measurement(logLikelihood: logLikelihood, tokens: tokens, bytes: bytes, words: words))
      }
    }
    body =
      switch result.suite.scoring {
      case .generation: .generated(generated)
      case .multipleChoice: .chosen(chosen)
      case .perplexity: .measured(measured)
      }
  }

  /// The scores by this suite's rule. Where fewer records were asked than the suite has, its first ones are meant.
  ///
  /// - Throws: where the answers are those of other records, or of another kind of suite.
  package func scored(by suite: Suite) throws(DatasetError) -> SuiteResult {
    var suite = suite
    guard prompts.count <= suite.records.count else {
      throw DatasetError("there are \(prompts.count) answers, and suite '\(suite.name)' has \(suite.records.count) records")
    }
    suite.records = Array(suite.records.prefix(prompts.count))
    guard suite.fingerprint == records else {
      throw DatasetError("the answers were given to other records than those of suite '\(suite.name)'")
    }
    switch (suite.scoring, body) {
    case (.generation, .generated(let answers)): return try SuiteResult(scoring: answers, of: suite, prompts: prompts)
    case (.multipleChoice, .chosen(let answers)):
      if let index = answers.indices.first(where: { answers[$0].count != suite.records[$0].choices.count }) {
        throw DatasetError("answer \(index + 1) has \(answers[index].count) values for \(suite.records[index].choices.count) choices")
      }
      return result(suite, answers.map { .chosen(logLikelihoods: $0) })
    case (.perplexity, .measured(let answers)):
      return result(
        suite, answers.map { .measured(logLikelihood: $0.logLikelihood, tokens: $0.tokens, bytes: $0.bytes, words: $0.words) })
    default: throw DatasetError("the answers are of kind \(kind), and suite '\(suite.name)' is of kind \(suite.scoring.kind)")
    }
  }

  private func result(_ suite: Suite, _ outcomes: [RecordResult.Outcome]) -> SuiteResult {
    let results = outcomes.enumerated().map { index, outcome in
      RecordResult(index: index, record: suite.records[index], prompt: prompts[index], outcome: outcome)
    }
    return SuiteResult(suite: suite, results: results)
  }

  private var kind: String {
    switch body {
    case .generated: "generation"
    case .chosen: "multiple_choice"
    case .measured: "perplexity"
    }
  }
}

// MARK: - As JSON

extension SuiteAnswers {
  private static let version = 1

  package var json: JSONValue {
    var object = JSONObject([
      ("answers", .integer(Self.version)), ("kind", .string(kind)), ("model", .string(model)), ("records", .string(records)),
    ])
    object.append("per_record", .array(prompts.indices.map { row($0) }))
    return .object(object)
  }

  private func row(_ index: Int) -> JSONValue {
    switch body {
    case .generated(let answers):
      [
        "prompt": .string(prompts[index]), "completion": .string(answers[index].text), "complete": .bool(answers[index].isComplete),
      ]
    case .chosen(let answers):
      ["prompt": .string(prompts[index]), "log_likelihoods": .array(answers[index].map { .number($0) })]
    case .measured(let answers):
      [
        "log_likelihood": .number(answers[index].logLikelihood), "tokens": .integer(answers[index].tokens),
        "bytes": .integer(answers[index].bytes), "words": .integer(answers[index].words),
      ]
    }
  }

  package init(json: JSONValue) throws(DatasetError) {
    guard let version = json["answers"], let rows = json["per_record"]?.arrayValue, let model = json["model"]?.stringValue,
      let records = json["records"]?.stringValue
    else { throw DatasetError("holds no answers of an evaluation") }
    guard version.integerValue == Self.version else { throw DatasetError("'answers' must be \(Self.version), the version of this form") }
    self.model = model
    self.records = records
    prompts = rows.map { $0["prompt"]?.stringValue ?? "" }
    switch json["kind"]?.stringValue {
    case "generation":
      body = .generated(
        try Self.read(rows) { row in
          guard let text = row["completion"]?.stringValue, let isComplete = row["complete"]?.boolValue else { return nil }
          return WrittenAnswer(text: text, isComplete: isComplete)
        })
    case "multiple_choice":
      body = .chosen(
        try Self.read(rows) { row in
          guard let values = row["log_likelihoods"]?.arrayValue else { return nil }
          let numbers = values.compactMap(\.numberValue)
          return numbers.count == values.count ? numbers : nil
        })
    case "perplexity":
      body = .measured(
        try Self.read(rows) { row in
          guard let logLikelihood = row["log_likelihood"]?.numberValue, let tokens = row["tokens"]?.integerValue,
            let bytes = row["bytes"]?.integerValue, let words = row["words"]?.integerValue, tokens >= 0, bytes >= 0, words >= 0
          else { return nil }
          return Measurement(logLikelihood: logLikelihood, tokens: tokens, bytes: bytes, words: words)
        })
    default: throw DatasetError("'kind' must be generation, multiple_choice or perplexity")
    }
  }

  private static func read<Answer>(_ rows: [JSONValue], _ answer: (JSONValue) -> Answer?) throws(DatasetError) -> [Answer] {
    var answers: [Answer] = []
    for (index, row) in rows.enumerated() {
      guard let answer = answer(row) else { throw DatasetError("'per_record[\(index)]' is no answer") }
      answers.append(answer)
    }
    return answers
  }
}

import Datasets
import JSONValues

/// What one record of a suite came to. With these kept, another scorer needs no model.
package struct RecordResult: Sendable, Equatable {
  package enum Outcome: Sendable, Equatable {
    case generated(completion: String, isComplete: Bool, AnswerJudge.Judgement)
    /// Σ log p of each choice.
    case chosen(logLikelihoods: [Double])
    /// Σ log p of the text.
    case measured(logLikelihood: Double, tokens: Int, bytes: Int, words: Int)
  }

  /// The record's place in the suite, from 0.
  package let index: Int
  package let record: Record
  /// The text in front of the answer, as the model read it; empty for plain text.
  package let prompt: String
  package let outcome: Outcome

  /// This record's score by metric; of perplexity, its own bits per byte.
  package var scores: [(metric: String, value: Double)] {
    switch outcome {
    case .generated(_, _, let judgement): [("exact_match", judgement.isRight ? 1 : 0)]
    case .chosen(let logLikelihoods):
      Choice.metrics(logLikelihoods, record.choices, gold: record.gold ?? 0).map { ($0.metric, $0.isRight ? 1 : 0) }
    case .measured(let logLikelihood, _, let bytes, _): [("bits_per_byte", -logLikelihood / (Double(max(bytes, 1)) * PortableMath.ln2))]
    }
  }

  /// One line of the results file, members in one order.
  package var json: JSONValue {
    var row = JSONObject([("doc_id", .integer(index))])
    if case .measured = outcome {} else { row.append("prompt", .string(prompt)) }
    switch outcome {
    case .generated(let completion, let isComplete, let judgement):
      row.append("completion", .string(completion))
      row.append("complete", .bool(isComplete))
      row.append("extracted", judgement.extracted.map { .string($0) } ?? .null)
      row.append(
        "target",
        record.expectedAnswers.count == 1 ? .string(record.expectedAnswers[0]) : .array(record.expectedAnswers.map { .string($0) }))
    case .chosen(let logLikelihoods):
      row.append("choices", .array(record.choices.map { .string($0) }))
      row.append("log_likelihoods", .array(logLikelihoods.map { .number($0) }))
      row.append("target", .integer(record.gold ?? 0))
    case .measured(let logLikelihood, let tokens, let bytes, let words):
      row.append("log_likelihood", .number(logLikelihood))
      for (name, count) in [("tokens", tokens), ("bytes", bytes), ("words", words)] { row.append(name, .integer(count)) }
    }
    for score in scores { row.append(score.metric, .number(score.value)) }
    return .object(row)
  }
}

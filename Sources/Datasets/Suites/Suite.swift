/// A suite: records and how they are scored. A directory of `suite.json` and `records.jsonl`. It says what is asked; `Evaluation` asks.
package struct Suite: Sendable, Equatable {
  package enum Scoring: Sendable, Equatable {
    /// The model continues the prompt; each record's `verify` judges, or the suite's scorer where it has one.
    case generation(VerifyRule?, maxNewTokens: Int, stop: [String])
    /// The choice with the highest log-likelihood is the model's.
    case multipleChoice
    /// The log-likelihood of the record's text.
    case perplexity
  }

  package var name: String
  package var scoring: Scoring
  /// What the prompt becomes before it is asked; `{prompt}` and the record's columns may stand in it.
  package var promptTemplate: String
  /// Between prompt and choice, where no chat template is used.
  package var delimiter: String
  /// The metric that stands for the suite in tables.
  package var metric: String
  package var records: [Record]

  package init(
    name: String, scoring: Scoring, promptTemplate: String = "{prompt}", delimiter: String = "", metric: String? = nil, records: [Record]
  ) {
    self.name = name
    self.scoring = scoring
    self.promptTemplate = promptTemplate
    self.delimiter = delimiter
    self.metric = metric ?? scoring.metrics[0]
    self.records = records
  }
}

extension Suite.Scoring {
  package var kind: String {
    switch self {
    case .generation: "generation"
    case .multipleChoice: "multiple_choice"
    case .perplexity: "perplexity"
    }
  }

  /// The metrics this kind gives, the usual one first.
  package var metrics: [String] {
    switch self {
    case .generation: ["exact_match"]
    case .multipleChoice: ["acc", "acc_norm", "acc_bytes"]
    case .perplexity: ["bits_per_byte", "byte_perplexity", "word_perplexity"]
    }
  }

  package var higherIsBetter: Bool { if case .perplexity = self { false } else { true } }
}

import Foundation
import JSONValues
import Testing

/// Tiny inputs of every type, made once by the stages themselves.
final class Materials: Sendable {
  static let shared = Result { try Materials() }

  /// Nothing ends the life of what is shared but the end of the process.
  private static let directory: String = {
    atexit { try? FileManager.default.removeItem(atPath: Materials.directory) }
    return Bench.freshPath()
  }()

  static func get() throws -> Materials { try shared.get() }

  let bench: Bench
  /// Prompts and completions, letters apart; 48 records.
  let records: Given
  /// Suites of the three kinds.
  let written: Given
  let chosen: Given
  let measured: Given
  /// 280 tokens with a ChatML template.
  let tokenizer: Given
  let tokens: Given
  /// Two layers of width 16, weights drawn widely, so that its answers differ from record to record.
  let model: Given
  /// The model after a few steps.
  let tuned: Given

  /// Scores of a base model, and of another, on two suites.
  let baseScores: [Given]
  let otherScores: [Given]
  /// Rows with more columns than one form takes, one of them twice.
  let rows: Given
  /// Prompts of different lengths with a column of their own.
  let topics: Given

  static let dimensions: JSONValue = [
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
    "initializer_range": 0.3, "seed": 5,
  ]

  private init() throws {
    bench = try Bench(Self.directory)
    let letters = try Self.tasks("reverse", heldout: 20, bench)
    records = letters["train"]
    written = letters["heldout"]
    chosen = try Self.tasks("maximum", form: "multiple_choice", bench)["heldout"]
    measured = try Self.tasks("sentences", bench)["heldout"]
    tokenizer = try bench.run("tokenizer/train", ["vocab_size": 280], inputs: [("data", [records])])["tokenizer"]
    tokens = try bench.run("tokenize", inputs: [("data", [records]), ("tokenizer", [tokenizer])])["tokens"]
    model = try bench.run("model/init", Self.dimensions, inputs: [("tokenizer", [tokenizer])])["model"]
    tuned = try bench.run(
      "train/sft", ["learning_rate": 0.01, "max_steps": 3], inputs: [("model", [model]), ("data", [tokens])])["model"]
    rows = try bench.write(Self.rowsText, "rows.jsonl")
    topics = try bench.write(Self.topicsText, "topics.jsonl")
    baseScores = [
      try bench.scores("copy", [1, 1, 1, 0, 1, 1, 0, 1], error: 0.1637, name: "base-copy").labelled(.init([("suite", "copy")])),
      try bench.scores("sort", [0, 0, 1, 0, 0, 0, 1, 0], error: 0.1637, name: "base-sort").labelled(.init([("suite", "sort")])),
    ]
    otherScores = [
      try bench.scores("copy", [0, 0, 1, 0, 0, 0, 0, 1], error: 0.1637, name: "other-copy")
        .labelled(.init([("learning_rate", 0.001), ("suite", "copy")])),
      try bench.scores("sort", [1, 0, 1, 0, 0, 1, 1, 0], error: 0.189, name: "other-sort")
        .labelled(.init([("learning_rate", 0.001), ("suite", "sort")])),
    ]
  }

  private static func tasks(_ task: String, form: JSONValue = nil, heldout: Int = 12, _ bench: Bench) throws -> Outcome {
    try bench.run(
      "data/tasks",
      [
        "task": .string(task), "train": 48, "heldout": .integer(heldout), "difficulty": task == "sentences" ? nil : 4, "form": form,
      ])
  }

  private static let rowsText = """
    {"prompt":"1 + 1","reply":"two","completion":"2","choices":["2","3"],"gold":0}
    {"prompt":"1 + 2","reply":"three","completion":"3","choices":["2","3"],"gold":1}
    {"prompt":"1 + 1","reply":"two","completion":"2","choices":["2","3"],"gold":0}
    {"prompt":"2 + 2","reply":"four","completion":"4","choices":["5","4"],"gold":1}
    {"prompt":"2 + 3","reply":"five","completion":"5","choices":["5","4"],"gold":0}
    {"prompt":"3 + 3","reply":"six","completion":"6","choices":["6","4"],"gold":0}
    {"prompt":"3 + 4","reply":"seven","completion":"7","choices":["5","7"],"gold":1}

    """

  private static let topicsText = """
    {"prompt":"reverse a b","completion":" b a","topic":"letters"}
    {"prompt":"reverse a b c d e f g h","completion":" h g f e d c b a","topic":"letters"}
    {"prompt":"reverse x y","completion":" y x","topic":"letters","kind":"short"}

    """
}

extension Bench {
  /// A `scores` artifact of right and wrong answers.
  func scores(_ suite: String, _ marks: [Int], error: Double, name: String) throws -> Given {
    let mean = Double(marks.reduce(0, +)) / Double(marks.count)
    let json: JSONValue = [
      "suite": .string(suite), "kind": "generation", "metric": "exact_match", "higher_is_better": true, "n": .integer(marks.count),
      "metrics": ["exact_match": ["value": .number(mean), "stderr": .number(error)]], "best_constant": ["answer": "a", "score": 0.125],
      "records": .string(suite + "-records"), "per_record": ["exact_match": .array(marks.map { .integer($0) })],
    ]
    return try write(json.encoded() + "\n", name + ".json")
  }
}

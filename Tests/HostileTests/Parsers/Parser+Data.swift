import Datasets
import Evaluation
import Foundation
import JSONValues
import Reinforcement

extension Parser {
  /// Records, suites, rollouts, tokens, weights, and what an evaluation leaves.
  static let data: [Parser] = [records, suite, rollouts, rolloutJournal, tokens, recordWeights, answers, scores, rewards]

  /// Every rule that can judge, on every record there is.
  private static func judge(_ record: Record) throws {
    guard let rule = record.verify else { return }
    let judge = try AnswerJudge(rule)
    for completion in ["", "The answer is 42.", "A", String(repeating: "a", count: 200) + "!"] { _ = judge.judge(completion, record) }
  }

  private static let records = Parser("records") { bytes in
    let file = RecordFile(Scratch.file("x.jsonl", bytes))
    try file.read { record, _ throws(DatasetError) in
      guard let again = try? Record(row: record.json), again.json == record.json else {
        preconditionFailure("a record is not what was written: \(record.json.encoded())")
      }
      do { try judge(record) } catch let error as DatasetError { throw error } catch {}
    }
  }

  /// `suite.json`, and behind a NUL its records.
  private static let suite = Parser("suite") { bytes in
    let directory = Scratch.directory("suite")
    let parts = Scratch.parts(bytes, 2)
    Scratch.write(parts[0], directory + "/suite.json")
    Scratch.write(parts[1], directory + "/records.jsonl")
    let suite = try Suite(directory: directory)
    _ = suite.json.encoded()
    _ = suite.fingerprint
    let template = try PromptTemplate(suite.promptTemplate)
    for record in suite.records { _ = try template.fill(prompt: "p", record: record) }
    let answers = suite.records.map { _ in WrittenAnswer(text: "the answer is 7, or B", isComplete: true) }
    let result = try SuiteResult(scoring: answers, of: suite, prompts: suite.records.map { _ in "p" })
    _ = result.json.encoded()
  }

  private static let rollouts = Parser("rollouts") { bytes in
    for rollout in try RolloutFile(Scratch.file("rollouts.jsonl", bytes)).rollouts() {
      guard let again = try? Rollout(json: rollout.json), again.json == rollout.json else {
        preconditionFailure("a rollout is not what was written: \(rollout.json.encoded())")
      }
    }
  }

  private static let rolloutJournal = Parser("rollout-journal") { bytes in
    _ = try RolloutJournal(Scratch.file("journal.jsonl", bytes), prompts: 3).rollouts()
  }

  private static let tokens = Parser("tokens") { bytes in
    let records = try TokenizedRecords(bytes: bytes)
    precondition((0..<records.count).allSatisfy { records.length($0) > 0 && records.range($0).upperBound <= records.tokenCount })
    try records.check(vocabularySize: 1000, contextLength: 64)
  }

  private static let recordWeights = Parser("record-weights") { bytes in
    let weights = try RecordWeights(json: try JSONValue(parsing: bytes))
    for table in weights.tables { _ = try weights.weights(tokens: table.tokens, records: 2) }
  }

  private static let answers = Parser("answers") { bytes in
    let json = try JSONValue(parsing: bytes)
    _ = try SuiteAnswers(json: json).json.encoded()
    guard case .object(var object) = json else { return }
    let record = try Record(row: ["prompt": "1+1", "answer": "2", "verify": ["rule": "numeric"], "choices": ["1", "2"], "gold": 1])
    let scorings: [(Suite.Scoring, Record)] = [
      (.generation(nil, maxNewTokens: 4, stop: []), record), (.multipleChoice, record), (.perplexity, Record(.text("x"))),
    ]
    for (scoring, record) in scorings {
      for count in 1...2 {
        let suite = Suite(name: "s", scoring: scoring, records: Array(repeating: record, count: count))
        object.set("records", .string(suite.fingerprint))
        _ = try? SuiteAnswers(json: .object(object)).scored(by: suite).json.encoded()
      }
    }
  }

  /// Scores as reports and gates read them: the report on forgetting of two steps, and a gate over it.
  private static let scores = Parser("scores") { bytes in
    let json = try JSONValue(parsing: bytes)
    let parts = ["a", "b"].map { suite in JSONObject([("suite", JSONValue.string(suite))]) }
    let base = try parts.map { try SuiteScores(json: json, labels: $0, suiteAxis: "suite") }
    let steps = try ["a", "b"].flatMap { task in
      try parts.map { labels in
        let labels = JSONObject([("task", .string(task))] + labels.members.map { ($0.key, $0.value) })
        return try SuiteScores(json: json, labels: labels, suiteAxis: "suite")
      }
    }
    _ = try ScoredModels(base + steps)
    let scores = try ForgettingScores(ForgettingScores.Lists(base: base, steps: steps), axes: ForgettingScores.Axes())
    _ = scores.methods
  }

  /// The list of a stage's parameter `rewards`; programs are not started.
  private static let rewards = Parser("rewards") { bytes in
    let list = try JSONValue(parsing: bytes).arrayValue ?? []
    let sum = try RewardSum(list.filter { $0["kind"]?.stringValue != "command" })
    let record = try Record(row: ["prompt": "1+1", "answer": "2", "choices": ["1", "2"], "gold": 1])
    let requests = ["", "2", "the answer is B. " + String(repeating: "no ", count: 60)].map {
      RewardRequest(record: record, promptText: "1+1", completion: $0, completionIDs: [1, 2], isComplete: true)
    }
    _ = try sum.score(requests)
  }
}

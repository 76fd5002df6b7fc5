import Foundation
import JSONValues
import Testing

@Suite("Evaluations inside training") struct RetentionStageTests {
  /// Text gets less likely from the first steps on: the model learns to write letters backwards.
  private static let steep: JSONValue = [
    "learning_rate": 0.05, "lr_scheduler_type": "constant", "max_steps": 12, "eval_steps": 2, "early_stopping_patience": 2,
    "early_stopping_threshold": 0.02,
  ]

  @Test("training ends when retention stays too low, the best look's weights are handed over, and both curves are kept")
  func stops() throws {
    let m = try Materials.get()
    let bench = try Bench()
    let inputs = [("model", [m.model]), ("data", [m.tokens])]
    let watched = try bench.run("train/sft", Self.steep, inputs: inputs + [("target", [m.chosen]), ("retention", [m.measured])])
    let log = try json(of: watched["log"])
    #expect(log["stopped_early"] == true)
    let looks = try #require(log["evaluations"]?.arrayValue)
    #expect(looks.count >= 3 && looks.count < 7)
    #expect(log["step"]?.arrayValue?.count == looks.last?["step"]?.integerValue)
    #expect(looks.allSatisfy { $0["target"]?.numberValue != nil && $0["retention"]?.numberValue != nil })
    #expect(looks.first?["scores"]?[1]?["suite"] == "sentences")

    let best = try #require(log["restored_step"]?.integerValue)
    let shorter: JSONValue = ["learning_rate": 0.05, "lr_scheduler_type": "constant", "max_steps": .integer(best)]
    let expected =
      best == 0 ? m.model["model.safetensors"] : try bench.run("train/sft", shorter, inputs: inputs)["model/model.safetensors"]
    #expect(try digest(of: watched["model/model.safetensors"].path) == digest(of: expected.path))
  }

  @Test("a look that changes nothing leaves the bytes as they are, in both training stages", arguments: ["train/sft", "train/rft"])
  func watchingOnly(stage: String) throws {
    let m = try Materials.get()
    let bench = try Bench()
    let data = stage == "train/sft" ? ("data", [m.tokens]) : ("prompts", [m.records])
    var parameters = try #require(
      (stage == "train/sft" ? ["learning_rate": 0.001, "max_steps": 3] : DeadKeyTests.reinforcementBase).objectValue)
    let plain = try bench.run(stage, .object(parameters), inputs: [("model", [m.model]), data])
    parameters.set("eval_steps", 1)
    parameters.set("early_stopping_threshold", 100)
    // Without a target the latest look that keeps its retention is the best, and nothing falls by 100.
    let watched = try bench.run(stage, .object(parameters), inputs: [("model", [m.model]), data, ("retention", [m.measured])])
    #expect(try digest(of: watched["model"].path) == digest(of: plain["model"].path))
    #expect(try json(of: watched["log"])["restored_step"] == json(of: watched["log"])["step"]?.arrayValue?.last)
  }

  @Test("a suite whose questions are trained on is warned of, with their number")
  func overlap() throws {
    let m = try Materials.get()
    let bench = try Bench()
    let leaked = try bench.run("tokenize", inputs: [("data", [m.records, m.written]), ("tokenizer", [m.tokenizer])])["tokens"]
    let parameters: JSONValue = ["max_steps": 1, "eval_steps": 1, "eval_limit": 6]
    let suites = [("target", [m.written]), ("retention", [m.chosen])]
    let outcome = try bench.run("train/sft", parameters, inputs: [("model", [m.model]), ("data", [leaked])] + suites)
    #expect(
      try outcome.overlaps() == ["target: 6 of 6 questions of suite 'reverse' stand in the training data: 6 exact"])
    let clean = try bench.run("train/sft", parameters, inputs: [("model", [m.model]), ("data", [m.tokens])] + suites)
    #expect(try clean.overlaps().isEmpty)

    let chat = try bench.run("tokenize", ["format": "chat"], inputs: [("data", [m.written]), ("tokenizer", [m.tokenizer])])["tokens"]
    let other = try bench.run("train/sft", parameters, inputs: [("model", [m.model]), ("data", [chat])] + suites)
    #expect(try other.overlaps().count == 1)

    let asked = try bench.run(
      "train/rft", ["max_steps": 1, "num_generations": 2, "max_completion_length": 2, "eval_steps": 1, "rewards": DeadKeyTests.variety],
      inputs: [("model", [m.model]), ("prompts", [m.written]), ("retention", [m.written])])
    #expect(
      try asked.overlaps() == ["retention: 20 of 20 questions of suite 'reverse' stand in the training data: 20 exact"])
  }

  @Test("suites without eval_steps, eval_steps without suites, scores that cannot be averaged")
  func badInput() throws {
    let m = try Materials.get()
    let bench = try Bench()
    let inputs = [("model", [m.model]), ("data", [m.tokens])]
    expect(
      bench.failure("train/sft", ["eval_steps": 5], inputs: inputs),
      is: "'eval_steps' needs a suite to evaluate: the input 'retention' or 'target'")
    expect(
      bench.failure("train/sft", inputs: inputs + [("retention", [m.measured])]),
      is: "the input 'retention' needs 'eval_steps', the steps between evaluations")
    expect(
      bench.failure("train/sft", ["eval_steps": 5], inputs: inputs + [("retention", [m.measured, m.chosen])]),
      is: "the scores of 'sentences' and 'maximum' cannot be averaged: a higher score is better in one and worse in the other")
  }
}

extension Outcome {
  /// What the stage warned of.
  func warnings() throws -> [String] {
    try rows(of: Given((directory as NSString).deletingLastPathComponent + "/events.jsonl")).filter { $0["kind"] == "warning" }.compactMap {
      $0["text"]?.stringValue
    }
  }

  fileprivate func overlaps() throws -> [String] { try warnings().filter { $0.contains("questions") } }
}

import Foundation
import JSONValues
import Reinforcement
import Testing

@Suite("score, and rewards in rollout") struct RewardStageTests {
  // MARK: - Scoring apart from generating

  @Test("the same rule gives the bytes that evaluate wrote", arguments: ["generation", "multiple choice", "perplexity", "limited"])
  func same(kind: String) throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let suite =
      switch kind {
      case "multiple choice": materials.chosen
      case "perplexity": materials.measured
      default: materials.written
      }
    let evaluated = try bench.run(
      "evaluate", kind == "limited" ? ["limit": 7] : [:], inputs: [("model", [materials.model]), ("suite", [suite])])
    let scored = try bench.run(
      "score", inputs: [("answers", [evaluated["answers"]]), ("suite", [suite]), ("model", [materials.model])])
    for output in ["scores", "samples"] { #expect(try text(of: scored[output]) == text(of: evaluated[output])) }
  }

  @Test("another rule gives what evaluate would have written by it, without the model")
  func otherRule() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let answers = try RewardMaterials.get().written["answers"]
    let rule: JSONValue = ["rule": "regex", "pattern": "([a-z])", "ignore_case": true]
    var suite = try #require(try json(of: materials.written["suite.json"]).objectValue)
    suite.set("scorer", rule)
    try FileManager.default.copyItem(atPath: materials.written.path, toPath: bench.path + "/suite")
    try bench.write(JSONValue.object(suite).encoded(), "suite/suite.json")
    let other = Given(bench.path + "/suite")
    let asked = try bench.run("evaluate", inputs: [("model", [materials.model]), ("suite", [other])])
    let bySuite = try bench.run("score", inputs: [("answers", [answers]), ("suite", [other])])
    let byParameter = try bench.run("score", ["scorer": rule], inputs: [("answers", [answers]), ("suite", [materials.written])])
    #expect(try text(of: asked["samples"]) != text(of: RewardMaterials.get().written["samples"]))
    for output in ["scores", "samples"] {
      #expect(try text(of: bySuite[output]) == text(of: asked[output]))
      #expect(try text(of: byParameter[output]) == text(of: asked[output]))
    }
  }

  @Test("another metric stands for the suite")
  func otherMetric() throws {
    let materials = try Materials.get()
    let answers = try RewardMaterials.get().chosen["answers"]
    let scores = try json(
      of: Bench().run("score", ["metric": "acc_norm"], inputs: [("answers", [answers]), ("suite", [materials.chosen])])["scores"])
    #expect(scores["metric"] == "acc_norm")
    #expect(try scores["per_record"] == json(of: RewardMaterials.get().chosen["scores"])["per_record"])
  }

  @Test("answers of another model, of other records, of another kind, and no answers at all are refused")
  func refused() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let answers = try bench.copy(RewardMaterials.get().written["answers"], to: "answers.json")
    func failure(_ answers: Given, _ suite: Given, model: [Given] = [], _ parameters: JSONValue = [:]) -> String? {
      bench.failure("score", parameters, inputs: [("answers", [answers]), ("suite", [suite]), ("model", model)])
    }
    expect(
      failure(answers, materials.written, model: [materials.tuned]),
      is:
        "answers.json: holds the answers of another model, \(materials.model.digest), not of the one given, \(materials.tuned.digest)")
    expect(
      failure(answers, materials.chosen), is: "answers.json: there are 20 answers, and suite 'maximum' has 12 records")
    try FileManager.default.copyItem(atPath: materials.written.path, toPath: bench.path + "/changed")
    let records = try text(of: materials.written["records.jsonl"]).split(separator: "\n")
    try bench.write((records.dropFirst() + records.prefix(1)).joined(separator: "\n") + "\n", "changed/records.jsonl")
    expect(
      failure(answers, Given(bench.path + "/changed")),
      is: "answers.json: the answers were given to other records than those of suite 'reverse'")
    let choices = try RewardMaterials.get().chosen["answers"]
    let relabelled = try bench.write(
      text(of: choices).replacingOccurrences(of: "multiple_choice", with: "generation"), "kind.json")
    expect(failure(relabelled, materials.chosen), is: "kind.json: 'per_record[0]' is no answer")
    let nothing = try bench.write("{}", "nothing.json")
    expect(failure(nothing, materials.written), is: "nothing.json: holds no answers of an evaluation")
    expect(
      failure(answers, materials.written, ["scorer": ["rule": "exakt"]]),
      is: "parameter scorer: unknown rule 'exakt'; known are exact, numeric, regex, contains, choice")
    expect(
      failure(choices, materials.chosen, ["scorer": ["rule": "exact"]]),
      is: "parameter scorer: suite 'maximum' is of kind multiple_choice, which has no scorer")
    expect(
      failure(answers, materials.written, ["metric": "acc"]),
      is: "parameter metric: 'acc' is none of suite 'reverse'; generation suites have exact_match")
  }

  @Test("evaluate's template stands in for the suite's")
  func template() throws {
    let materials = try Materials.get()
    let samples = try rows(
      of: Bench().run(
        "evaluate", ["template": "Think first. {prompt}", "limit": 2],
        inputs: [("model", [materials.model]), ("suite", [materials.written])]
      )["samples"])
    let records = try rows(of: materials.written["records.jsonl"])
    for (sample, record) in zip(samples, records) {
      #expect(sample["prompt"]?.stringValue == "Think first. " + (record["prompt"]?.stringValue ?? ""))
    }
  }

  // MARK: - Rewards in rollout

  private func rollout(_ bench: Bench, _ rewards: [[(String, JSONValue)]], program: String? = nil) throws -> Outcome {
    let materials = try Materials.get()
    let given = try program.map { [try bench.write($0, "judge.py")] } ?? []
    let list = rewards.map { JSONValue.object(JSONObject($0)) }
    return try bench.run(
      "rollout", ["num_generations": 2, "max_completion_length": 4, "limit": 3, "rewards": .array(list)],
      inputs: [("model", [materials.model]), ("prompts", [materials.records]), ("reward_program", given)])
  }

  private static let command: [(String, JSONValue)] = [
    ("name", "judge"), ("kind", "command"), ("weight", 0.5), ("command", ["python3", "{program}"]),
  ]

  @Test("every component stands beside the sum in the rollouts, a program's too")
  func components() throws {
    let program = """
      import json, sys
      for line in sys.stdin:
          if line.strip():
              row = json.loads(line)
              print(json.dumps({"score": len(row["completion_ids"])} if "answer" in row else None))
          else:
              sys.stdout.flush()
      """
    let rows = try rows(
      of: rollout(
        try Bench(), [[("kind", "length"), ("min_length", 1)], Self.command], program: program)["rollouts"])
    for sample in rows.flatMap({ $0["completions"]?.arrayValue ?? [] }) {
      let count = try #require(sample["ids"]?.arrayValue).count
      #expect(sample["rewards"] == ["length": 1, "judge": .integer(count)])
      #expect(sample["reward"]?.numberValue == 1 + 0.5 * Double(count))
    }
  }

  @Test("a program that fails is one error of the stage")
  func failing() throws {
    let bench = try Bench()
    let records = try Materials.get().records.path
    func failure(_ program: String) -> String? {
      do {
        _ = try rollout(bench, [Self.command], program: program)
        return nil
      } catch { return bench.shown(error) }
    }
    expect(
      failure("import sys; sys.stdin.readline(); print(1, flush=True); sys.exit('no such model')"),
      is:
        "\(records):1: reward 'judge': the program ended with status 1, with 1 of 6 records answered; its standard error ends: no such model"
    )
    expect(
      failure("import sys\nfor line in sys.stdin: print('good', flush=True)"),
      is: "\(records):1: reward 'judge': the program answered 'good', not a finite number, null or {\"score\": …}")
  }
}

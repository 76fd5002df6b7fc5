import Datasets
import Foundation
import JSONValues
import Reinforcement
import Testing

@Suite("filter/rif, filter/accepted") struct FilterStageTests {
  private func filter(_ parameters: JSONValue = [:]) throws -> Outcome {
    try Bench().run("filter/rif", parameters, inputs: [("rollouts", [RewardMaterials.get().rollouts])])
  }

  /// The `level` column of the kept records: their places.
  private func kept(_ parameters: JSONValue = [:]) throws -> [Int] {
    try rows(of: filter(parameters)["kept"]).compactMap { $0["level"]?.integerValue }
  }

  // MARK: - RIF

  @Test("each criterion keeps its records, in their order")
  func criteria() throws {
    #expect(try kept() == [1, 2, 3, 4, 6])
    #expect(try kept(["criterion": "nonzero_variance"]) == [1, 2, 3, 5, 6])
    #expect(try kept(["criterion": "pass_rate"]) == [1, 2, 3, 6])
    #expect(try kept(["criterion": "pass_rate", "filter_low": 0.25, "filter_high": 0.75]) == [2])
    #expect(try kept(["criterion": "pass_rate", "filter_low": 0.2, "filter_high": 1]) == [1, 2, 3, 6])
    #expect(try kept(["threshold": 0.5]) == [1, 2, 3, 4, 5, 6])
    #expect(try kept(["threshold": 1.0000009]) == [1, 2, 3, 4, 6])
    #expect(try kept(["threshold": 1.000002, "filter_key": "reward", "criterion": "nonzero_variance"]) == [0, 1, 2, 3, 4, 5, 6])
  }

  @Test("the accuracy component is tested: a well-formatted wrong answer keeps no record")
  func component() throws {
    #expect(try !kept().contains(0))
    #expect(try kept(["filter_key": "reward", "threshold": 0.1]).contains(0))
  }

  @Test("kept records have all their columns, and their rollouts are the lines they were")
  func columns() throws {
    let outcome = try filter()
    let record = try rows(of: outcome["kept"])[0]
    #expect(
      record.encoded()
        == #"{"prompt":"sum 1 ","completion":" gold","answer":"1","verify":{"rule":"numeric","take":"last"},"level":1,"source":"made"}"#)
    let lines = try text(of: RewardMaterials.get().rollouts).split(separator: "\n")
    #expect(try text(of: outcome["kept_rollouts"]).split(separator: "\n") == [1, 2, 3, 4, 6].map { lines[$0] })
  }

  @Test("the control keeps as many records, drawn from all, another set for another seed")
  func control() throws {
    var sets: Set<[Int]> = []
    for seed in 0..<6 {
      let drawn = try kept(["control": "random_same_size", "seed": .integer(seed)])
      #expect(drawn.count == 5 && drawn == drawn.sorted())
      #expect(try drawn == kept(["control": "random_same_size", "seed": .integer(seed)]))
      sets.insert(drawn)
    }
    #expect(sets.count > 3)
    let report = try json(of: filter(["control": "random_same_size"])["report"])
    #expect(report["kept"] == 5 && report["reasons"]?["correct"] == 5)
  }

  @Test("the report: counts, a reason for each record, pass rates and variances before and after")
  func report() throws {
    let outcome = try filter(["criterion": "nonzero_variance"])
    let report = try json(of: outcome["report"])
    #expect(report["records"] == 8 && report["kept"] == 5 && report["dropped"] == 3 && report["share_kept"] == 0.625)
    #expect(report["reasons"] == ["varied": 5, "none_correct": 1, "all_correct": 1, "not_scored": 1])
    let verdicts = try #require(report["per_record"]?.arrayValue)
    #expect(
      verdicts.map { $0["reason"]?.stringValue }
        == ["none_correct", "varied", "varied", "varied", "all_correct", "varied", "varied", "not_scored"])
    #expect(
      verdicts[1] == [
        "index": 1, "kept": true, "reason": "varied", "scored": 4, "correct": 1, "pass_rate": 0.25,
        "reward_mean": 0.275, "reward_variance": verdicts[1]["reward_variance"] ?? nil,
      ])
    // Rewards .9, .1, 0, .1: the mean of squares less the square of the mean.
    let variance = try #require(verdicts[1]["reward_variance"]?.numberValue)
    #expect((variance - (0.83 / 4 - 0.275 * 0.275)).magnitude < 1e-12)
    let before = try #require(report["before"])
    #expect(before["completions"] == 32)
    let rate = try #require(before["pass_rate"]?.numberValue)
    #expect((rate - 11.0 / 28).magnitude < 1e-12)
    #expect(
      before["pass_rate_histogram"] == [
        ["pass_rate": 0, "records": 2], ["pass_rate": 0.25, "records": 2], ["pass_rate": 0.5, "records": 1],
        ["pass_rate": 0.75, "records": 1], ["pass_rate": 1, "records": 1],
      ])
    let histogram = try #require(before["reward_variance_histogram"])
    #expect(try numbers(histogram["records"]).reduce(0, +) == 7 && histogram["zero"] == 0 && histogram["beyond"] == 0)
    #expect(report["after"]?["records"] == 5)
    let rates = try rows(of: outcome["pass_rates"])
    #expect(rates[2]["values"] == [1, 1, 0, 0] && rates[2]["prompt"] == "Q: sum 2" && rates[7]["pass_rate"] == .null)
    #expect(rates[7]["values"] == [nil, nil, nil, nil])
  }

  @Test("the table for people")
  func table() throws {
    let summary = try text(of: filter()["summary"])
    #expect(
      summary == """
        ## Instances kept by any_correct on accuracy

        5 of 8 records kept (62.5 %).

        |        | records | completions | mean pass rate | mean reward | reward variance | within records | equal rewards |
        |--------|--------:|------------:|---------------:|------------:|----------------:|---------------:|--------------:|
        | before |       8 |          32 |          0.393 |       0.436 |           0.183 |          0.101 |         0.000 |
        | after  |       5 |          20 |          0.550 |       0.545 |           0.198 |          0.130 |         0.000 |

        | criterion says     | records |  share |
        |--------------------|--------:|-------:|
        | keep: correct      |       5 | 62.5 % |
        | drop: none_correct |       2 | 25.0 % |
        | drop: not_scored   |       1 | 12.5 % |

        | pass rate | records before | after |
        |----------:|---------------:|------:|
        |     0.000 |              2 |     0 |
        |     0.250 |              2 |     2 |
        |     0.500 |              1 |     1 |
        |     0.750 |              1 |     1 |
        |     1.000 |              1 |     1 |

        """)
  }

  // MARK: - Rejection sampling

  private func accepted(_ parameters: JSONValue = [:]) throws -> Outcome {
    try Bench().run("filter/accepted", parameters, inputs: [("rollouts", [RewardMaterials.get().rollouts])])
  }

  @Test("right completions become records, each text once, none that was cut off; the counts add up")
  func acceptedCompletions() throws {
    let outcome = try accepted()
    let records = try rows(of: outcome["accepted"])
    #expect(
      records.compactMap { $0["completion"]?.stringValue } == [" 1/0", " 2/0", " 2/1", " 3/0", " 3/1", " 3/2", " 4/0", " 4/1", " 4/2"])
    #expect(
      records[0].encoded()
        == #"{"prompt":"sum 1 ","completion":" 1/0","answer":"1","verify":{"rule":"numeric","take":"last"},"level":1,"source":"made"}"#)
    #expect(
      try json(of: outcome["report"]) == [
        "records": 8, "records_kept": 4, "completions": 32, "accepted": 9, "not_scored": 4, "below_threshold": 17, "truncated": 1,
        "duplicates": 1, "beyond_maximum": 0,
      ])
  }

  @Test("at most so many of a record, by the seed; with duplicates, cut-off ones, and the text that was read, where asked")
  func acceptedOptions() throws {
    let few = try rows(of: accepted(["max_per_prompt": 2])["accepted"])
    #expect(few.compactMap { $0["level"]?.integerValue } == [1, 2, 2, 3, 3, 4, 4])
    #expect(try rows(of: accepted(["deduplicate": false])["accepted"]).count == 10)
    #expect(try rows(of: accepted(["drop_truncated": false])["accepted"]).last?["completion"] == " 6/2")
    #expect(try rows(of: accepted(["prompt": "text"])["accepted"]).first?["prompt"] == "Q: sum 1")
  }

  @Test(
    "tokenized as they were asked, accepted records have the prompt tokens that the model read",
    arguments: [
      ("plain", "{prompt}", "record"), ("plain", "Question: {prompt} =", "record"), ("chat", "{prompt}!", "record"),
      ("plain", "Question: {prompt} =", "text"), ("chat", "{prompt}!", "text"),
    ])
  func promptTokens(format: String, template: String, form: String) throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let prompts = try bench.write(
      #"{"prompt":"reverse a b ","answer":"b a"}"# + "\n" + #"{"prompt":[{"role":"user","content":"sort c a"}],"answer":"a c"}"# + "\n",
      "prompts.jsonl")
    let asked = format == "plain" ? try bench.write(text(of: prompts).split(separator: "\n")[0] + "\n", "plain.jsonl") : prompts
    let asking: [(String, JSONValue)] = [("format", .string(format)), ("template", .string(template))]
    let rollouts = try bench.run(
      "rollout",
      .object(
        JSONObject(
          asking + [
            ("num_generations", 3), ("max_completion_length", 5), ("rewards", Self.anyLength),
          ])),
      inputs: [("model", [materials.model]), ("prompts", [asked])])["rollouts"]
    let accepted = try bench.run(
      "filter/accepted", ["filter_key": "length", "drop_truncated": false, "prompt": .string(form)], inputs: [("rollouts", [rollouts])])[
        "accepted"]
    let again: [(String, JSONValue)] = form == "text" ? [("format", "plain")] : asking
    let tokens = try bench.run(
      "tokenize", .object(JSONObject(again)), inputs: [("data", [accepted]), ("tokenizer", [materials.tokenizer])])["tokens"]
    let records = try TokenizedRecords(directory: tokens.path)
    var place = 0
    for rollout in try RolloutFile(rollouts.path).rollouts() {
      let texts = Set(rollout.samples.map(\.text))
      for _ in texts {
        let range = records.range(place)
        let targets = zip(records.ids[range], records.trained[range])
        #expect(targets.prefix { $0.1 == 0 }.map { $0.0 } == rollout.promptIDs)
        place += 1
      }
    }
    #expect(place == records.count)
  }

  private static let anyLength: JSONValue = [
    .object(
      JSONObject([
        ("name", .null), ("kind", "length"), ("weight", 1), ("required", false), ("min_length", 0),
      ]))
  ]

  // MARK: - Bad input

  @Test("rollouts that were not scored, have no such component, or nothing that could be scored")
  func unscored() throws {
    let bench = try Bench()
    func failure(_ stage: String, _ text: String, _ parameters: JSONValue = [:]) throws -> String? {
      bench.failure(stage, parameters, inputs: [("rollouts", [try bench.write(text, "rollouts.jsonl")])])
    }
    let scored = try text(of: RewardMaterials.get().rollouts)
    let lines = scored.split(separator: "\n").map { String($0) + "\n" }
    let bare =
      #"{"prompt":"a","prompt_text":"a","prompt_ids":[1],"completions":[{"text":"b","ids":[2],"logprobs":[-1],"finish":"stop"}]}"# + "\n"
    for stage in ["filter/rif", "filter/accepted"] {
      try expect(
        failure(stage, lines[0] + bare), is: "rollouts.jsonl:2: the completions were not scored: they have no 'rewards'")
      try expect(
        failure(stage, scored, ["filter_key": "acuracy"]),
        is: "rollouts.jsonl:1: the completions have no reward 'acuracy'; there is 'accuracy', 'format', 'reward', their sum")
      try expect(failure(stage, lines[7]), is: "rollouts.jsonl: no completion could be scored: 'accuracy' is null for all of them")
      try expect(failure(stage, ""), is: "rollouts.jsonl: holds no rollouts")
      try expect(
        failure(stage, #"{"prompt":"a","completion":"b"}"#), is: "rollouts.jsonl:1: 'prompt_text' must be a string: this is no rollout")
      try expect(
        failure(stage, bare.replacingOccurrences(of: "[-1]", with: "[-1,-2]")),
        is: "rollouts.jsonl:1: 'completions[0]' has 1 ids and 2 logprobs")
    }
    try expect(
      failure("filter/rif", lines[0] + lines[7]),
      is: "rollouts.jsonl: criterion any_correct keeps none of the 2 records (none_correct 1, not_scored 1)")
    try expect(
      failure("filter/accepted", lines[0]),
      is: "rollouts.jsonl: none of 4 completions is accepted: 4 below the threshold, 0 truncated")
    try expect(
      failure("filter/rif", scored, ["filter_low": 0.5, "filter_high": 0.5]),
      is: "parameter filter_low: 0.5 is not below filter_high, 0.5")
  }
}

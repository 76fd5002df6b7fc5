import Foundation
import JSONValues
import Testing

@Suite("data/mix, data/inspect, data/rewrite") struct MixStageTests {
  private func records(_ bench: Bench, _ name: String, _ count: Int) throws -> Given {
    let lines = (0..<count).map { #"{"prompt":"\#(name) \#($0)","completion":" \#($0)"}"# + "\n" }
    return DataMaterials.labelled(try bench.write(lines.joined(), name + ".jsonl"), name)
  }

  // MARK: - data/mix

  @Test("replay: the new task whole, a share of the earlier ones, all columns and where each record comes from")
  func replay() throws {
    let bench = try Bench()
    let inputs = [("data", [try records(bench, "new", 19)]), ("replay", [try records(bench, "old", 10), try records(bench, "older", 10)])]
    let outcome = try bench.run("data/mix", ["replay_ratio": 0.24, "source_column": "source"], inputs: inputs)
    let mixed = try rows(of: outcome["mixed"])
    #expect(mixed.count == 25)
    #expect(mixed.filter { $0["source"] == "new" }.map { $0["prompt"] } == (0..<19).map { .string("new \($0)") })
    for name in ["old", "older"] {
      let own = mixed.filter { $0["source"]?.stringValue == name }.compactMap { $0["prompt"]?.stringValue }
      #expect(own.count == 3 && Set(own).count == 3 && own.allSatisfy { $0.hasPrefix(name + " ") })
    }
    let counts = try json(of: outcome["counts"])
    #expect(counts["records"] == 25 && counts["replay_share"] == 0.24)
    #expect(
      counts["sources"]?[1]
        == ["source": "old", "input": "replay", "records": 10, "wanted": 3, "taken": 3, "distinct": 3, "share": 0.12])
    // What is mixed again keeps its mark.
    let again = try bench.run(
      "data/mix", ["source_column": "source", "strategy": "concatenate"], inputs: [("data", [outcome["mixed"]])])
    #expect(try text(of: again["mixed"]) == text(of: outcome["mixed"]))
  }

  @Test("an empty replay gives the data; the same seed gives the same bytes, at any number of threads")
  func empty() throws {
    let bench = try Bench()
    let new = try records(bench, "new", 19)
    #expect(try text(of: bench.run("data/mix", inputs: [("data", [new]), ("replay", [])])["mixed"]) == text(of: new))
    let inputs = [("data", [new]), ("replay", [try records(bench, "old", 100)])]
    let outcomes = try [1, 3].map { try bench.run("data/mix", ["replay_ratio": 0.5], inputs: inputs, threads: $0).digests() }
    #expect(outcomes[0] == outcomes[1])
  }

  @Test("mixes that cannot be made are refused by source or by parameter")
  func refusedMixes() throws {
    let bench = try Bench()
    let (new, old) = (try records(bench, "new", 20), try records(bench, "old", 3))
    let nothing = DataMaterials.labelled(try bench.write("\n", "nothing.jsonl"), "nothing")
    func failure(_ parameters: JSONValue, _ data: [Given], _ replay: [Given] = []) -> String? {
      bench.failure("data/mix", parameters, inputs: [("data", data), ("replay", replay)])
    }
    expect(failure(["replay_ratio": 0.5], [new], [old]), is: "source 'old' has 3 records, and 20 are wanted of it")
    expect(failure([:], [nothing], [old]), is: "the mix is empty: 'data' holds no records")
    expect(failure([:], [new], [nothing]), is: "source 'replay' holds no records, and 1 are wanted of it")
    expect(failure(["strategy": "concatenate"], [nothing]), is: "the mix is empty: no source gives a record")
    expect(
      failure(["replay_ratio": 1], [new], [old]), is: "1.0 of the result cannot be replay beside all of 'data'; the share must be below 1")
    expect(failure(["ratios": [1, 1]], [new], [old]), is: "parameter ratios: is of strategy interleave; replay does not read it")
    expect(
      failure(["strategy": "concatenate", "total": 5], [new]),
      is: "parameter total: is of strategy interleave; concatenate does not read it")
    expect(
      failure(["strategy": "concatenate", "replacement": true], [new]),
      is: "parameter replacement: strategy concatenate takes every record once")
    expect(
      failure(["strategy": "interleave", "ratio_of": "first", "total": 5], [new, old]),
      is: "parameter total: with ratio_of first the ratios say how many records there are")
    expect(failure(["strategy": "interleave", "ratios": [1]], [new, old]), is: "there are 1 ratios for 2 sources: 'new', 'old'")
    expect(failure(["source_column": "prompt"], [new]), is: "parameter source_column: 'prompt' is a member that records are read by")
    let broken = try bench.write(#"{"prompt":"a"}"# + "\n{", "broken.jsonl")
    expect(failure([:], [broken]), is: "broken.jsonl:2: not valid JSON at column 2: expected a key in double quotes")
  }

  // MARK: - data/inspect

  @Test("an inspection finds what is there: duplicates, leakage with a warning, answers and lengths, each with its place")
  func inspect() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let data = DataMaterials.labelled(
      try bench.write(
        """
        {"prompt":"What is one?","completion":"1"}
        {"prompt":"What is two?","completion":"2"}
        {"prompt":"What is one?","completion":"1"}
        {"prompt":"What is one?","completion":"uno"}
        {"prompt":"what is TWO","completion":"2"}

        """, "data.jsonl"), "numbers")
    let heldout = DataMaterials.labelled(
      try bench.write(
        #"{"prompt":"what is two","completion":"2"}"# + "\n" + #"{"prompt":"what is nine","completion":"9"}"# + "\n", "held.jsonl"), "kept")
    let outcome = try bench.run("data/inspect", inputs: [("data", [data]), ("heldout", [heldout]), ("tokenizer", [materials.tokenizer])])
    let table = try json(of: outcome["table"])
    #expect(table["records"] == 5 && table["contradictions"] == nil)
    #expect(["exact", "conflicting", "normalized", "near"].map { table["duplicates"]?[$0] } == [1, 1, 1, 0])
    #expect(
      table["duplicates"]?["examples"]?[1]?["record"] == "numbers:4" && table["duplicates"]?["examples"]?[1]?["earlier"] == "numbers:1")
    #expect(table["leakage"]?["found"] == 1 && table["leakage"]?["questions"] == 2 && table["leakage"]?["normalized"] == 1)
    #expect(table["leakage"]?["suites"]?[0]?["examples"]?[0]?["heldout"] == "kept:1")
    #expect(table["answers"]?["most_frequent_share"] == 0.4 && table["answers"]?["distinct"] == 3)
    #expect(table["lengths"]?["prompt_characters"]?["max"] == 12 && (table["lengths"]?["prompt_tokens"]?["max"]?.integerValue ?? 0) > 2)
    let report = try text(of: outcome["report"])
    #expect(report.contains("**Leakage**: 1 of 2 questions of suite 'kept' stand in the training data: 1 normalized."))
    #expect(report.contains("| conflicting | same question, another target"))
  }

  @Test("records against what a model is sure of: its answers are rollouts' greedy ones, its probabilities those of scoring")
  func contradictions() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let parameters: JSONValue = [
      "max_completion_length": 8, "stop": ["a", "e"], "sure_above": 0.000001, "unlikely_below": 1, "examples": 100,
    ]
    let table = try json(
      of: bench.run("data/inspect", parameters, inputs: [("data", [materials.records]), ("model", [materials.model])])["table"])
    let found = try #require(table["contradictions"])
    let rollouts = try rows(
      of: bench.run(
        "rollout", ["num_generations": 1, "greedy": true, "max_completion_length": 8, "stop": ["a", "e"]],
        inputs: [("model", [materials.model]), ("prompts", [materials.records])])["rollouts"])
    #expect(found["asked"] == 48 && found["unjudged"] == 0)
    let wrong = rollouts.enumerated().filter { $1["greedy"]?["finish"] == "stop" && $1["greedy"]?["rewards"]?["accuracy"] == 0 }
    let examples = try #require(found["examples"]?.arrayValue)
    #expect(examples.count == wrong.count && !wrong.isEmpty)
    for (index, rollout) in wrong {
      let example = try #require(examples.first { $0["record"] == .string("data[0]:\(index + 1)") })
      #expect(example["answer"] == rollout["greedy"]?["text"])
      let logs = try numbers(rollout["greedy"]?["logprobs"])
      let probability = try #require(example["answer_probability"]?.numberValue)
      #expect((probability - exp(logs.reduce(0, +) / Double(logs.count))).magnitude < 1e-6)
    }
    let surest = try numbers(.array(examples.compactMap { $0["answer_probability"] }))
    #expect(surest == surest.sorted(by: >))
  }

  @Test("nothing to look at, and bad rules")
  func refusedInspections() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let empty = try bench.write("", "empty.jsonl")
    expect(bench.failure("data/inspect", inputs: [("data", [empty])]), is: "there are no records to look at")
    expect(
      bench.failure("data/inspect", ["scorer": ["rule": "magic"]], inputs: [("data", [materials.records]), ("model", [materials.model])]),
      is: "parameter scorer: unknown rule 'magic'; known are exact, numeric, regex, contains, choice")
  }

  // MARK: - data/rewrite

  @Test("a writing that is whole and right takes the target's place; any other leaves the record, or drops it")
  func rewrite() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    // Whatever ends is right, by a rule that everything meets: then by one that nothing does.
    let base: [(String, JSONValue)] = [("template", "{prompt} {completion} "), ("max_completion_length", 8), ("stop", ["a", "e"])]
    func run(_ parameters: [(String, JSONValue)]) throws -> Outcome {
      try bench.run(
        "data/rewrite", .object(JSONObject(base + parameters)), inputs: [("model", [materials.model]), ("data", [materials.records])])
    }
    let records = try rows(of: materials.records)
    let all = try run([("scorer", ["rule": "regex", "pattern": "()", "group": 1, "regexes_to_ignore": [".*"]])])
    let report = try json(of: all["report"])
    let samples = try rows(of: all["samples"])
    let rewritten = try rows(of: all["rewritten"])
    let count = try #require(report["rewritten"]?.integerValue)
    #expect(count > 0 && count + (report["kept"]?.integerValue ?? 0) == 48 && report["reasons"]?["right"]?.integerValue == count)
    #expect(samples.count == 48 && rewritten.count == 48)
    for (index, sample) in samples.enumerated() {
      #expect(rewritten[index]["prompt"] == records[index]["prompt"] && rewritten[index]["answer"] == records[index]["answer"])
      if sample["rewritten"] == true {
        let words = try #require(sample["written"]?.stringValue).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(rewritten[index]["completion"] == .string(" " + words))
      } else {
        #expect(rewritten[index] == records[index])
      }
    }

    let none = try run([("scorer", ["rule": "exact"])])
    #expect(try text(of: none["rewritten"]) == text(of: materials.records))
    #expect(try json(of: none["report"])["rewritten"] == 0)
    expect(
      bench.failure(
        "data/rewrite", .object(JSONObject(base + [("when_wrong", "drop")])),
        inputs: [("model", [materials.model]), ("data", [materials.records])]), is: "no record is left: all 48 are dropped")
  }

  @Test("records that ask nothing are kept, those that cannot be asked are named by file and line")
  func oddRecords() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let mixed = try bench.write(#"{"text":"only text"}"# + "\n" + #"{"prompt":"nothing to write anew"}"# + "\n", "mixed.jsonl")
    let outcome = try bench.run("data/rewrite", ["max_completion_length": 4], inputs: [("model", [materials.model]), ("data", [mixed])])
    #expect(try text(of: outcome["rewritten"]) == text(of: mixed))
    #expect(try json(of: outcome["report"])["reasons"]?["not_asked"] == 2)
    let good = #"{"prompt":"a","completion":" b"}"# + "\n"
    let long = try bench.write(good + #"{"prompt":"\#(String(repeating: "word ", count: 80))","completion":" b"}"# + "\n", "long.jsonl")
    let message = bench.failure(
      "data/rewrite", ["max_completion_length": 4, "template": "{prompt}{completion}"],
      inputs: [("model", [materials.model]), ("data", [long])])
    #expect(message?.hasPrefix("long.jsonl:2: the prompt has ") == true, "\(message ?? "")")
    expect(
      bench.failure(
        "data/rewrite", ["template": "{prompt} {topic}", "max_completion_length": 4],
        inputs: [("model", [materials.model]), ("data", [long])]),
      is: "long.jsonl:1: the prompt template asks for 'topic', which the record does not have")
  }
}

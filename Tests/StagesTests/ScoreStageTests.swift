import Foundation
import JSONValues
import Testing

@Suite("evaluate, report/scores") struct ScoreStageTests {
  @Test("generated answers: exact_match is the mean of the records' marks, with the best constant answer beside it")
  func generation() throws {
    let materials = try Materials.get()
    let outcome = try Bench().run("evaluate", inputs: [("model", [materials.model]), ("suite", [materials.written])])
    let scores = try json(of: outcome["scores"])
    let samples = try rows(of: outcome["samples"])
    #expect(scores["suite"] == "reverse" && scores["kind"] == "generation" && scores["metric"] == "exact_match" && scores["n"] == 20)
    let marks = try numbers(scores["per_record"]?["exact_match"])
    #expect(marks == samples.map { $0["exact_match"]?.numberValue ?? -1 })
    for sample in samples { #expect((sample["extracted"] == sample["target"]) == (sample["exact_match"] == 1)) }
    #expect(scores["metrics"]?["exact_match"]?["value"]?.numberValue == marks.reduce(0, +) / 20)
    #expect(scores["best_constant"]?["score"] == 0.05)
    #expect(samples.map { $0["doc_id"] } == (0..<20).map { .integer($0) })
  }

  @Test("multiple choice: the likeliest choice counts, by the sum of its log-likelihoods and by its length")
  func choice() throws {
    let materials = try Materials.get()
    let outcome = try Bench().run("evaluate", inputs: [("model", [materials.model]), ("suite", [materials.chosen])])
    let scores = try json(of: outcome["scores"])
    let samples = try rows(of: outcome["samples"])
    #expect(samples.count == 12)
    var right = (sum: 0.0, norm: 0.0)
    for sample in samples {
      let sums = try numbers(sample["log_likelihoods"])
      let choices = try strings(sample["choices"])
      let gold = try #require(sample["target"]?.integerValue)
      let normalized = zip(sums, choices).map { $0 / Double($1.unicodeScalars.count) }
      #expect(sums.allSatisfy { $0 < 0 })
      if sums.firstIndex(of: sums.max() ?? 0) == gold { right.sum += 1 }
      if normalized.firstIndex(of: normalized.max() ?? 0) == gold { right.norm += 1 }
    }
    #expect(scores["metrics"]?["acc"]?["value"]?.numberValue == right.sum / 12)
    #expect(scores["metrics"]?["acc_norm"]?["value"]?.numberValue == right.norm / 12)
    let share = right.sum / 12
    let error = try #require(scores["metrics"]?["acc"]?["stderr"]?.numberValue)
    #expect((error - (share * (1 - share) / 11).squareRoot()).magnitude < 1e-12)
  }

  @Test("perplexity: bits per byte from all texts' log-likelihoods")
  func perplexity() throws {
    let materials = try Materials.get()
    let outcome = try Bench().run("evaluate", inputs: [("model", [materials.model]), ("suite", [materials.measured])])
    let scores = try json(of: outcome["scores"])
    let samples = try rows(of: outcome["samples"])
    let bits = samples.reduce(0.0) { $0 - ($1["log_likelihood"]?.numberValue ?? 0) } / log(2)
    let bytes = samples.reduce(0) { $0 + ($1["bytes"]?.integerValue ?? 0) }
    let value = try #require(scores["metrics"]?["bits_per_byte"]?["value"]?.numberValue)
    #expect((value - bits / Double(bytes)).magnitude < 1e-12 * value)
    #expect(scores["higher_is_better"] == false && value > 1)
  }

  @Test("a table of two models on two suites and their mean")
  func table() throws {
    let materials = try Materials.get()
    let outcome = try Bench().run(
      "report/scores", ["title": "Copy and sort", "groups": ["both": ["copy", "sort"]]],
      inputs: [("base", materials.baseScores), ("models", materials.otherScores)])
    #expect(
      try text(of: outcome["report"]) == """
        ## Copy and sort

        | model                |                 copy |                sort |                both |
        |----------------------|---------------------:|--------------------:|--------------------:|
        | base                 |          75.0 ± 16.4 |         25.0 ± 16.4 |         50.0 ± 11.6 |
        | learning_rate 0.001  | 25.0 ± 16.4 (-50.0*) | 50.0 ± 18.9 (+25.0) | 37.5 ± 12.5 (-12.5) |
        | best constant answer |                 12.5 |                12.5 |                     |

        ± is the standard error; in parentheses the change from the base, with * where 0 lies outside its paired 95.0% bootstrap interval.

        """)
    #expect(
      try json(of: outcome["table"])
        == JSONValue.parse(
          """
          {"columns":["copy", "sort", "both"],"confidence":0.95,"rows":[
           {"model":"base","labels":{},"scores":{
             "copy":{"value": 75, "stderr": 16.37},
             "sort":{"value": 25, "stderr": 16.37},
             "both":{"value": 50, "stderr": 11.575338008023783}}},
           {"model":"learning_rate 0.001","labels":{"learning_rate": 0.001},"scores":{
             "copy":{"value": 25, "stderr": 16.37, "change": -50, "low": -87.5, "high": -12.5, "outside_noise": true},
             "sort":{"value": 50, "stderr": 18.9, "change": 25, "low": 0, "high": 50, "outside_noise": false},
             "both":{"value": 37.5, "stderr": 12.501868860294449, "change": -12.5, "low": -31.25, "high": 12.5, "outside_noise": false}}}]}
          """))
  }

  @Test("a model is called by the labels that not all models share, and a record by its name")
  func names() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let copy = materials.otherScores[0]
    func names(_ labels: [[(String, JSONValue)]]) throws -> [String?] {
      let models = labels.map { copy.labelled(JSONObject($0 + [("suite", "copy")])) }
      let outcome = try bench.run("report/scores", inputs: [("base", materials.baseScores), ("models", models)])
      return try json(of: outcome["table"])["rows"]?.arrayValue?.dropFirst().map { $0["model"]?.stringValue } ?? []
    }
    let (easy, hard): (JSONValue, JSONValue) = (["name": "sort", "difficulty": 3], ["name": "sort", "difficulty": 5])
    #expect(try names([[("seed", 1), ("task", easy)], [("seed", 1), ("method", "sft")]]) == ["task sort", "method sft"])
    let long = [#"task {"name":"sort","difficulty":3}"#, #"task {"name":"sort","difficulty":5}"#]
    #expect(try names([[("task", easy)], [("task", hard)]]) == long)
    #expect(try names([[("seed", 1)], [("seed", 1), ("alpha", 0.5)]]) == ["seed 1", "seed 1, alpha 0.5"])
    #expect(try names([[]]) == ["model"])
  }

  @Test("scores of other records, of unknown suites and groups are refused")
  func refused() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    func failure(_ parameters: JSONValue = [:], base: [Given], models: [Given]) -> String? {
      bench.failure("report/scores", parameters, inputs: [("base", base), ("models", models)])
    }
    let (base, models) = (materials.baseScores, materials.otherScores)
    expect(failure(base: [base[0]], models: models), is: "suite 'sort' of model 'learning_rate 0.001' has no score of the base")
    expect(
      failure(["groups": ["all": ["copy", "count"]]], base: base, models: models),
      is: "group 'all' names suite 'count', which the base has no score of")
    expect(failure(["groups": ["all": "copy"]], base: base, models: models), is: "parameter groups.all: expected a list of suite names")
    let foreign = try bench.write(text(of: base[0]).replacingOccurrences(of: "copy-records", with: "others"), "foreign.json")
    expect(
      failure(base: base, models: [foreign.labelled(JSONObject([("alpha", 0.5), ("suite", "copy")]))]),
      is: "suite 'copy' of model 'alpha 0.5' has other records than the base's: they cannot be compared")
    let bits = try bench.write(
      text(of: base[1]).replacingOccurrences(of: "exact_match", with: "bits_per_byte").replacingOccurrences(of: "sort", with: "text"),
      "bits.json")
    expect(
      failure(["groups": ["all": ["copy", "text"]]], base: [base[0], bits.labelled(JSONObject([("suite", "text")]))], models: []),
      is: "group 'all' has no mean: 'copy' is scored by exact_match, 'text' by bits_per_byte")
    expect(failure(base: base + [base[1]], models: models), is: "the base's score on suite 'sort' is given twice")
    expect(failure(base: base, models: models + [models[0]]), is: "suite 'copy' of model 'learning_rate 0.001' is given twice")
    let nothing = try bench.write("{}", "nothing.json")
    expect(failure(base: [nothing], models: []), is: "nothing.json: is no scores file")
  }
}

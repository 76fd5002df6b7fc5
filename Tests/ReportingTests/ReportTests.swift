import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import Reporting
import Testing

/// Every part of a report against the records that it was read from.
@Suite("What a report reads") struct ReportTests {
  /// A base, a step of training by rollouts, scores and reports: one of each kind of record.
  static func whole() throws -> SyntheticRun {
    let run = try SyntheticRun()
    let suite = SyntheticRun.Output(
      "heldout", "suite", files: [("records.jsonl", Array("{}\n{}\n{}\n".utf8)), ("suite.json", Array("{}".utf8))])
    let train = #"{"prompt":"copy a =","completion":" a"}"# + "\n" + #"{"prompt":"swap b c =","completion":" c b"}"# + "\n"
    try run.add("data", "data/tasks", outputs: [.init("train", "dataset", train), suite], .ran(0.5))
    try run.add(
      "base", "model/import", inputs: [("source", ["./models/tiny-llama"])],
      outputs: [.init("model", "model", files: [("config.json", Array(#"{"_name_or_path":"/tmp/x"}"#.utf8))])], .ran(2))
    try run.add(
      "tokens", "tokenize", inputs: [("data", ["data.train"])],
      outputs: [.init("tokens", "tokens", files: [("statistics.json", Records.tokenStatistics.encodedBytes())])], .cached)
    try run.add(
      "rollouts", "rollout", inputs: [("model", ["base.model"]), ("prompts", ["data.train"])],
      outputs: [.init("rollouts", "rollouts", "{}\n"), .init("statistics", "json", Records.statistics)], .ran(3))
    try run.add(
      "kept", "filter/rif", inputs: [("rollouts", ["rollouts.rollouts"])],
      outputs: [.init("kept", "dataset", "{}\n"), .init("report", "json", Records.filter)], .ran(0.25))
    try run.add(
      "train", "train/rft", parameters: JSONObject(of: ["learning_rate": 0.001, "algorithm": "grpo", "beta": 0]),
      changed: ["learning_rate"],
      inputs: [("model", ["base.model"]), ("prompts", ["kept.kept"])],
      outputs: [.init("model", "model", files: [("config.json", Array("{}".utf8))]), .init("log", "json", Records.log(4))],
      metrics: JSONObject(of: ["loss": 0.25]), warnings: ["something to know"], log: "one\ntwo\n", .ran(20))
    let axes: [(String, JSONValue)] = [("suite", "copy")]
    try run.add(
      "base_scores[copy]", "evaluate", axes: axes, inputs: [("model", ["base.model"]), ("suite", ["data.heldout"])],
      outputs: [
        .init("scores", "scores", Records.scores("copy", [1, 0, 0])),
        .init("samples", "file", Records.samples([("a =", " a", " a"), ("b =", " x", " b"), ("c =", " x", " c")])),
      ])
    try run.add(
      "scores[copy]", "evaluate", axes: axes, inputs: [("model", ["train.model"]), ("suite", ["data.heldout"])],
      outputs: [
        .init("scores", "scores", Records.scores("copy", [1, 1, 0])),
        .init("samples", "file", Records.samples([("a =", " a", " a"), ("b =", " b", " b"), ("c =", " y", " c")])),
      ])
    try run.add(
      "look", "score/tokens", inputs: [("models", ["base.model"]), ("data", ["tokens.tokens"])],
      outputs: [.init("report", "json", Records.tokens)])
    try run.add(
      "forgetting", "report/forgetting", parameters: JSONObject(of: ["title": "Two tasks"]),
      inputs: [("base", ["base_scores[copy].scores"]), ("steps", ["scores[copy].scores"])],
      labels: [
        "base": [JSONObject(of: ["suite": "copy"])], "steps": [JSONObject(of: ["method": "sft", "task": "swap", "suite": "copy"])],
      ],
      outputs: [.init("table", "json", Records.forgetting())])
    try run.finish(parameters: JSONObject(of: ["seed": 2, "rate": 0.5]))
    return run
  }

  @Test("the run itself: counts, description, what to type to have it again")
  func overview() throws {
    let overview = try Self.whole().report().overview
    #expect(overview.recipe == "synthetic" && overview.description == "made by hand" && overview.standing == "done")
    #expect(overview.counts.map(\.state) == ["ran", "cached"] && overview.counts.map(\.count) == [9, 1])
    #expect(overview.manifest == "recipe.yaml" && overview.seconds == 12.5)
    #expect(overview.command == "heirloom run recipe.yaml --set seed=2")
    #expect(overview.hosts.count == 1 && overview.hosts[0].results == 10)
  }

  @Test("instances: state, time, inputs by who made them, parameters that were changed")
  func instances() throws {
    let run = try Self.whole()
    let report = try run.report()
    let train = try #require(report.instances.first { $0.name == "train" })
    #expect(train.stage == "train/rft" && train.state == "ran" && train.seconds == 20 && train.warnings == ["something to know"])
    #expect(train.log == ["one", "two"] && train.changed == ["learning_rate"] && train.changedText == "learning_rate 0.001")
    let model = try #require(train.inputs.first { $0.name == "model" }?.elements.first)
    #expect(report.instances[try #require(model.from)].name == "base" && model.output == "model" && model.type == "model")
    #expect(model.digest == run.digests["base.model"])
    let source = try #require(report.instances.first { $0.name == "base" }?.inputs.first?.elements.first)
    #expect(source.from == nil && source.source == "./models/tiny-llama")
    let cached = try #require(report.instances.first { $0.name == "tokens" })
    #expect(cached.isCached && cached.began == nil && cached.lane == nil && cached.seconds == 2)
    #expect(train.lane != nil && train.needs.map { report.instances[$0].name } == ["base", "kept"])
  }

  @Test("the matrix is the record's")
  func matrix() throws {
    let report = try Self.whole().report()
    let matrix = try #require(report.matrices.first)
    #expect(matrix.instance == "forgetting" && matrix.title == "Two tasks" && matrix.referenceMethod == "sft")
    let method = try #require(matrix.methods.first)
    #expect(method.cells.map { $0.map { $0?.value.mean } } == [[50, 0], [93.75, 12.5], [37.5, 87.5]])
    #expect(method.cells[2].map { $0?.change } == [-12.5, 87.5] && method.cells[0].allSatisfy { $0?.change == nil })
    #expect(method.cells[2][0]?.interval?.low == -17 && method.cells[2][0]?.standardError == 6.25)
    #expect(method.metric("fm")?.mean == -28.125 && method.forgotten.count == 1 && method.forgotten.of == 2)
    #expect(method.general?.mean == -11.25 && method.general?.low == -20 && method.general?.suites.first?.after == [75, 68.75])
    #expect(matrix.json["methods"] == Records.forgetting()["methods"] && matrix.json["title"] == "Two tasks")
  }

  @Test("curves, rollouts, tokens, evaluations and data are the records'")
  func parts() throws {
    let report = try Self.whole().report()
    let curves = try #require(report.curves.first)
    #expect(curves.instance == "train" && !curves.isPartial && curves.series.map(\.name) == ["loss", "learning_rate", "kl"])
    #expect(curves["loss"]?.points.map(\.value) == [1, 0.5, 1.0 / 3, 0.25] && curves["kl"]?.points.map(\.step) == [2, 3, 4])
    let rollouts = try #require(report.rollouts.first)
    #expect(report.rollouts.count == 1 && rollouts.prompts == 4 && rollouts.completions == 16)
    #expect(rollouts.statistics.first { $0.name == "reward" }?.value == 0.4)
    let filter = try #require(rollouts.filters.first)
    #expect(filter.instance == "kept" && filter.kept == 2 && filter.of == 4 && filter.before.rewardVariance == 0.0625)
    #expect(filter.before.passRates == [.init(rate: 0, records: 2), .init(rate: 0.5, records: 2)] && filter.after.passRates.count == 1)
    let hard = try #require(report.tokens.first?.models.first?.hardest.first)
    #expect(hard.text == " swap" && hard.probability == 0.03125)
    #expect(hard.sentence?.prompt == "swap b c =" && hard.sentence?.completion == " c b")
    #expect(report.evaluations.map(\.value) == [1.0 / 3, 2.0 / 3] && report.evaluations.map(\.suite) == ["copy", "copy"])
    #expect(report.evaluations.map { $0.maker.map { report.instances[$0].name } } == ["base", "train"])
    let data = try #require(report.data.first { $0.stage == "data/tasks" })
    #expect(data.records == 2 && data.heldout == 3)
    #expect(report.data.first { $0.stage == "tokenize" }?.trainedTokens == 6)
  }

  @Test("answers of the base and of the end stand beside each other, wrong ones first")
  func samples() throws {
    let report = try Self.whole().report()
    let set = try #require(report.samples.first)
    #expect(set.suite == "copy" && set.models.map(\.model) == ["base", "train"] && set.models.map(\.right) == [1, 2])
    #expect(set.models.map(\.isBase) == [true, false] && set.records == 3)
    #expect(set.rows.map(\.record) == [2, 1, 0])
    #expect(set.rows[1].answers.map { $0?.isRight } == [false, true] && set.rows[1].expected == [" b"])
  }

  @Test("a model's way back names everything it hangs on, inputs first")
  func lineage() throws {
    let report = try Self.whole().report()
    let lineage = try #require(report.lineages.first { $0.name == "train.model" })
    #expect(lineage.steps.map { report.instances[$0].name } == ["data", "base", "rollouts", "kept", "train"])
    #expect(lineage.models.map { report.instances[$0].name } == ["base"] && lineage.isLast)
    #expect(report.lineages.first { $0.name == "base.model" }?.isLast == false)
  }

  @Test("the methods of a report on forgetting are points where there is no Pareto report")
  func derivedFront() throws {
    var table = try #require(Records.forgetting().objectValue)
    let other = try #require(Records.forgetting(method: "rft")["methods"]?[0]?.objectValue)
    var metrics = try #require(other["metrics"]?.objectValue)
    metrics.set("avg_acc", ["mean": 50, "sd": nil, "seeds": 1])
    var worse = other
    worse.set("metrics", .object(metrics))
    table.set("methods", .array((table["methods"]?.arrayValue ?? []) + [.object(worse)]))
    let run = try SyntheticRun()
    try run.add("forgetting", "report/forgetting", outputs: [.init("table", "json", .object(table))])
    try run.finish()
    let front = try #require(try run.report().fronts.first)
    #expect(front.isDerived && front.points.map(\.name) == ["sft", "rft"] && front.points.map(\.isOnFront) == [true, false])
    #expect(front.points[0].domain.value == 62.5 && front.points[0].domain.change == 37.5 && front.base?.domain == 25)
    #expect(front.points[0].general.value == 68.75 && front.points[0].general.change == -11.25 && front.points[0].general.low == -20)
    #expect(front.points[1].dominatedBy == ["sft"])
  }
}

/// Runs that go on, runs that failed, and stores that somebody damaged.
@Suite("Reports of what is not whole") struct PartialReportTests {
  private static let events =
    #"{"t":1,"kind":"progress","done":1,"of":8}"# + "\n" + #"{"t":1,"kind":"metric","step":1,"name":"loss","value":2.5}"# + "\n"
    + "no json\n" + #"{"t":2,"kind":"metric","step":2,"name":"loss","value":1.5}"# + "\n" + #"{"t":3,"kind":"metric","step":2,"#

  @Test("a run that goes on has what is known by now")
  func running() throws {
    let run = try SyntheticRun()
    try run.add("train", "train/sft", log: "step 1\n", events: Self.events, .running)
    try run.add("later", "evaluate", inputs: [("model", ["train.model"])], .waiting)
    try run.finish(status: nil)
    let report = try run.report()
    #expect(report.overview.standing == "running" && report.overview.seconds == nil)
    #expect(report.instances.map(\.state) == ["running", "waiting"])
    #expect(report.instances[0].progress.map { [$0.done, $0.of] } == [1, 8] && report.instances[0].log == ["step 1"])
    let curves = try #require(report.curves.first)
    #expect(curves.isPartial && curves["loss"]?.points == [.init(step: 1, value: 2.5), .init(step: 2, value: 1.5)])
    #expect(report.notes == [])
    for format in ReportFormat.allCases { #expect(report.text(format).contains("running"), "\(format)") }
  }

  @Test("results of many jobs on one kind of machine are one line of the overview, whatever each job used")
  func jobs() throws {
    let run = try SyntheticRun()
    let machine = JSONObject(of: ["cpu": "a processor", "threads": 2])
    for index in 0..<3 {
      run.host = machine
      let used: [(String, JSONValue)] = [
        ("job", .string("\(index)_0")), ("node", .string("n\(index)")), ("elapsed", .integer(index)), ("cpu_seconds", 1),
        ("max_memory", .integer(1000 + index)), ("waited", 2), ("starts", 1),
      ]
      for (name, value) in used { run.host.append(name, value) }
      try run.add("a\(index)", "x")
    }
    run.host = JSONObject(of: ["cpu": "another", "threads": 2])
    try run.add("b", "x")
    try run.finish()
    let hosts = try run.report().overview.hosts
    #expect(hosts.map(\.results) == [3, 1])
    #expect(hosts.first?.facts == machine)
  }

  @Test("what failed is said with the end of its log")
  func failed() throws {
    let run = try SyntheticRun()
    try run.add("train", "train/sft", log: "one\ntwo\nthree\n", .failed("exit status 1"))
    try run.finish(status: 1)
    let report = try run.report()
    #expect(report.overview.standing == "failed" && report.instances[0].error == "exit status 1")
    let text = report.text(.markdown)
    #expect(text.contains("**train**: exit status 1") && text.contains("\nthree\n```\n"))
  }

  @Test("each damaged record is one note, and the rest is told all the same")
  func damaged() throws {
    let run = try ReportTests.whole()
    let files = FileManager.default
    func put(_ name: String, _ text: String?) throws {
      let path = run.object(try #require(run.digests[name]))
      try files.removeItem(atPath: path)
      if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    }
    try put("forgetting.table", "{\"methods\": 3}")
    try put("train.log", "{")
    try put("rollouts.statistics", nil)
    try put("scores[copy].samples", "{\"doc_id\":0,\"prompt\":\"a\",\"completion\":\"b\",\"exact_match\":0}\nno json\n")
    try files.removeItem(atPath: run.store.resultPath(try #require(run.keys["kept"])))
    try Data("?".utf8).write(to: URL(fileURLWithPath: run.store.resultPath(try #require(run.keys["look"]))))
    let report = try run.report()
    #expect(report.matrices.isEmpty && report.curves.isEmpty && report.rollouts.isEmpty && report.instances.count == 10)
    #expect(report.samples.first?.models.count == 2)
    for start in [
      "kept: its result is gone", "look: its result cannot be read", "forgetting: output table is not what", "train: output log is no JSON",
      "rollouts: the bytes of output statistics are gone", "scores[copy]: 1 line of output samples",
    ] {
      #expect(report.notes.count { $0.hasPrefix(start) } == 1, "\(start): \(report.notes)")
    }
    #expect(report.notes.count == 6, "\(report.notes)")
    let text = report.text(.text)
    #expect(text.contains("Notes"))
  }
}

import JSONValues
import Testing

@Suite("report/forgetting") struct ForgettingStageTests {
  static let tasks = ["sort", "count", "reverse"]
  /// The golden matrix in points, with b as its row 0.
  static let golden = [[25, 25, 20], [80, 30, 20], [70, 75, 25], [60, 72, 85]]

  /// One method through the tasks, row by row; a base that is there already stays.
  private static func add(_ rows: [[Int?]], method: String? = nil, seed: Int? = nil, to materials: inout ForgettingMaterials) throws {
    var head: [(String, JSONValue)] = []
    if let method { head.append(("method", .string(method))) }
    if let seed { head.append(("seed", .integer(seed))) }
    for (step, row) in rows.enumerated() {
      for (suite, right) in zip(tasks, row) {
        guard let right else { continue }
        let marks = ForgettingMaterials.marks(right)
        if step > 0 {
          let labels = head + [("task", .string(tasks[step - 1])), ("suite", .string(suite))]
          materials.steps.append(try materials.score(.object(JSONObject(labels)), marks))
        } else if !materials.base.contains(where: { $0.labels?["suite"] == .string(suite) }) {
          materials.base.append(try materials.score(["suite": .string(suite)], marks))
        }
      }
    }
  }

  private func report(_ materials: ForgettingMaterials, _ parameters: JSONValue = [:]) throws -> JSONValue {
    try json(of: materials.bench.run("report/forgetting", parameters, inputs: materials.inputs)["table"])
  }

  private func close(_ value: JSONValue?, _ expected: Double) -> Bool { value?.numberValue.map { abs($0 - expected) < 5e-5 } ?? false }

  @Test("the golden values come out of the report, in points")
  func goldenValues() throws {
    var materials = try ForgettingMaterials()
    try Self.add(Self.golden, to: &materials)
    for (suite, right) in zip(Self.tasks, [90, 75, 80]) {
      materials.joint.append(try materials.score(["method": "joint", "suite": .string(suite)], ForgettingMaterials.marks(right)))
    }
    let method = try #require(try report(materials)["methods"]?[0])
    let expected: [(String, Double)] = [
      ("avg_acc", 72.3333), ("avg_incremental_acc", 74.9444), ("fm", -7.66667), ("fm_prior", -11.5), ("fm_since_learned", -7.66667),
      ("chaudhry_f", 11.5), ("bwt", -11.5), ("fwt", 5), ("gain", 53.3333), ("gain_over_base", 56.6667),
    ]
    for (name, value) in expected {
      #expect(close(method["metrics"]?[name]?["mean"], value) && close(method["seeds"]?[0]?["metrics"]?[name], value), "\(name)")
    }
    #expect(method["missing"] == [:] && method["learned"] == true && method["tasks"] == ["sort", "count", "reverse"])
    #expect(method["seeds"]?[0]?["R"] == JSONValue.array(Self.golden.map { .array($0.map { .integer($0) }) }))
    #expect(close(method["seeds"]?[0]?["R_stderr"]?[1]?[0], 4.02015))
    #expect(zip(method["intransigence"]?.arrayValue ?? [], [10, 0, -5]).allSatisfy { close($0["mean"], $1) })
    #expect(close(method["upper_bound_gap"]?["mean"], 9.33333))
  }

  @Test("what the trainings warned of stands in the report, by the training's axis values")
  func warnings() throws {
    var materials = try ForgettingMaterials()
    try Self.add(Self.golden, method: "early", to: &materials)
    let quiet = try materials.bench.write(#"{"step":[]}"#, "quiet.json").labelled(.init([("method", "early"), ("task", "sort")]))
    let warned = try materials.bench.write(#"{"step":[],"warnings":["half is known"]}"#, "warned.json")
      .labelled(.init([("method", "early"), ("task", ["name": "count", "difficulty": 3])]))
    let outcome = try materials.bench.run("report/forgetting", inputs: materials.inputs + [("training", [quiet, warned])])
    #expect(try json(of: outcome["table"])["warnings"] == ["method early, task count: half is known"])
    #expect(try text(of: outcome["report"]).contains("### Warnings\n\n- method early, task count: half is known\n"))
    let plain = try materials.bench.run("report/forgetting", inputs: materials.inputs + [("training", [quiet])])
    #expect(try !text(of: plain["report"]).contains("Warnings"))
  }

  @Test("drops: the best earlier step, its interval and test, and the records that flipped")
  func drops() throws {
    var materials = try ForgettingMaterials()
    try Self.add(Self.golden, to: &materials)
    let tasks = try #require(try report(materials)["methods"]?[0]?["seeds"]?[0]?["tasks"])
    let sort = try #require(tasks[0]?["from_best"])
    #expect(sort["difference"] == -20 && sort["step"] == 1 && sort["after"] == "sort" && sort["comparisons"] == 3)
    #expect(sort["of_all_steps"] == true && sort["verdict"] == "forgetting" && sort["outside_noise"] == true)
    #expect(sort["fell"] == .array((60..<80).map { .integer($0) }) && sort["rose"] == [])
    #expect(close(sort["p_value"], 0.0000019))
    let base = try #require(tasks[0]?["from_base"])
    #expect(base["difference"] == 35 && base["rose"] == .array((25..<60).map { .integer($0) }) && base["verdict"] == "gain")
    // 3 of 100 records fell: nothing to speak of.
    #expect(tasks[1]?["from_best"]?["difference"] == -3 && tasks[1]?["from_best"]?["verdict"] == "within noise")
    #expect(tasks[2]?["from_learned"] == .null)
  }

  @Test("only tasks seen so far evaluated: what needs the rest is null and says so, in JSON and in the table")
  func lowerTriangle() throws {
    var materials = try ForgettingMaterials()
    try Self.add([[25, 25, 20], [80, nil, nil], [70, 75, nil], [60, 72, 85]], to: &materials)
    let outcome = try materials.bench.run("report/forgetting", inputs: materials.inputs)
    let table = try json(of: outcome["table"])
    let method = try #require(table["methods"]?[0])
    for name in ["fm", "fm_prior", "chaudhry_f", "fwt", "gain"] {
      #expect(method["metrics"]?[name] == .null && method["missing"]?[name] == "no score on 'count' after 'sort'", "\(name)")
    }
    #expect(close(method["metrics"]?["fm_since_learned"]?["mean"], -7.66667) && close(method["metrics"]?["bwt"]?["mean"], -11.5))
    #expect(table["learning_told_by"] == "gain_over_base" && method["R"]?[1]?[1] == .null)
    #expect(method["seeds"]?[0]?["tasks"]?[1]?["from_best"]?["of_all_steps"] == false)
    let lines = try text(of: outcome["report"]).split(separator: "\n").map(String.init)
    #expect(lines.contains("| sort    | 80.0 ± 4.0 |          – |          – |"))
    #expect(lines.contains("model has no fm, fm_prior, chaudhry_f, fwt, gain: no score on 'count' after 'sort'."))
    #expect(lines.contains("Learning is told by the gain over the base, for the gain is not known of every method."))
  }

  @Test("general suites: after the last step or after each; bits per byte stay apart")
  func general() throws {
    var materials = try ForgettingMaterials()
    try Self.add(Self.golden, method: "sft", to: &materials)
    let texts = (0..<30).map { 1 + 0.01 * Double($0 % 7) }
    materials.generalBase = [
      try materials.score(["suite": "facts"], ForgettingMaterials.marks(60)),
      try materials.score(["suite": "wiki"], texts, metric: "bits_per_byte"),
    ]
    // "words" is found among the base's scores.
    materials.base.append(try materials.score(["suite": "words"], ForgettingMaterials.marks(50)))
    for (task, right) in zip(Self.tasks, [55, 50, 40]) {
      materials.general.append(
        try materials.score(["method": "sft", "task": .string(task), "suite": "facts"], ForgettingMaterials.marks(right)))
    }
    materials.general.append(try materials.score(["method": "sft", "suite": "words"], ForgettingMaterials.marks(48)))
    materials.general.append(try materials.score(["method": "sft", "suite": "wiki"], texts.map { $0 + 0.05 }, metric: "bits_per_byte"))
    let method = try #require(try report(materials)["methods"]?[0])
    let summary = try #require(method["general"])
    #expect(close(summary["mean_points"], -11) && summary["worst"] == "facts" && close(summary["worst_points"], -20))
    #expect(summary["severity"] == "severe")
    let suites = try #require(method["seeds"]?[0]?["general"]?["suites"])
    #expect(suites.arrayValue?.count == 2 && close(suites[0]?["after"]?[0], 55) && close(suites[0]?["percent"], -33.33333))
    #expect(suites[0]?["verdict"] == "forgetting" && suites[1]?["verdict"] == "within noise" && suites[1]?["after"] == [nil, nil, 48])
    let measured = try #require(method["seeds"]?[0]?["text"]?[0])
    #expect(close(measured["difference"], 0.05) && measured["verdict"] == "forgetting" && measured["points"] == nil)
    #expect(measured["from_base"]?["fell"] == nil && measured["from_base"]?["p_value"] == .null)
  }

  @Test("two methods and three seeds: the whole report")
  func wholeReport() throws {
    var materials = try ForgettingMaterials()
    for seed in 1...3 {
      try Self.add([[25, 25], [80 + seed, 30], [40 + seed, 85]], method: "sft", seed: seed, to: &materials)
      try Self.add([[25, 25], [60, 30], [59, 65 - seed]], method: "grpo", seed: seed, to: &materials)
      for (method, facts, wiki) in [("sft", 40 + seed, 1.2), ("grpo", 49, 1.02)] {
        let labels: [(String, JSONValue)] = [("method", .string(method)), ("seed", .integer(seed))]
        materials.general += [
          try materials.score(.object(JSONObject(labels + [("suite", "facts")])), ForgettingMaterials.marks(facts)),
          try materials.score(.object(JSONObject(labels + [("suite", "wiki")])), [wiki, wiki, wiki, wiki + 0.1], metric: "bits_per_byte"),
        ]
      }
    }
    materials.generalBase = [
      try materials.score(["suite": "facts"], ForgettingMaterials.marks(50)),
      try materials.score(["suite": "wiki"], [1, 1, 1, 1.1], metric: "bits_per_byte"),
    ]
    for suite in ["sort", "count"] { materials.joint.append(try materials.score(["suite": .string(suite)], ForgettingMaterials.marks(90))) }
    let outcome = try materials.bench.run("report/forgetting", ["title": "SFT beside GRPO"], inputs: materials.inputs)
    #expect(
      try text(of: outcome["report"]) == """
        ## SFT beside GRPO

        Tasks in order: sort, count. All scores are in points, the hundredths of a share of right answers.

        | method |       gain | learned         |   FM over T | FM over j<T | Chaudhry's F |         BWT | forgotten |
        |--------|-----------:|-----------------|------------:|------------:|-------------:|------------:|----------:|
        | sft    | 56.0 ± 0.5 | yes (reference) | -20.0 ± 0.0 | -40.0 ± 0.0 |   40.0 ± 0.0 | -40.0 ± 0.0 |    3 of 6 |
        | grpo   | 34.0 ± 0.5 | yes             |  -0.5 ± 0.0 |  -1.0 ± 0.0 |    1.0 ± 0.0 |  -1.0 ± 0.0 |    0 of 6 |

        | method | seeds |     AvgAcc | incremental |       FWT | gap to joint | general mean |        worst | severity           |
        |--------|------:|-----------:|------------:|----------:|-------------:|-------------:|-------------:|--------------------|
        | sft    |     3 | 63.5 ± 0.5 |  72.8 ± 0.8 | 5.0 ± 0.0 |   26.5 ± 0.5 |   -8.0 ± 1.0 | -8.0 (facts) | moderate           |
        | grpo   |     3 | 61.0 ± 0.5 |  60.5 ± 0.2 | 5.0 ± 0.0 |   29.0 ± 0.5 |   -1.0 ± 0.0 | -1.0 (facts) | mild, within noise |

        FM is the mean over tasks of the score at the end less the best score ever, base included: over all T tasks, and over those (j<T) that
        something came after; nearer 0 is better. Chaudhry's F is over the latter too, leaves base and end out of the best, and is positive.
        Gain is what each step added on its own task. Forgotten counts drops beyond noise. A method with under half of the gain of
        sft did not learn: its FM supports no claim.
        ± is the standard deviation over seeds.

        ### Who forgets less

        | method | against |                             FM | claim        |    at gain |                      FM there | claim there  |
        |--------|---------|-------------------------------:|--------------|-----------:|------------------------------:|--------------|
        | grpo   | sft     | -0.5 ± 0.0 against -20.0 ± 0.0 | forgets less | 34.0 ± 0.5 | -0.5 ± 0.0 against -4.0 ± 0.7 | forgets less |

        A claim needs 3 seeds and has to hold on each. Gain and FM build up along a sequence; at equal gain
        both methods are looked at where they have learned as much as the lesser of the two ever did, between steps in proportion.

        ### sft

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 0.0 | 25.0 ± 0.0 |
        | sort  | 82.0 ± 1.0 | 30.0 ± 0.0 |
        | count | 42.0 ± 1.0 | 85.0 ± 0.0 |

        | task  | from the best step |            | lost | won | from the base |      | lost | won | intransigence |
        |-------|-------------------:|------------|-----:|----:|--------------:|------|-----:|----:|--------------:|
        | sort  | -40.0 ± 0.0 (sort) | forgetting |  120 |   0 |   +17.0 ± 1.0 | gain |    0 |  51 |    +8.0 ± 1.0 |
        | count | +55.0 ± 0.0 (sort) | gain       |    0 | 165 |   +60.0 ± 0.0 | gain |    0 | 180 |    +5.0 ± 0.0 |

        ### grpo

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 0.0 | 25.0 ± 0.0 |
        | sort  | 60.0 ± 0.0 | 30.0 ± 0.0 |
        | count | 59.0 ± 0.0 | 63.0 ± 1.0 |

        | task  | from the best step |              | lost | won | from the base |      | lost | won | intransigence |
        |-------|-------------------:|--------------|-----:|----:|--------------:|------|-----:|----:|--------------:|
        | sort  |  -1.0 ± 0.0 (sort) | within noise |    3 |   0 |   +34.0 ± 0.0 | gain |    0 | 102 |   +30.0 ± 0.0 |
        | count | +33.0 ± 1.0 (sort) | gain         |    0 |  99 |   +38.0 ± 1.0 | gain |    0 | 114 |   +27.0 ± 1.0 |

        In brackets the paired 95.0 % bootstrap interval over records. A drop is forgetting when 0 lies outside it and McNemar's exact test
        agrees, and within noise otherwise. The best earlier step is picked by the same scores, which makes the drop from it look larger than
        it is; so its interval and test are those of as many comparisons as there are earlier steps (Bonferroni). Lost are records that went
        from right to wrong, won from wrong to right.
        Of several seeds: the mean drop ± its deviation, how many seeds say what, and the sums of records.

        ### General suites

        | method | suite |       base |        end |     change |     % |              | lost | won | severity |
        |--------|-------|-----------:|-----------:|-----------:|------:|--------------|-----:|----:|----------|
        | sft    | facts | 50.0 ± 0.0 | 42.0 ± 1.0 | -8.0 ± 1.0 | -16.0 | forgetting   |   24 |   0 | moderate |
        | sft    | mean  |            |            | -8.0 ± 1.0 |       |              |      |     | moderate |
        | grpo   | facts | 50.0 ± 0.0 | 49.0 ± 0.0 | -1.0 ± 0.0 |  -2.0 | within noise |    3 |   0 | mild     |
        | grpo   | mean  |            |            | -1.0 ± 0.0 |       |              |      |     | mild     |

        Severity is by points below the base: mild under 5, moderate to 15, severe beyond; catastrophic when every suite is severe
        and most are within 5 of the best constant answer. In the mean's line it is that of the worst suite.

        ### General suites in their own units

        | method | suite | metric        |            base |             end |           change |     % |            |
        |--------|-------|---------------|----------------:|----------------:|-----------------:|------:|------------|
        | sft    | wiki  | bits_per_byte | 1.0250 ± 0.0000 | 1.2250 ± 0.0000 | +0.2000 ± 0.0000 | +19.5 | forgetting |
        | grpo   | wiki  | bits_per_byte | 1.0250 ± 0.0000 | 1.0450 ± 0.0000 | +0.0200 ± 0.0000 |  +2.0 | forgetting |

        Of bits per byte lower is better. These are no points and enter no mean above. Whether a change is noise is told by the records' own
        values, each weighing the same.

        ### What the suites can show

        | suite | records | metric        | best constant answer | smallest drop | from the best step |
        |-------|--------:|---------------|---------------------:|--------------:|-------------------:|
        | sort  |     100 | exact_match   |                 12.5 |          12.5 |               13.8 |
        | count |     100 | exact_match   |                 12.5 |          12.5 |               13.8 |
        | facts |     100 | exact_match   |                 12.5 |          12.5 |                    |
        | wiki  |       4 | bits_per_byte |                      |               |                    |

        Smallest drop: what a comparison with one model, and with the best of all earlier steps, finds in 80 % of cases when
        20 % of the answers change.

        ### Seed by seed

        sft, seed 1:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 81.0 ± 3.9 | 30.0 ± 4.6 |
        | count | 41.0 ± 4.9 | 85.0 ± 3.6 |

        sft, seed 2:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 82.0 ± 3.9 | 30.0 ± 4.6 |
        | count | 42.0 ± 5.0 | 85.0 ± 3.6 |

        sft, seed 3:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 83.0 ± 3.8 | 30.0 ± 4.6 |
        | count | 43.0 ± 5.0 | 85.0 ± 3.6 |

        grpo, seed 1:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 60.0 ± 4.9 | 30.0 ± 4.6 |
        | count | 59.0 ± 4.9 | 64.0 ± 4.8 |

        grpo, seed 2:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 60.0 ± 4.9 | 30.0 ± 4.6 |
        | count | 59.0 ± 4.9 | 63.0 ± 4.9 |

        grpo, seed 3:

        | after |       sort |      count |
        |-------|-----------:|-----------:|
        | base  | 25.0 ± 4.4 | 25.0 ± 4.4 |
        | sort  | 60.0 ± 4.9 | 30.0 ± 4.6 |
        | count | 59.0 ± 4.9 | 62.0 ± 4.9 |

        ± is the standard error over records.

        """)
  }

  @Test("what cannot be placed or paired is one error, with the input and the score's labels")
  func refused() throws {
    var good = try ForgettingMaterials()
    try Self.add([[25, 25], [80, 30], [40, 85]], method: "sft", seed: 1, to: &good)
    let marks = ForgettingMaterials.marks(30)
    func failure(_ parameters: JSONValue = [:], _ change: (inout ForgettingMaterials) throws -> Void) throws -> String? {
      var materials = good
      try change(&materials)
      return good.bench.failure("report/forgetting", parameters, inputs: materials.inputs)
    }
    func cell(_ more: JSONValue = [:]) -> JSONValue {
      var labels = JSONObject([("method", "sft"), ("seed", 1), ("task", "sort"), ("suite", "sort")])
      for (name, value) in more.objectValue?.members ?? [] { labels.set(name, value) }
      return .object(labels)
    }
    #expect(try failure { _ in } == nil)
    expect(try failure { $0.base.removeLast() }, is: "input base: there is no score of suite 'count' for seed 1")
    expect(
      try failure { $0.steps.append(try good.score(cell(), marks)) },
      is: "input steps [method=sft,seed=1,task=sort,suite=sort]: is a second score of the same model on suite 'sort'")
    expect(
      try failure { $0.steps[0] = try good.score(cell(), marks, records: "others") },
      is: "input steps [method=sft,seed=1,task=sort,suite=sort]: has other records than the base's, so they cannot be compared")
    expect(
      try failure { $0.steps[0] = try good.score(cell(), marks, metric: "acc") },
      is: "input steps [method=sft,seed=1,task=sort,suite=sort]: is scored by acc, the base by exact_match")
    expect(
      try failure { $0.steps[0] = try good.score(cell(), marks, metric: "bits_per_byte") },
      is:
        "input steps [method=sft,seed=1,task=sort,suite=sort]: a task is scored in points, not by bits_per_byte; such a suite belongs under 'general'"
    )
    expect(
      try failure { $0.steps.append(try good.score(cell(["suite": "facts"]), marks)) },
      is:
        "input steps [method=sft,seed=1,task=sort,suite=facts]: suite 'facts' is none of the tasks (sort, count); scores of general suites belong under 'general'"
    )
    expect(
      try failure { $0.steps.append(try good.score(["method": "sft", "suite": "sort"], marks)) },
      is: "input steps [method=sft,suite=sort]: has no axis 'task'; the parameter step_axis says which axis tells the steps apart")
    expect(
      try failure { $0.steps.append(try good.score(cell(["seed": 2]), marks)) },
      is: "input steps [method=sft,seed=2,task=sort,suite=sort]: its steps are sort, those of another seed of the method sort, count")
    expect(
      try failure { $0.base.append(try good.score(["alpha": 0.5, "suite": "sort"], marks)) },
      is:
        "input base [alpha=0.5,suite=sort]: differs from the first score in 'alpha', which is neither the suite axis 'suite' nor the seed axis 'seed'"
    )
    expect(
      try failure { $0.joint = [try good.score(["suite": "facts"], marks)] },
      is: "input joint [suite=facts]: suite 'facts' is no task of 'steps'")
    expect(
      try failure { $0.general = [try good.score(cell(["method": "dpo", "suite": "facts"]), marks)] },
      is: "input general [method=dpo,seed=1,task=sort,suite=facts]: is of no method that has steps")
    expect(
      try failure { $0.general = [try good.score(cell(["seed": 7, "suite": "facts"]), marks)] },
      is: "input general [method=sft,seed=7,task=sort,suite=facts]: is of no seed that the method has steps of")
    expect(
      try failure { $0.general = [try good.score(cell(["task": "swap", "suite": "facts"]), marks)] },
      is: "input general [method=sft,seed=1,task=swap,suite=facts]: is of no step of the method (sort, count)")
    expect(
      try failure { $0.general = [try good.score(cell(["suite": "facts"]), marks)] },
      is: "input base: there is no score of suite 'facts' for seed 1")
    expect(try failure { $0.steps = [] }, is: "input steps: there is no score")
    expect(try failure(["reference_method": "dpo"]) { _ in }, is: "parameter reference_method: 'dpo' is none of the methods (sft)")
    expect(try failure(["moderate_drop": 20]) { _ in }, is: "parameter moderate_drop: 20.0 is above severe_drop, 15.0")
    let holes = try text(of: good.steps[0]).replacingOccurrences(of: "\"exact_match\":[1,", with: "\"exact_match\":[null,")
    let spoilt = try good.bench.write(holes, "holes.json").labelled(good.steps[0].labels ?? JSONObject())
    expect(
      try failure { $0.steps[0] = spoilt }, is: "holes.json: record 0 has no score, so its suite's scores cannot be paired")
  }
}

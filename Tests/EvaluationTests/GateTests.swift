import Datasets
import Evaluation
import JSONValues
import Testing

@Suite("Gates") struct GateTests {
  private func scores(
    _ suite: String, _ marks: [Int], _ labels: [(String, JSONValue)] = [], records: String = "", metric: String = "exact_match"
  )
    throws -> SuiteScores
  {
    let mean = Double(marks.reduce(0, +)) / Double(marks.count)
    let score: JSONValue = ["value": .number(mean), "stderr": 0.1]
    let json: JSONValue = [
      "suite": .string(suite), "metric": .string(metric), "higher_is_better": .bool(metric == "exact_match"),
      "metrics": .object(JSONObject([(metric, score)])), "records": .string(suite + records),
      "per_record": .object(JSONObject([(metric, .array(marks.map { .integer($0) }))])),
    ]
    return try SuiteScores(json: json, labels: JSONObject(labels + [("suite", .string(suite))]), suiteAxis: "suite")
  }

  private func marks(_ right: Int, of count: Int = 40) -> [Int] { (0..<count).map { $0 < right ? 1 : 0 } }

  private func gate(
    _ after: [SuiteScores] = [], base: [SuiteScores] = [], reports: [JSONValue] = []
  ) throws -> Gate {
    try Gate(scores: after, base: base, reports: reports.map { GateReport($0, name: "report.json") }, settings: ForgettingSettings())
  }

  private func failure(_ gate: Gate, _ bounds: [GateBound]) -> String? {
    do {
      _ = try gate.checks(bounds)
      return nil
    } catch { return "\(error)" }
  }

  @Test("the mean of the suites, the worst of them and one alone, each against the base; a drop inside the bound passes")
  func drops() throws {
    let base = try [scores("a", marks(30)), scores("b", marks(20))]
    let gate = try gate([scores("a", marks(10)), scores("b", marks(22))], base: base)
    let checks = try gate.checks([
      GateBound(metric: "general", maxDrop: 20), GateBound(metric: "worst", maxDrop: 20), GateBound(metric: "b", maxDrop: 0),
      GateBound(metric: "general", maxDrop: 22.5), GateBound(metric: "a", min: 20, max: 30),
    ])
    #expect(checks.map { ($0.value * 1e6).rounded() / 1e6 } == [-22.5, -50, 5, -22.5, 25, 25])
    #expect(checks.map(\.isPassed) == [false, false, true, true, true, true])
    #expect((checks[0].excess - 2.5).magnitude < 1e-9 && (checks[1].excess - 30).magnitude < 1e-9 && checks[1].suite == "a")
    let (low, high) = (try #require(checks[0].low), try #require(checks[0].high))
    #expect(low < -22.5 && high > -22.5 && high < 0)
  }

  @Test("with `significant` a drop counts only where noise does not explain it")
  func significant() throws {
    let base = try [scores("a", marks(20)), scores("b", marks(20))]
    let few = try gate([scores("a", marks(18)), scores("b", marks(20))], base: base)
    for metric in ["a", "worst"] {
      let bound = try GateBound(metric: metric, maxDrop: 1, isSignificant: true)
      let check = try #require(few.checks([bound]).first)
      #expect(check.isExcused && check.isPassed && check.excess > 0, "\(metric)")
      #expect(try few.checks([GateBound(metric: metric, maxDrop: 1)]).map(\.isPassed) == [false])
    }
    let many = try gate([scores("a", marks(4)), scores("b", marks(20))], base: base)
    for metric in ["a", "worst", "general"] {
      #expect(try many.checks([GateBound(metric: metric, maxDrop: 1, isSignificant: true)]).map(\.isPassed) == [false], "\(metric)")
    }
  }

  @Test("where less is better, more is the drop")
  func lessIsBetter() throws {
    let base = try [scores("text", [1, 2, 3], metric: "bits_per_byte")]
    let check = try #require(
      try gate([scores("text", [2, 3, 4], metric: "bits_per_byte")], base: base).checks([GateBound(metric: "text", maxDrop: 0.5)]).first)
    #expect(check.value == -1 && check.excess == 0.5 && !check.isPassed)
  }

  @Test("every model is held against a bound, or those of one name; each against the base of its own seed")
  func models() throws {
    func pair(_ seed: Int, _ base: Int, _ nll: Int, _ talr: Int) throws -> (base: SuiteScores, after: [SuiteScores]) {
      let records = "seed\(seed)"
      let seed: (String, JSONValue) = ("seed", .integer(seed))
      return (
        try scores("a", marks(base), [seed], records: records),
        try [
          scores("a", marks(nll), [seed, ("method", "nll")], records: records),
          scores("a", marks(talr), [seed, ("method", "talr")], records: records),
        ]
      )
    }
    let pairs = [try pair(1, 30, 20, 28), try pair(2, 20, 16, 20)]
    let gate = try gate(pairs.flatMap(\.after), base: pairs.map(\.base))
    #expect(try gate.checks([GateBound(metric: "general", maxDrop: 5)]).map { $0.value.rounded() } == [-25, -5, -10, 0])
    #expect(try gate.checks([GateBound(metric: "general", method: "talr", maxDrop: 5)]).map(\.isPassed) == [true, true])
    #expect(
      failure(gate, [try GateBound(metric: "general", method: "dft", maxDrop: 5)])?.contains("no model is called 'dft'; there is ") == true)
  }

  private static let table: JSONValue = [
    "unit": "points",
    "methods": [
      [
        "method": "sft", "labels": ["method": "sft"], "metrics": ["fm": ["mean": -12.5], "bwt": nil],
        "missing": ["bwt": "needs two tasks"], "general": ["mean_points": -6, "worst": "a", "worst_points": -9],
        "seeds": [
          [
            "tasks_forgotten": 2,
            "general": ["low": -8, "high": -4, "outside_noise": true, "suites": [["suite": "a", "verdict": "within noise"]]],
          ]
        ],
      ],
      ["method": "grpo", "labels": ["method": "grpo"], "metrics": ["fm": ["mean": -2]], "missing": [:], "seeds": [["tasks_forgotten": 0]]],
    ],
  ]

  @Test("metrics of a report on forgetting: of every method or of one, general suites by their noise on every seed")
  func forgetting() throws {
    let gate = try gate(reports: [Self.table])
    let checks = try gate.checks([GateBound(metric: "fm", min: -5)])
    #expect(checks.map(\.subject) == ["sft", "grpo"] && checks.map(\.isPassed) == [false, true] && checks[0].excess == 7.5)
    #expect(try gate.checks([GateBound(metric: "tasks_forgotten", method: "grpo", max: 0)]).map(\.isPassed) == [true])
    let general = try gate.checks([
      GateBound(metric: "general", method: "sft", maxDrop: 3, isSignificant: true),
      GateBound(metric: "worst", method: "sft", maxDrop: 3, isSignificant: true),
    ])
    #expect(general.map(\.isPassed) == [false, true] && general[1].isExcused && general[1].suite == "a" && general[0].low == -8)
    #expect(
      failure(gate, [try GateBound(metric: "bwt", min: 0)]) == "report.json: 'bwt' of 'sft' has no value: needs two tasks")
    #expect(
      failure(gate, [try GateBound(metric: "general", maxDrop: 3)]) == "report.json: 'grpo' has no scores of general suites at its end")
    #expect(
      failure(gate, [try GateBound(metric: "fm", maxDrop: 3)])
        == "parameter bounds[0]: 'fm' takes min or max: it is no score that has a base")
  }

  @Test("numbers of any other report by their path")
  func paths() throws {
    let gate = try gate(reports: [["leakage": ["found": 3, "suites": []]]])
    #expect(try gate.checks([GateBound(metric: "leakage.found", max: 0)]).map(\.excess) == [3])
    #expect(
      failure(gate, [try GateBound(metric: "leakage.suites", max: 0)]) == "report.json: 'leakage.suites' must be a number, found a list")
  }

  @Test("a bound that nothing answers is an error, for a gate that does not look lets everything pass")
  func errors() throws {
    let base = try [scores("a", marks(30))]
    let gate = try gate([scores("a", marks(10)), scores("b", marks(10))], base: base, reports: [Self.table])
    #expect(
      failure(gate, [try GateBound(metric: "a", min: 0), try GateBound(metric: "gsm8k", min: 0)])
        == "parameter bounds[1]: nothing that the gate is given has 'gsm8k'; there is general, worst, a, b, fm, bwt, upper_bound_gap, tasks_forgotten"
    )
    #expect(failure(gate, [try GateBound(metric: "b", maxDrop: 1)]) == "parameter bounds[0]: suite 'b' has no score of the base")
    #expect(
      failure(gate, [try GateBound(metric: "general", suites: ["c"], maxDrop: 1)])
        == "parameter bounds[0]: model 'model' has no score of 'c'")
    let other = try self.gate([scores("a", marks(10), records: "others")], base: base)
    #expect(
      failure(other, [try GateBound(metric: "a", maxDrop: 1)])
        == "parameter bounds[0]: suite 'a' has other records than the base's: they cannot be compared")
    let units = try self.gate([scores("a", marks(10)), scores("t", [1, 2], metric: "bits_per_byte")], base: base)
    #expect(
      failure(units, [try GateBound(metric: "general", maxDrop: 1)])
        == "parameter bounds[0]: 'a' is scored by exact_match, 't' by bits_per_byte: they have nothing in common; name the suites")
  }

  @Test("bounds that mean nothing")
  func bounds() {
    func failure(_ body: () throws -> GateBound) -> String? {
      do {
        _ = try body()
        return nil
      } catch { return "\(error)" }
    }
    #expect(failure { try GateBound(metric: "fm") } == "'fm' needs min, max or max_drop")
    #expect(failure { try GateBound(metric: "fm", min: 1, max: 0) } == "'fm' cannot be at least 1.0 and at most 0.0")
    #expect(failure { try GateBound(metric: "fm", min: 1, isSignificant: true) } == "significant is of max_drop, and 'fm' has none")
    #expect(failure { try GateBound(metric: "fm", suites: ["a"], min: 1) } == "suites are of 'general' and 'worst', not of 'fm'")
  }
}

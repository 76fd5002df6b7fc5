import Datasets
import Evaluation
import JSONValues
import Testing

@Suite("Matrices with gaps") struct ScoreMatrixGapTests {
  /// What is known when only tasks seen so far are evaluated.
  let lower = ScoreMatrix([[0.25, 0.25, 0.2], [0.8, nil, nil], [0.7, 0.75, nil], [0.6, 0.72, 0.85]])

  func gap(_ metric: ContinualMetric, _ matrix: ScoreMatrix) -> String? {
    do {
      _ = try matrix.value(metric)
      return nil
    } catch { return (error as? MetricGap)?.text(["a", "b", "c"]) }
  }

  @Test("a metric that needs a missing score has no value, and says which")
  func lowerTriangle() {
    for metric in [ContinualMetric.forgetting, .priorForgetting, .chaudhryForgetting, .forwardTransfer, .gain] {
      #expect(lower[metric] == nil && gap(metric, lower) == "no score on 'b' after 'a'", "\(metric)")
    }
    for metric in [ContinualMetric.averageAccuracy, .averageIncrementalAccuracy, .backwardTransfer, .forgettingSinceLearned, .gainOverBase]
    {
      #expect(lower[metric] != nil && gap(metric, lower) == nil, "\(metric)")
    }
    #expect((lower[.forgettingSinceLearned].map { abs($0 + 0.23 / 3) } ?? 1) < 1e-12)
    #expect(GainCurve(lower) == nil)
  }

  @Test("a missing base and a single task are said")
  func others() {
    let baseless = ScoreMatrix([[nil, 0.2], [0.8, 0.3], [0.7, 0.6]])
    #expect(gap(.gain, baseless) == "no score of the base on 'a'" && abs((baseless[.averageAccuracy] ?? 0) - 0.65) < 1e-12)
    #expect(gap(.backwardTransfer, ScoreMatrix([[0.2], [0.7]])) == "needs two tasks")
  }

  @Test("beside a joint run with gaps: what is known of it")
  func joint() {
    #expect(lower.intransigence(joint: [0.9, nil, 0.85]) == [0.9 - 0.8, nil, 0])
    #expect(lower.upperBoundGap(joint: [0.9, nil, 0.85]) == nil)
  }
}

@Suite("Comparison at equal gain") struct GainCurveTests {
  @Test("the curve runs from nothing to (gain, FM)")
  func ends() throws {
    let matrix = ScoreMatrix([[0.25, 0.25, 0.2], [0.8, 0.3, 0.2], [0.7, 0.75, 0.25], [0.6, 0.72, 0.85]])
    let curve = try #require(GainCurve(matrix))
    #expect(curve.points.count == 4 && curve.points[0] == .init(gain: 0, forgetting: 0))
    #expect(abs(curve.points[3].gain - (matrix[.gain] ?? 0)) < 1e-12)
    #expect(abs(curve.points[3].forgetting - (matrix[.forgetting] ?? 0)) < 1e-12)
    // After the second step .45 + .55 was gained and .1 lost.
    #expect(abs(curve.points[2].gain - 1.0 / 3) < 1e-12 && abs(curve.points[2].forgetting + 0.1 / 3) < 1e-12)
    #expect(abs((curve.forgetting(at: (0.55 + 0.225) / 3) ?? 1) + 0.05 / 3) < 1e-12)
  }

  @Test("a method that loses a fixed share of what it gains forgets the same at equal gain, however fast it learns")
  func rates() throws {
    func method(_ gain: Double) -> GainCurve? {
      GainCurve(ScoreMatrix([[0.1, 0.1], [0.1 + gain, 0.1], [0.1 + gain / 2, 0.1 + gain]]))
    }
    let (fast, slow) = (try #require(method(0.8)), try #require(method(0.4)))
    let gain = try #require(GainCurve.commonGain(fast, slow))
    #expect(abs(gain - 0.4) < 1e-12)
    // The slow one has gone its whole way; the fast one is at the end of its first step, and has lost nothing yet.
    #expect(abs((slow.forgetting(at: gain) ?? 1) + 0.1) < 1e-12 && abs(fast.forgetting(at: gain) ?? 1) < 1e-12)
  }

  @Test("a gain that falls back is met where it is reached first; where nothing is gained nothing is compared")
  func edges() throws {
    let back = try #require(GainCurve(ScoreMatrix([[0.2, 0.4], [0.8, 0.4], [0.7, 0.2]])))
    #expect(abs(back.reach - 0.3) < 1e-12 && abs(back.forgetting(at: 0.3) ?? 1) < 1e-12 && back.forgetting(at: 0.31) == nil)
    let lost = try #require(GainCurve(ScoreMatrix([[0.2, 0.4], [0.1, 0.4], [0.1, 0.3]])))
    #expect(lost.reach == 0 && GainCurve.commonGain(back, lost) == nil)
  }
}

@Suite("Drops and noise") struct DropNoiseTests {
  func marks(_ right: Int, of count: Int) -> [Double] { (0..<count).map { $0 < right ? 1 : 0 } }

  @Test("picked from many, a drop has to be larger: interval and test are those of all comparisons together")
  func simultaneous() {
    let (before, after) = (marks(60, of: 100), marks(52, of: 100))
    let one = PairedComparison(before: before, after: after)
    #expect(one.pValue == 0.0078125 && one.isOutsideNoise && one.verdict == .forgetting)
    let picked = PairedComparison(before: before, after: after, comparisons: 7)
    #expect(picked.verdict == .withinNoise && picked.interval.lowerBound < one.interval.lowerBound)
  }

  @Test("few changes: the bootstrap alone would be too bold")
  func few() {
    let change = PairedComparison(before: marks(50, of: 100), after: marks(46, of: 100))
    #expect(change.interval.upperBound < 0 && change.pValue == 0.125 && change.verdict == .withinNoise)
  }

  @Test("of no change nothing is said, and a rise beyond noise is a gain")
  func rises() {
    #expect(PairedComparison(before: [1, 0], after: [0, 1]).verdict == .same)
    #expect(PairedComparison(before: marks(10, of: 100), after: marks(40, of: 100)).verdict == .gain)
  }

  @Test("models that are all alike are seldom said to have forgotten, although the best of seven is looked at")
  func falseAlarms() {
    var random = CounterRandom(seed: 11, "false alarms")
    var alarms = 0
    for _ in 0..<200 {
      let models = (0..<8).map { _ in (0..<64).map { _ in random.below(4) == 0 ? 1.0 : 0 } }
      let best = models.dropLast().max { $0.reduce(0, +) < $1.reduce(0, +) } ?? []
      if PairedComparison(before: best, after: models[7], samples: 1000, comparisons: 7).verdict == .forgetting { alarms += 1 }
    }
    #expect(alarms <= 10)
  }

  @Test("the smallest drop is larger where the best of several is compared, or the confidence higher")
  func power() {
    #expect(abs(Power.smallestDetectableDrop(count: 128, changedShare: 0.2) - 0.110742) < 1e-6)
    // z(1 − .025/3) = 2.393980
    let picked = Power.smallestDetectableDrop(count: 100, changedShare: 0.25, comparisons: 3)
    #expect(abs(picked - 0.05 * (2.393979800018 + 0.841621233573)) < 1e-9)
    let sure = Power.smallestDetectableDrop(count: 100, changedShare: 0.25, confidence: 0.99)
    #expect(abs(sure - 0.05 * (2.575829303549 + 0.841621233573)) < 1e-9)
    #expect(Power.smallestDetectableDrop(count: 1, changedShare: 1) == 1)
  }
}

@Suite("Methods side by side") struct MethodComparisonTests {
  typealias Rows = [[Int]]

  func scores(_ labels: [(String, JSONValue)], _ right: Int) throws -> SuiteScores {
    let marks = (0..<100).map { JSONValue.integer($0 < right ? 1 : 0) }
    let suite = labels.last?.1.stringValue ?? ""
    let value: JSONValue = ["value": .number(Double(right) / 100), "stderr": 0.05]
    let json: JSONValue = [
      "suite": .string(suite), "metric": "exact_match", "higher_is_better": true, "metrics": ["exact_match": value],
      "records": .string(suite), "per_record": ["exact_match": .array(marks)],
    ]
    return try SuiteScores(json: json, labels: JSONObject(labels), suiteAxis: "suite")
  }

  /// Two tasks, a and b; row 0 is the same base for all.
  func report(_ methods: [(name: String, seeds: [Rows])], reference: String? = nil) throws -> ForgettingReport {
    var lists = ForgettingScores.Lists(base: [try scores([("suite", "a")], 20), try scores([("suite", "b")], 20)], steps: [])
    for (name, seeds) in methods {
      for (seed, rows) in seeds.enumerated() {
        for (step, row) in rows.enumerated() {
          for (suite, right) in zip(["a", "b"], row) {
            let labels: [(String, JSONValue)] = [
              ("method", .string(name)), ("seed", .integer(seed)), ("task", .string(["a", "b"][step])), ("suite", .string(suite)),
            ]
            lists.steps.append(try scores(labels, right))
          }
        }
      }
    }
    var settings = ForgettingSettings()
    settings.samples = 200
    return try ForgettingReport(ForgettingScores(lists, axes: .init()), reference: reference, changedShare: 0.2, settings: settings)
  }

  let forgetful: Rows = [[80, 20], [40, 80]]
  let steady: Rows = [[70, 20], [65, 70]]
  let idle: Rows = [[30, 20], [30, 30]]

  @Test("a claim needs three seeds, and every one of them")
  func seeds() throws {
    let held = try report([("sft", [forgetful, forgetful, forgetful]), ("rft", [steady, steady, steady])])
    #expect(held.comparisons.map(\.method) == ["rft"] && held.comparisons[0].other == "sft" && held.comparisons[0].claim == .holds)
    // At the gain of .5 that both reach, the forgetful one has gone two thirds of its second step.
    let equal = try #require(held.comparisons[0].seeds[0].equalGain)
    #expect(abs(equal.gain - 0.5) < 1e-12 && abs(equal.forgetting + 0.025) < 1e-12 && abs(equal.other + 0.2 * 2 / 3) < 1e-12)
    #expect(held.comparisons[0].equalGainClaim == .holds)

    let broken = try report([("sft", [forgetful, forgetful, [[80, 20], [79, 80]]]), ("rft", [steady, steady, steady])])
    #expect(broken.comparisons[0].claim == .doesNotHold)
    let one = try report([("sft", [forgetful]), ("rft", [steady])])
    #expect(one.comparisons[0].claim.text(seeds: 1) == "one seed")
    let two = try report([("sft", [forgetful, forgetful]), ("rft", [steady, steady])])
    #expect(two.comparisons[0].claim.text(seeds: 2) == "2 seeds, 3 are needed")
  }

  @Test("who hardly learned cannot claim to remember")
  func idleness() throws {
    let report = try report([("sft", [forgetful, forgetful, forgetful]), ("slow", [idle, idle, idle])])
    #expect(report.methods.map(\.hasLearned) == [true, false] && report.methods[0].isReference)
    #expect(report.comparisons[0].method == "slow" && report.comparisons[0].claim == .didNotLearn)
    #expect(report.comparisons[0].equalGainClaim == .didNotLearn)
    #expect(try self.report([("a", [idle]), ("b", [forgetful])], reference: "a").methods.map(\.hasLearned) == [true, true])
    #expect(try self.report([("a", [[[20, 20], [20, 10]]])]).methods[0].hasLearned == false)
  }

  @Test("the reference is the one named sft, else the first; an unknown name is an error")
  func reference() throws {
    #expect(try report([("rft", [steady]), ("sft", [forgetful])]).methods.map(\.isReference) == [false, true])
    #expect(try report([("rft", [steady]), ("ewc", [forgetful])]).methods.map(\.isReference) == [true, false])
    #expect(throws: DatasetError("'dpo' is none of the methods (rft; sft)", file: "parameter reference_method")) {
      try report([("rft", [steady]), ("sft", [forgetful])], reference: "dpo")
    }
  }
}

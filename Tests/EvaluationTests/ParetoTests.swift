import Datasets
import Evaluation
import JSONValues
import Testing

@Suite("Pareto fronts and reports") struct ParetoTests {
  private func front(_ points: [(Double, Double)]) -> ParetoFront { ParetoFront(points.map { .init($0.0, $0.1) }) }

  @Test("the front is what none dominates, from left to right; equal points are all on it")
  func dominance() {
    let front = front([(1, 5), (3, 4), (2, 4), (5, 1), (5, 1), (4, 0)])
    #expect(front.front == [0, 1, 3, 4])
    #expect(front.dominators(of: 2) == [1] && front.dominators(of: 5) == [3, 4] && front.dominators(of: 0) == [])
    #expect(self.front([(1, 1)]).front == [0])
    #expect(self.front([]).front == [])
  }

  @Test("the knee lies furthest beyond the chord between the ends, on axes scaled to them; a straight or hollow front has none")
  func knee() {
    // Scaled, (8, 0.9) is (0.7…, 0.9…) and beyond the chord by more than (5, 0.97).
    #expect(front([(1, 1), (5, 0.97), (8, 0.9), (11, 0)]).knee() == 2)
    #expect(front([(0, 1), (0.5, 0.5), (1, 0)]).knee() == nil)
    #expect(front([(0, 1), (0.4, 0.4), (1, 0)]).knee() == nil)
    #expect(front([(0, 1), (1, 0)]).knee() == nil && front([(0, 0)]).knee() == nil)
    // Two equally far: the one with the smaller x. The scale of an axis changes nothing.
    #expect(front([(0, 1), (0.75, 0.5), (0.5, 0.75), (1, 0)]).knee() == 2)
    #expect(front([(0, 100), (0.75, 50), (0.5, 75), (1, 0)]).knee() == 2)
    // Without its left end the chord is another.
    #expect(front([(0, 1), (0.5, 0.9), (0.8, 0.8), (1, 0)]).knee { $0 != 0 } == 2)
  }

  // MARK: - Reports

  private func scores(_ suite: String, _ right: Int, _ labels: [(String, JSONValue)], records: String = "", of count: Int = 20) throws
    -> SuiteScores
  {
    let json: JSONValue = [
      "suite": .string(suite), "metric": "exact_match", "higher_is_better": true,
      "metrics": ["exact_match": ["value": .number(Double(right) / Double(count)), "stderr": 0.1]], "records": .string(suite + records),
      "per_record": ["exact_match": .array((0..<count).map { $0 < right ? 1 : 0 })],
    ]
    return try SuiteScores(json: json, labels: JSONObject(labels + [("suite", .string(suite))]), suiteAxis: "suite")
  }

  private func report(
    _ rows: [(labels: [(String, JSONValue)], domain: Int, general: [Int])], base: (Int, [Int])? = (4, [16, 12]), reference: String? = nil
  ) throws -> ParetoReport {
    let suites = ["a", "b"]
    return try ParetoReport(
      domain: rows.map { try scores("task", $0.domain, $0.labels) },
      general: rows.flatMap { row in try row.general.enumerated().map { try scores(suites[$0], $1, row.labels) } },
      base: try base.map { base in
        try [scores("task", base.0, [])] + base.1.enumerated().map { try scores(suites[$0], $1, []) }
      } ?? [], seedAxis: "seed", reference: reference, settings: ForgettingSettings())
  }

  private func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

  private static let rows: [(labels: [(String, JSONValue)], domain: Int, general: [Int])] = [
    ([("method", "nll"), ("rate", 1e-6)], 10, [15, 11]), ([("method", "nll"), ("rate", 2e-5)], 18, [4, 2]),
    ([("method", "talr"), ("rate", 1e-6)], 9, [15, 11]), ([("method", "talr"), ("rate", 2e-5)], 17, [14, 10]),
    ([("method", "lora"), ("rate", 1e-6)], 5, [16, 12]),
  ]

  @Test("means over suites in points, gain and change from the base, who learned, the front, its knee, and who dominates whom")
  func points() throws {
    let report = try report(Self.rows)
    #expect(report.domainSuites == ["task"] && report.generalSuites == ["a", "b"])
    #expect(report.base.map { [$0.domain, $0.general].map(rounded) } == [20, 70])
    #expect(report.points.map { rounded($0.domain.value) } == [50, 90, 45, 85, 25])
    #expect(report.points.map { rounded($0.general.value) } == [65, 15, 65, 60, 70])
    #expect(report.points.map { rounded($0.domain.change ?? 0) } == [30, 70, 25, 65, 5])
    #expect(report.reference == 1, "the larger gain of nll, whose half is 35")
    #expect(report.points.map(\.hasLearned) == [false, true, false, true, false])
    #expect(report.front.front == [4, 0, 3, 1])
    #expect(report.front.dominators(of: 2) == [0])
    #expect(report.knee == nil, "two points of the front learned")
    #expect(report.points[1].name == "method nll, rate 0.00002")
    #expect(report.points[1].general.isOutsideNoise == true)
  }

  @Test("without a base nobody is told to have learned, and the knee is of all points")
  func withoutBase() throws {
    let report = try report(Self.rows, base: nil)
    #expect(report.base == nil && report.reference == nil && report.points.allSatisfy { $0.hasLearned == nil && $0.domain.change == nil })
    #expect(report.knee == 3)
  }

  @Test("the reference may be named; by itself it is sft, else nll, else the best")
  func reference() throws {
    #expect(try report(Self.rows, reference: "talr").reference == 3)
    #expect(try report(Self.rows, reference: "talr").points[0].hasLearned == false)
    #expect(try report(Array(Self.rows[2...])).reference == 1)
    #expect(throws: DatasetError.self) { try report(Self.rows, reference: "dft") }
  }

  @Test("seeds of a point are averaged, and their deviation stands beside the mean")
  func seeds() throws {
    let report = try report([
      ([("method", "nll"), ("seed", 1)], 10, [10, 10]), ([("method", "nll"), ("seed", 2)], 14, [12, 12]),
      ([("method", "talr"), ("seed", 1)], 8, [14, 14]), ([("method", "talr"), ("seed", 2)], 8, [14, 14]),
    ])
    #expect(report.points.map(\.name) == ["method nll", "method talr"] && report.points.map(\.seeds) == [2, 2])
    #expect(report.points[0].domain.value == 60 && (report.points[0].domain.error ?? 0) > 14.1)
    #expect(report.points[1].general.error == 0 && report.points[1].general.isOutsideNoise == nil)
  }

  private func failure(_ domain: [SuiteScores], _ general: [SuiteScores], base: [SuiteScores] = []) -> String? {
    do {
      _ = try ParetoReport(domain: domain, general: general, base: base, seedAxis: "seed", reference: nil, settings: ForgettingSettings())
      return nil
    } catch { return "\(error)" }
  }

  @Test("points that have no place on an axis are refused by name")
  func refused() throws {
    let (nll, talr): ([(String, JSONValue)], [(String, JSONValue)]) = ([("method", "nll")], [("method", "talr")])
    let domain = try [scores("task", 4, nll), scores("task", 5, talr)]
    let general = try [scores("a", 4, nll), scores("a", 5, talr)]
    #expect(failure(domain, general) == nil)
    #expect(failure(domain, [general[0]]) == "input domain: 'method talr' has domain scores, and no general ones")
    #expect(failure([domain[0]], general) == "input general: 'method talr' has general scores, and none of the domain")
    #expect(
      try failure(domain, general + [scores("b", 3, nll)])
        == "input general: 'method talr' has no score of suite 'b', which 'method nll' has")
    #expect(
      try failure([domain[0], scores("task", 5, talr, records: "others")], general)
        == "input domain: suite 'task' of 'method talr' has other records than that of 'method nll'")
    #expect(failure([], general) == "input domain: there is no score")
    #expect(
      failure(domain, general, base: [try scores("task", 1, [])])
        == "input general: suite 'a' of model 'method nll' has no score of the base")
  }
}

import Artifacts
import Execution
import JSONValues
import Reporting
import Testing

@Suite("Runs beside each other") struct ComparisonTests {
  private func report(_ run: StagedRun) throws -> RunReport { try RunReport.read(run.recorded(), run.store) }

  @Test("params that differ stand in columns, fields of records each for itself, and what is the same is counted")
  func columns() throws {
    func parameters(_ rate: Double, _ more: [(String, JSONValue)] = []) -> JSONObject {
      JSONObject([("seed", 1), ("lora", ["r": 8, "alpha": .number(rate)])] + more)
    }
    let first = try StagedRun(["a", "b"], parameters: parameters(1))
    try first.end()
    let second = try StagedRun(["a", "b"], parameters: parameters(2), in: first.root)
    try second.start(0)
    try second.finish(0, "failed", error: "broken")
    try second.end(1)
    let third = try StagedRun(["a", "b", "c"], parameters: parameters(1, [("extra", nil)]), in: first.root)
    try third.end()
    let comparison = RunsComparison(try [first, second, third].map(report))

    #expect(comparison.runs.map(\.standing) == ["done", "failed", "done"])
    #expect(
      comparison.parameters == [
        .init(name: "lora.alpha", values: [1, 2, 1]), .init(name: "extra", values: [nil, nil, .null]),
      ])
    #expect(comparison.instances.map(\.name) == ["a", "c"])
    #expect(comparison.instances[0].states == ["waiting", "failed", "waiting"])
    #expect(comparison.instances[1].states == [nil, nil, "waiting"])
    #expect(comparison.same == 1)
    #expect(comparison.json["parameters"]?[1]?["values"] == ["2": nil])
  }

  @Test("curves of the same training are brought together by metric")
  func curves() throws {
    let first = try StagedRun(["a"])
    let second = try StagedRun(["a"], in: first.root)
    for (run, value) in [(first, 1.0), (second, 2.0)] {
      try run.start(0)
      for step in 1...3 {
        try run.metric(0, "loss", step, value * Double(step))
        try run.metric(0, "learning_rate", step, 0.5)
      }
    }
    let comparison = RunsComparison(try [first, second].map(report))
    #expect(comparison.curves.map(\.metric) == ["loss"], "a curve that is the same in all is left out")
    #expect(comparison.curves[0].series.map { $0?.points.map(\.value) } == [[1, 2, 3], [2, 4, 6]])
  }
}

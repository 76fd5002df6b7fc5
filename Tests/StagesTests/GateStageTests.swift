import Foundation
import JSONValues
import Testing

@Suite("gate, model/promote, report/pareto") struct GateStageTests {
  @Test("a gate that fails says every bound that does not hold, the model, and by how much; the verdict says the same")
  func failing() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let inputs = [("scores", materials.otherScores), ("base", materials.baseScores)]
    let bounds: JSONValue = [
      ["metric": "general", "max_drop": 10], ["metric": "copy", "max_drop": 60], ["metric": "sort", "min": 60],
    ]
    let failed = try #require(bench.failure("gate", ["bounds": bounds], inputs: inputs))
    #expect(failed.hasPrefix("general of learning_rate 0.001 fell by 12.50, 2.50 more than max_drop 10.00, between -"), "\(failed)")
    #expect(failed.hasSuffix("; sort of learning_rate 0.001 is 50.00, 10.00 below min 60.00"), "\(failed)")

    let outcome = try bench.run("gate", ["bounds": bounds, "on_failure": "report", "title": "Bounds"], inputs: inputs)
    let verdict = try json(of: outcome["verdict"])
    #expect(verdict["passed"] == false && verdict["failures"] == .string(failed))
    #expect(verdict["checks"]?.arrayValue?.map { $0["passed"] } == [false, true, false])
    #expect(verdict["checks"]?[0]?["excess"] == 2.5 && verdict["checks"]?[0]?["outside_noise"] == false)
    let report = try text(of: outcome["report"])
    #expect(report.hasPrefix("## Bounds: failed\n\n| metric ") && report.contains("| failed by 2.50"))

    let excused = try bench.run(
      "gate", ["bounds": [["metric": "general", "max_drop": 10, "significant": true]]], inputs: inputs)
    #expect(try json(of: excused["verdict"])["passed"] == true)
    #expect(try text(of: excused["report"]).contains("| passed, within noise |"))
  }

  @Test("bounds and inputs that cannot be looked at are errors that name the bound")
  func refused() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    func failure(_ bound: JSONValue, _ inputs: [(String, [Given])]) -> String? {
      bench.failure("gate", ["bounds": [bound]], inputs: inputs)
    }
    expect(failure(["metric": "fm"], []), is: "parameter bounds[0]: 'fm' needs min, max or max_drop")
    expect(failure(["metric": "fm", "min": -5], []), is: "parameter bounds[0]: nothing that the gate is given has 'fm'")
    expect(
      failure(["metric": "copy", "max_drop": 5], [("scores", materials.otherScores)]),
      is: "parameter bounds[0]: suite 'copy' of model 'learning_rate 0.001' has no score of the base")
    let text = try bench.write("{", "report.json")
    expect(
      failure(["metric": "fm", "min": 0], [("reports", [text])]),
      is: "report.json: not valid JSON: line 1, column 2: expected a key in double quotes")
    expect(failure(["metric": "fm", "min": 0], [("scores", [try bench.write("{}", "other.json")])]), is: "other.json: is no scores file")
  }

  @Test("a report on forgetting is held against bounds by its own table")
  func forgetting() throws {
    let bench = try Bench()
    let table = try bench.run("report/forgetting", inputs: ForgettingMaterials.probe(""))["table"]
    let fm = try #require(try json(of: table)["methods"]?[0]?["metrics"]?["fm"]?["mean"]?.numberValue)
    let name = try #require(try json(of: table)["methods"]?[0]?["method"]?.stringValue)
    let bounds: JSONValue = [["metric": "fm", "method": .string(name), "min": .number(fm + 1)]]
    let verdict = try json(
      of: bench.run("gate", ["bounds": bounds, "on_failure": "report"], inputs: [("reports", [table])])["verdict"])
    #expect(verdict["checks"]?[0]?["value"]?.numberValue == fm && verdict["passed"] == false)
    #expect(((verdict["checks"]?[0]?["excess"]?.numberValue ?? 0) - 1).magnitude < 1e-9)
  }

  @Test("a promoted model has the candidate's bytes; one that is not has the fallback's, or fails")
  func promotion() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let (passed, failed) = (try DataMaterials.verdict(passed: true), try DataMaterials.verdict(passed: false))
    func promoted(_ verdicts: [Given], fallback: [Given]) throws -> String {
      let outcome = try bench.run(
        "model/promote", inputs: [("model", [materials.tuned]), ("verdict", verdicts), ("fallback", fallback)])
      return try digest(of: outcome["model"].path)
    }
    #expect(try promoted([passed], fallback: [materials.model]) == digest(of: materials.tuned.path))
    #expect(try promoted([passed], fallback: []) == digest(of: materials.tuned.path))
    #expect(try promoted([passed, failed], fallback: [materials.model]) == digest(of: materials.model.path))
    expect(
      bench.failure("model/promote", inputs: [("model", [materials.tuned]), ("verdict", [failed])]),
      is: "not promoted: fm of sft is -9.00, 4.00 below min -5.00")
    let other = try bench.write("{}", "verdict.json")
    expect(
      bench.failure("model/promote", inputs: [("model", [materials.tuned]), ("verdict", [other])]),
      is: "verdict.json: is no verdict of a gate")
  }

  @Test("a Pareto report: points, gain, who did not learn, the front and who dominates whom, in a table and as JSON")
  func pareto() throws {
    let bench = try Bench()
    let inputs = DataMaterials.probe("report/pareto", "")
    let outcome = try bench.run("report/pareto", inputs: inputs)
    let table = try json(of: outcome["table"])
    #expect(table["base"] == ["domain": 12.5, "general": 87.5] && table["reference"] == "method nll")
    #expect(table["points"]?.arrayValue?.map { $0["point"] } == ["method nll", "method talr", "method flow"])
    #expect(table["points"]?.arrayValue?.map { $0["domain"]?["value"] } == [87.5, 50, 12.5])
    #expect(table["points"]?.arrayValue?.map { $0["general"]?["value"] } == [25, 62.5, 75])
    #expect(table["points"]?.arrayValue?.map { $0["learned"] } == [true, true, false])
    #expect(table["front"] == ["method flow", "method talr", "method nll"] && table["knee"] == JSONValue.null)
    let report = try text(of: outcome["report"])
    #expect(report.hasPrefix("## Domain against general\n\nDomain: domain. General: general.\n\n|   # | point "))
    #expect(report.contains("Front, from most kept to most learned: method flow (did not learn); method talr; method nll."))
    #expect(report.contains("| did not learn ") && report.contains("this front has none"))
    expect(
      bench.failure("report/pareto", ["reference_method": "dft"], inputs: inputs),
      is: "parameter reference_method: 'dft' is none of the points (method nll; method talr; method flow)")
  }
}

import Foundation
import JSONValues

/// Inputs for the table of parameters: mixes, inspections, rewriting, gates and Pareto reports.
enum DataMaterials {
  static let stages = ["data/mix", "data/inspect", "data/rewrite", "gate", "model/promote", "report/pareto"]

  static func labelled(_ given: Given, _ name: String) -> Given { given.labelled(JSONObject([("suite", .string(name))])) }

  /// Nothing where they could not be made.
  static func probe(_ stage: String, _ parameter: String) -> [(String, [Given])] {
    guard let m = try? Materials.get() else { return [] }
    switch stage {
    case "data/mix":
      return [("data", [labelled(m.records, "reverse")]), ("replay", [labelled(m.chosen, "maximum"), labelled(m.topics, "topics")])]
    case "data/inspect":
      return [
        ("data", [labelled(m.records, "reverse"), labelled(m.rows, "sums")]), ("heldout", [labelled(m.written, "reverse")]),
        ("model", [m.model]),
      ]
    case "data/rewrite":
      let data = ["when_wrong": [m.topics, m.records], "unjudged": [m.topics]][parameter] ?? [m.records]
      return [("model", [m.model]), ("data", data)]
    case "gate": return [("scores", m.otherScores), ("base", m.baseScores)]
    case "model/promote":
      return [("model", [m.tuned]), ("fallback", [m.model]), ("verdict", (try? verdict(passed: true)).map { [$0] } ?? [])]
    default: return (try? pareto(parameter)) ?? []
    }
  }

  static func verdict(passed: Bool) throws -> Given {
    let bench = try Bench()
    let file = try bench.write(
      JSONValue.object(JSONObject([("passed", .bool(passed)), ("failures", passed ? "" : "fm of sft is -9.00, 4.00 below min -5.00")]))
        .encoded(),
      "verdict.json")
    return Given(file.path, in: bench)
  }

  /// Two methods, each axis a suite of its own, and one name for both where the axis is to be another.
  private static func pareto(_ parameter: String) throws -> [(String, [Given])] {
    let bench = try Bench()
    let isAxis = parameter == "suite_axis"
    func score(_ input: String, _ method: String?, _ marks: [Int]) throws -> Given {
      var labels: [(String, JSONValue)] = method.map { [("method", .string($0)), ("seed", 1)] } ?? []
      labels.append(("suite", isAxis ? "one" : .string(input)))
      if isAxis { labels.append(("kind", "other")) }
      let file = try bench.scores(input, marks, error: 0.1, name: "\(input)-\(method ?? "base")")
      return Given(file.path, labels: JSONObject(labels), in: bench)
    }
    let domain = [("nll", [1, 1, 1, 1, 1, 1, 0, 1]), ("talr", [0, 1, 1, 1, 0, 1, 0, 0]), ("flow", [0, 1, 0, 0, 0, 0, 0, 0])]
    let general = [("nll", [0, 0, 1, 0, 0, 0, 0, 1]), ("talr", [1, 0, 1, 0, 1, 0, 1, 1]), ("flow", [1, 1, 1, 0, 1, 1, 0, 1])]
    let base = try isAxis ? [] : [score("domain", nil, [0, 0, 0, 0, 0, 0, 0, 1]), score("general", nil, [1, 1, 1, 0, 1, 1, 1, 1])]
    return [
      ("domain", try domain.map { try score("domain", $0, $1) }), ("general", try general.map { try score("general", $0, $1) }),
      ("base", base),
    ]
  }
}

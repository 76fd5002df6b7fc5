import Foundation
import JSONValues

/// Scores for `report/forgetting`, as a recipe's lists would hand them over.
struct ForgettingMaterials: Sendable {
  let bench: Bench
  var base: [Given] = []
  var steps: [Given] = []
  var joint: [Given] = []
  var general: [Given] = []
  var generalBase: [Given] = []

  init() throws { bench = try Bench() }

  var inputs: [(String, [Given])] {
    [("base", base), ("steps", steps), ("joint", joint), ("general", general), ("general_base", generalBase)]
  }

  /// A `scores` file with these labels: marks by record, of which the score is the mean.
  func score(_ labels: JSONValue, _ marks: [Double], metric: String = "exact_match", records: String? = nil) throws -> Given {
    let labels = labels.objectValue ?? JSONObject()
    let suite = labels["suite"]?.stringValue ?? "suite"
    let mean = marks.reduce(0, +) / Double(marks.count)
    let squares = marks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / Double(marks.count - 1) / Double(marks.count)).squareRoot()
    let isShare = metric != "bits_per_byte"
    let estimate: JSONValue = ["value": .number(mean), "stderr": .number(error)]
    let json: JSONValue = [
      "suite": .string(suite), "kind": isShare ? "generation" : "perplexity", "metric": .string(metric), "higher_is_better": .bool(isShare),
      "n": .integer(marks.count), "metrics": .object(JSONObject([(metric, estimate)])),
      "best_constant": isShare ? ["answer": "a", "score": 0.125] : nil, "records": .string(records ?? suite + "-records"),
      "per_record": .object(JSONObject([(metric, .array(marks.map { .number($0) }))])),
    ]
    return try bench.write(json.encoded() + "\n", "\(UUID()).json").labelled(labels)
  }

  /// `right` of `count` records right, from `shift` on and around.
  static func marks(_ right: Int, of count: Int = 100, shift: Int = 0) -> [Double] {
    (0..<count).map { ($0 + count - shift) % count < right ? 1 : 0 }
  }

  /// Two methods that learn one task, with scores in which every parameter shows.
  static let probes = Result {
    var materials = try ForgettingMaterials()
    func marks(_ right: Int, shift: Int) -> [Double] { ForgettingMaterials.marks(right, of: 40, shift: shift) }
    materials.base = [try materials.score(["suite": "copy"], marks(10, shift: 0))]
    materials.generalBase = [
      try materials.score(["suite": "facts"], marks(30, shift: 0)), try materials.score(["suite": "words"], marks(20, shift: 0)),
    ]
    for (method, right) in [("sft", 30), ("rft", 18)] {
      func score(_ suite: String, _ right: Int, shift: Int) throws -> Given {
        try materials.score(
          ["method": .string(method), "seed": 1, "task": "copy", "again": "copy", "suite": .string(suite)], marks(right, shift: shift))
      }
      materials.steps.append(try score("copy", right, shift: 5))
      materials.general += [try score("facts", 8, shift: 3), try score("words", 16, shift: 2)]
    }
    return materials
  }

  /// Where no axis names the suite, general suites cannot be told from tasks.
  static func probe(_ parameter: String) -> [(String, [Given])] {
    guard var materials = try? probes.get() else { return [] }
    if parameter == "suite_axis" { (materials.general, materials.generalBase) = ([], []) }
    return materials.inputs
  }
}

import Evaluation
import Foundation
import JSONValues
import Plotting
import StageInterface

/// `report/scores`: model × suite, with standard errors and the change from the base.
package struct ReportScores: NativeStage {
  package static let name = "report/scores"

  package struct Parameters: Decodable, Sendable {
    let title: String
    let suiteAxis: String
    let groups: JSONObject
    let confidence: Double
    let resamples: Int
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let base = try context.inputs("base").map { try SuiteScores($0, suiteAxis: parameters.suiteAxis) }
    let others = try context.inputs("models").map { try SuiteScores($0, suiteAxis: parameters.suiteAxis) }
    let table = try ScoreTable(
      base: base, others: others, groups: try groups(parameters.groups),
      interval: .init(confidence: parameters.confidence, resamples: parameters.resamples, seed: parameters.seed))
    let text = "## \(parameters.title)\n\n\(table.markdown.text)\n\(table.legend)\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    try Data((table.json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("table")))
  }

  private static func groups(_ object: JSONObject) throws -> [ScoreTable.Group] {
    try object.members.map { name, value in
      let suites = (value.arrayValue ?? []).compactMap(\.stringValue)
      guard !suites.isEmpty, suites.count == value.arrayValue?.count else {
        throw StageFailure("parameter groups.\(name): expected a list of suite names")
      }
      return ScoreTable.Group(name: name, suites: suites)
    }
  }
}

import Evaluation
import Foundation
import JSONValues
import StageInterface

/// `report/pareto`: the domain against everything else, for every point of a matrix.
package struct ReportPareto: NativeStage {
  package static let name = "report/pareto"

  package struct Parameters: Decodable, Sendable {
    let title: String
    let suiteAxis: String
    let seedAxis: String
    let referenceMethod: String?
    let confidence: Double
    let resamples: Int
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    func scores(_ input: String) throws -> [SuiteScores] {
      try context.inputs(input).map { try SuiteScores($0, suiteAxis: parameters.suiteAxis) }
    }
    var settings = ForgettingSettings()
    settings.confidence = parameters.confidence
    settings.samples = parameters.resamples
    settings.seed = parameters.seed
    let report = try ParetoReport(
      domain: try scores("domain"), general: try scores("general"), base: try scores("base"), seedAxis: parameters.seedAxis,
      reference: parameters.referenceMethod, settings: settings)
    let text = ParetoText(report, title: parameters.title, confidence: parameters.confidence).text
    try Data(text.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    let json = report.json(confidence: parameters.confidence)
    try Data((json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("table")))
  }
}

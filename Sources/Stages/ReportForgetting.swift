import Datasets
import Evaluation
import Foundation
import JSONValues
import Plotting
import StageInterface

/// `report/forgetting`: what methods learned and forgot along a sequence of tasks.
package struct ReportForgetting: NativeStage {
  package static let name = "report/forgetting"

  package struct Parameters: Decodable, Sendable {
    let title: String
    let stepAxis: String
    let suiteAxis: String
    let seedAxis: String
    let referenceMethod: String?
    let moderateDrop: Double
    let severeDrop: Double
    let chanceMargin: Double
    let changedShare: Double
    let confidence: Double
    let resamples: Int
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    guard parameters.moderateDrop <= parameters.severeDrop else {
      throw StageFailure("parameter moderate_drop: \(parameters.moderateDrop) is above severe_drop, \(parameters.severeDrop)")
    }
    func scores(_ input: String) throws -> [SuiteScores] {
      try context.inputs(input).map { try SuiteScores($0, suiteAxis: parameters.suiteAxis) }
    }
    let lists = ForgettingScores.Lists(
      base: try scores("base"), steps: try scores("steps"), joint: try scores("joint"), general: try scores("general"),
      generalBase: try scores("general_base"))
    let axes = ForgettingScores.Axes(step: parameters.stepAxis, suite: parameters.suiteAxis, seed: parameters.seedAxis)
    var settings = ForgettingSettings()
    settings.confidence = parameters.confidence
    settings.samples = parameters.resamples
    settings.seed = parameters.seed
    settings.bounds = SeverityBounds(
      moderate: parameters.moderateDrop, severe: parameters.severeDrop, chanceMargin: parameters.chanceMargin)
    let report = try ForgettingReport(
      ForgettingScores(lists, axes: axes), reference: parameters.referenceMethod, changedShare: parameters.changedShare, settings: settings)
    let warnings = try warnings(context)
    let text = ForgettingText(report, title: parameters.title, changedShare: parameters.changedShare, warnings: warnings).text
    try Data(text.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    var json = report.json(changedShare: parameters.changedShare)
    if !warnings.isEmpty, case .object(var object) = json {
      object.append("warnings", .array(warnings.map { .string($0) }))
      json = .object(object)
    }
    try Data((json.encoded() + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("table")))
  }

  /// What the trainings warned of, behind the axis values that say which.
  private static func warnings(_ context: StageContext) throws -> [String] {
    try context.inputs("training").flatMap { element -> [String] in
      let log = try JSONValue(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: element.path))))
      let labels = (element.labels?.members ?? []).map { label in
        "\(label.key) \(label.value["name"]?.stringValue ?? label.value.stringValue ?? label.value.encoded())"
      }
      let name = labels.isEmpty ? "" : labels.joined(separator: ", ") + ": "
      return (log["warnings"]?.arrayValue ?? []).compactMap(\.stringValue).map { name + $0 }
    }
  }

  // MARK: - Before it runs

  /// The smallest drop that suites of each size can show: "suites of 128 records: a drop under 11.1 points will not show (…)".
  package static func notes(_ plan: PlannedStage) -> [String] {
    let sizes = Set(plan.inputs.flatMap(\.records).compactMap { $0 }).sorted()
    guard let share = plan.parameters["changed_share"]?.numberValue, let confidence = plan.parameters["confidence"]?.numberValue else {
      return []
    }
    return sizes.filter { $0 > 0 }.map { size in
      let drop = Power.smallestDetectableDrop(count: size, changedShare: share, confidence: confidence) * 100
      return "suites of \(size) records: a drop under \(FixedDigits.text(drop, 1)) points will not show "
        + "(80 % power, \(FixedDigits.text(share * 100, 0)) % of answers changing)"
    }
  }
}

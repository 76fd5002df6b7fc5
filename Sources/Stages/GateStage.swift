import Datasets
import Evaluation
import Foundation
import JSONValues
import StageInterface

/// `gate`: holds scores and reports against bounds, and fails the run or says so.
package struct GateStage: NativeStage {
  package static let name = "gate"

  package struct Parameters: Decodable, Sendable {
    let bounds: [Bound]
    let onFailure: String
    let title: String
    let suiteAxis: String
    let confidence: Double
    let resamples: Int
    let seed: UInt64
  }

  struct Bound: Decodable, Sendable {
    let metric: String
    let suites: [String]?
    let method: String?
    let min: Double?
    let max: Double?
    let maxDrop: Double?
    let significant: Bool?
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    var settings = ForgettingSettings()
    settings.confidence = parameters.confidence
    settings.samples = parameters.resamples
    settings.seed = parameters.seed
    let scores = try ["scores", "base"].map { input in
      try context.inputs(input).map { try SuiteScores($0, suiteAxis: parameters.suiteAxis) }
    }
    let reports = try context.inputs("reports").map { GateReport(try JSONValue(report: $0.path), name: $0.path) }
    let gate = try Gate(scores: scores[0], base: scores[1], reports: reports, settings: settings)
    let verdict = GateVerdict(try gate.checks(try bounds(parameters.bounds)), confidence: parameters.confidence)
    let text = verdict.text(title: parameters.title)
    guard verdict.isPassed || parameters.onFailure != "fail" else {
      context.log(text)
      throw StageFailure(verdict.failures)
    }
    try Data((verdict.json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("verdict")))
    try Data(text.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    context.log(verdict.isPassed ? "passed" : "warning: \(verdict.failures)")
  }

  private static func bounds(_ given: [Bound]) throws -> [GateBound] {
    try given.enumerated().map { index, bound in
      do throws(DatasetError) {
        return try GateBound(
          metric: bound.metric, suites: bound.suites ?? [], method: bound.method, min: bound.min, max: bound.max, maxDrop: bound.maxDrop,
          isSignificant: bound.significant ?? false)
      } catch { throw StageFailure("parameter bounds[\(index)]: \(error.message)") }
    }
  }
}

extension JSONValue {
  /// Reads a JSON artifact that a stage was handed.
  init(report path: String) throws {
    do { try self.init(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))) } catch let error as JSONError {
      throw StageFailure("not valid JSON: \(error)", file: path)
    }
  }
}

import Datasets
import Evaluation
import Foundation
import JSONValues
import StageInterface

/// `score`: the answers of an evaluation by another rule or metric; no model runs.
package struct Score: NativeStage {
  package static let name = "score"

  package struct Parameters: Decodable, Sendable {
    let scorer: JSONObject?
    let metric: String?
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let path = try context.input("answers")
    let answers = try answers(path)
    if let model = ServedModel.identity(context), model != answers.model {
      throw StageFailure("holds the answers of another model, \(answers.model), not of the one given, \(model)", file: path)
    }
    let suite = try suite(parameters, try context.input("suite"))
    let result: SuiteResult
    do { result = try answers.scored(by: suite) } catch { throw error.located(file: path) }
    try Evaluate.write(result, context)
  }

  private static func answers(_ path: String) throws -> SuiteAnswers {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    do { return try SuiteAnswers(json: try JSONValue(parsing: bytes)) } catch let error as JSONError {
      throw StageFailure("not valid JSON: \(error)", file: path)
    } catch let error as DatasetError {
      throw error.located(file: path)
    }
  }

  private static func suite(_ parameters: Parameters, _ path: String) throws -> Suite {
    var suite = try Suite(directory: path)
    if let scorer = parameters.scorer {
      guard case .generation(_, let maxNewTokens, let stop) = suite.scoring else {
        throw StageFailure("parameter scorer: suite '\(suite.name)' is of kind \(suite.scoring.kind), which has no scorer")
      }
      do {
        suite.scoring = .generation(try VerifyRule(json: .object(scorer)), maxNewTokens: maxNewTokens, stop: stop)
      } catch { throw StageFailure("parameter scorer: \(error)") }
    }
    if let metric = parameters.metric {
      guard suite.scoring.metrics.contains(metric) else {
        let known = suite.scoring.metrics.joined(separator: ", ")
        throw StageFailure("parameter metric: '\(metric)' is none of suite '\(suite.name)'; \(suite.scoring.kind) suites have \(known)")
      }
      suite.metric = metric
    }
    return suite
  }
}

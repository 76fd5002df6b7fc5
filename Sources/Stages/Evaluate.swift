import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Modeling
import StageInterface

/// `evaluate`: what a model comes to on a suite, with every record's result.
package struct Evaluate: NativeStage {
  package static let name = "evaluate"

  package struct Parameters: Decodable, Sendable {
    let format: String
    let system: String?
    let template: String?
    let addBos: Bool
    let limit: Int?
    let maxNewTokens: Int?
    let temperature: Double
    let topK: Int?
    let topP: Double?
    let seed: UInt64
    let endpoint: EndpointParameters?
    let perDeviceEvalBatchSize: Int
  }

  package static func notes(_ plan: PlannedStage) -> [String] { EndpointParameters.notes(plan.parameters) }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let suite = try suite(parameters, try context.input("suite"))
    if let endpoint = parameters.endpoint {
      let session = try EndpointSession(endpoint, context)
      let result = try EndpointEvaluation(session: session, parameters: parameters).evaluate(suite, context)
      try write(result, context)
      return try write(SuiteAnswers(result, model: session.identity).json, to: try context.output("answers"))
    }
    let directory = try context.input("model")
    let codec = try TokenizerDirectory(path: directory).codec()
    let model = try engine(directory, codec, parameters, context)
    var evaluator = Evaluator(model, codec)
    evaluator.layout = PromptFormat.Layout(rawValue: parameters.format) ?? .auto
    evaluator.system = parameters.system
    evaluator.addsBeginning = parameters.addBos
    evaluator.temperature = parameters.temperature
    evaluator.topK = parameters.topK
    evaluator.topP = parameters.topP
    evaluator.seed = parameters.seed
    evaluator.progress = { done, total in
      if context.stopRequested { throw StageInterrupted() }
      context.progress(done: done, of: total)
    }
    let result = try evaluator.evaluate(suite)
    try write(result, context)
    try write(SuiteAnswers(result, model: ServedModel.identity(context) ?? "").json, to: try context.output("answers"))
  }

  /// What `score` writes as well.
  static func write(_ result: SuiteResult, _ context: StageContext) throws {
    try write(result.json, to: try context.output("scores"))
    try RecordFile.write(rows: result.results.map(\.json), to: try context.output("samples"))
    for metric in result.metrics { context.metric(step: 0, metric.name, metric.estimate.value) }
  }

  private static func write(_ json: JSONValue, to path: String) throws {
    try Data(json.encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: path))
  }

  private static func suite(_ parameters: Parameters, _ path: String) throws -> Suite {
    var suite = try Suite(directory: path)
    if let template = parameters.template { suite.promptTemplate = template }
    if let limit = parameters.limit { suite.records = Array(suite.records.prefix(limit)) }
    if let longest = parameters.maxNewTokens, case .generation(let scorer, _, let stop) = suite.scoring {
      suite.scoring = .generation(scorer, maxNewTokens: longest, stop: stop)
    }
    return suite
  }

  private static func engine(
    _ directory: String, _ codec: TextCodec, _ parameters: Parameters, _ context: StageContext
  ) throws -> EngineModel {
    let pool = ThreadPool(threads: context.threads)
    let model = try ServedModel.load(directory, context, pool)
    let ends = Set(model.configuration.eosTokens.map { Int32($0) } + [codec.end].compactMap { $0 })
    return EngineModel(model, codec, endTokens: ends, batchSize: parameters.perDeviceEvalBatchSize)
  }
}

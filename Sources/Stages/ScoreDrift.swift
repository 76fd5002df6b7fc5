import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import StageInterface

/// `score/drift`: how far a model has moved from its base, in its weights and in its predictions.
package struct ScoreDrift: NativeStage {
  package static let name = "score/drift"

  package struct Parameters: Decodable, Sendable {
    let positions: String
    let limit: Int?
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let (base, model) = (try context.input("base"), try context.input("model"))
    let pool = ThreadPool(threads: context.threads)
    let weights = try WeightDrift(MergedModel([.init("the base", base), .init("the model", model)]), pool: pool)
    var report = DriftReport(weights)
    let corpus = try context.optionalInput("corpus").map { try suite($0, parameters.limit) }
    if !context.inputs("tokens").isEmpty || corpus != nil {
      let (before, after) = (try Transformer.packed(base, pool), try Transformer.packed(model, pool))
      if !context.inputs("tokens").isEmpty { report.add(try drift(before, after, parameters, context)) }
      if let corpus {
        let codec = try TokenizerDirectory(path: base).codec()
        report.addBits(
          try bits(before, codec, corpus, context), try bits(after, try TokenizerDirectory(path: model).codec(), corpus, context))
      }
    }
    for (name, value) in report.metrics { context.metric(step: 0, name, value) }
    try Data(report.json.encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: try context.output("report")))
  }

  private static func drift(
    _ base: Transformer, _ model: Transformer, _ parameters: Parameters, _ context: StageContext
  ) throws -> [(record: Int, divergence: Double)] {
    let records = try TokenTable.read(
      "tokens", limit: parameters.limit, vocabularySize: base.configuration.vocabularySize, contextLength: base.maximumPositions, context)
    let targets = TargetPasses(records, positions: TargetPasses.Positions(rawValue: parameters.positions) ?? .targets)
    guard !targets.places.isEmpty else { throw StageFailure("input 'tokens' has no tokens to compare the models at") }
    let drift = try DistributionDrift(base: base, model, targets) { done in
      if context.stopRequested { throw StageInterrupted() }
      context.progress(done: done, of: targets.passes.count)
    }
    return zip(targets.places, drift.divergences).map { ($0.record, $1) }
  }

  private static func suite(_ path: String, _ limit: Int?) throws -> Suite {
    var suite = try Suite(directory: path)
    guard case .perplexity = suite.scoring else {
      throw StageFailure("suite '\(suite.name)' is of kind \(suite.scoring.kind); bits per byte want one of kind perplexity", file: path)
    }
    if let limit { suite.records = Array(suite.records.prefix(limit)) }
    return suite
  }

  private static func bits(_ transformer: Transformer, _ codec: TextCodec, _ suite: Suite, _ context: StageContext) throws -> Double {
    var evaluator = Evaluator(EngineModel(transformer, codec, endTokens: []), codec)
    evaluator.progress = { _, _ in if context.stopRequested { throw StageInterrupted() } }
    let result = try evaluator.evaluate(suite)
    guard let bits = result.metrics.first(where: { $0.name == "bits_per_byte" }) else {
      throw StageFailure("suite '\(suite.name)' gives no bits per byte")
    }
    return bits.estimate.value
  }
}

import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Modeling
import StageInterface

/// `score/tokens`: what models make of every target token.
package struct ScoreTokens: NativeStage {
  package static let name = "score/tokens"

  package struct Parameters: Decodable, Sendable {
    let threshold: Double
    let bins: Int
    let hardest: Int
    let limit: Int?
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let models = context.inputs("models")
    guard let first = models.first else { throw StageFailure("input 'models' has no models") }
    let configuration = try ModelDirectory.configuration(first.path)
    let codec = try TokenizerDirectory(path: first.path).codec()
    let records = try TokenTable.read(
      "data", limit: parameters.limit, vocabularySize: configuration.vocabularySize, contextLength: configuration.maxPositions, context)
    let targets = TargetPasses(records)
    guard !targets.places.isEmpty else { throw StageFailure("input 'data' has no target tokens") }
    let table = TokenScoreTable(
      targets: targets, records: records.count, threshold: parameters.threshold, bins: parameters.bins, hardest: parameters.hardest,
      text: { codec.decode([$0]) })

    var summaries: [JSONValue] = []
    var scores: [TargetScores] = []
    for (index, model) in models.enumerated() {
      try check(model.path, first.path, configuration)
      let (done, all) = (index * targets.passes.count, models.count * targets.passes.count)
      let scored = try score(model.path, targets, context) { context.progress(done: done + $0, of: all) }
      var summary = table.summary(scored)
      if let labels = model.labels { summary.set("labels", .object(labels)) }
      context.metric(step: index, "loss", summary["loss"]?.numberValue ?? 0)
      summaries.append(.object(summary))
      scores.append(scored)
    }
    let report: JSONValue = [
      "records": .integer(records.count), "tokens": .integer(targets.places.count), "threshold": .number(parameters.threshold),
      "models": .array(summaries),
    ]
    try Data(report.encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: try context.output("report")))
    try RecordFile.write(rows: table.rows(scores), to: try context.output("tokens"))
  }

  private static func check(_ path: String, _ first: String, _ configuration: ModelConfiguration) throws {
    let other = try ModelDirectory.configuration(path)
    guard other.vocabularySize == configuration.vocabularySize else {
      throw StageFailure("has a vocabulary of \(other.vocabularySize), the first model one of \(configuration.vocabularySize)", file: path)
    }
  }

  private static func score(
    _ directory: String, _ targets: TargetPasses, _ context: StageContext, progress: (Int) -> Void
  ) throws -> TargetScores {
    try TargetScores(try Transformer.packed(directory, ThreadPool(threads: context.threads)), targets) { done in
      if context.stopRequested { throw StageInterrupted() }
      progress(done)
    }
  }
}

extension Transformer {
  /// A model of a directory for scoring alone: its weights are packed once, and the unpacked ones given back.
  static func packed(_ directory: String, _ pool: ThreadPool) throws -> Transformer {
    let model = try ModelDirectory.load(directory, pool: pool)
    return Transformer(ModelWeights.packed(model.configuration, model.arena, pool: pool, release: true), pool: pool)
  }
}

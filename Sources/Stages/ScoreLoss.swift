import Datasets
import Foundation
import JSONValues
import Kernels
import Modeling
import StageInterface
import Training

/// `score/loss`: the mean loss of each record's trained tokens under a model, and what FLOW makes of it.
package struct ScoreLoss: NativeStage {
  package static let name = "score/loss"

  package struct Parameters: Decodable, Sendable {
    let tau: Double?
    let perDeviceEvalBatchSize: Int
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    guard let given = context.inputs("model").first else { throw StageFailure("input 'model' is missing from the stage's order") }
    let pool = ThreadPool(threads: context.threads)
    let configuration = try ModelDirectory.configuration(given.path)
    let tables = try TrainingRecords.tables(context, configuration)
    let model = try ModelDirectory.load(given.path, pool: pool)
    let transformer = Transformer(ModelWeights.packed(configuration, model.arena, pool: pool, release: true), pool: pool)
    let total = tables.reduce(0) { $0 + $1.records.count }
    var losses: [[Double?]] = []
    for table in tables {
      let before = losses.reduce(0) { $0 + $1.count }
      losses.append(
        try RecordLosses(transformer, atOnce: parameters.perDeviceEvalBatchSize).measure(table.records) { done in
          if context.stopRequested { throw StageInterrupted() }
          context.progress(done: before + done, of: total)
        })
    }
    if let (table, record) = spoilt(losses) {
      throw StageFailure(
        "gives record \(record + 1) of input \(table + 1) a loss that is not finite: its weights are spoilt", file: given.path)
    }
    let known = losses.joined().compactMap { $0 }
    guard !known.isEmpty else { throw StageFailure("no record has a token to train: there is nothing to weigh") }
    let tau = parameters.tau ?? Objective.medianTemperature(known)
    let weights = RecordWeights(
      model: given.digest, tau: tau,
      tables: zip(tables, losses).map { table, losses in
        .init(tokens: table.digest, losses: losses, weights: losses.map { $0.map { VectorMath.exp(-$0 / tau) } })
      })
    try Data(weights.json.encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: try context.output("weights")))
    let mean = weights.tables.flatMap { $0.weights.compactMap { $0 } }.reduce(0, +) / Double(known.count)
    for (name, value) in [("tau", tau), ("mean_weight", mean), ("loss", known.reduce(0, +) / Double(known.count))] {
      context.metric(step: 0, name, value)
    }
  }

  private static func spoilt(_ losses: [[Double?]]) -> (table: Int, record: Int)? {
    for (table, values) in losses.enumerated() {
      if let record = values.firstIndex(where: { $0.map { !$0.isFinite } ?? false }) { return (table, record) }
    }
    return nil
  }
}

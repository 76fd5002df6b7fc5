import Kernels
import Modeling
import StageInterface
import Training

/// `train/sft`: supervised fine-tuning of all weights, some, or an adapter; on plain text, pretraining.
package struct TrainSFT: NativeStage {
  package static let name = "train/sft"

  package struct Parameters: Decodable, Sendable {
    let optimizer: OptimizerParameters
    let data: DataParameters
    let weights: TrainedWeightsParameters
    let evaluation: EvaluationParameters
    let loss: LossParameters
    let terms: TermParameters

    package init(from decoder: any Decoder) throws {
      optimizer = try OptimizerParameters(from: decoder)
      evaluation = try EvaluationParameters(from: decoder)
      data = try DataParameters(from: decoder)
      weights = try TrainedWeightsParameters(from: decoder)
      loss = try LossParameters(from: decoder)
      terms = try TermParameters(from: decoder)
    }

    var settings: TrainingSettings {
      var settings = optimizer.settings
      settings.microBatch = .records(data.perDeviceTrainBatchSize)
      settings.gradientAccumulationSteps = data.gradientAccumulationSteps
      settings.seed = data.seed
      settings.dataSeed = data.dataSeed ?? data.seed
      return settings
    }
  }

  struct DataParameters: Decodable, Sendable {
    let perDeviceTrainBatchSize: Int
    let gradientAccumulationSteps: Int
    let seed: UInt64
    let dataSeed: UInt64?
    let saveSteps: Int
    let saveOptimizer: Bool
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let pool = ThreadPool(threads: context.threads)
    let directory = try context.input("model")
    let model = try ModelDirectory.load(directory, pool: pool)
    let tables = try TrainingRecords.tables(context, model.configuration)
    let retention = try RetentionEvaluation(parameters.evaluation, context, model: directory)
    let overlaps = try retention?.overlaps(tables.map(\.table)) ?? []
    for text in overlaps { context.warn(text) }
    let records = try parameters.loss.records(tables, context)
    let trained = try parameters.weights.prepare(context, model, seed: parameters.data.seed, pool)
    if let note = trained.note { context.log(note.text) }
    let run = try TrainingRun(
      Transformer(trained.weights, pool: pool), records, parameters.settings, try goal(parameters, context, trained, pool),
      trains: trained.trains)
    if let path = context.optionalInput("optimizer") { try run.carryOptimizer(from: OptimizerFile(path)) }
    let log = try StepLog(context.checkpointDirectory + "/steps.jsonl")

    var control = TrainingControl()
    control.checkpointPath = context.checkpointDirectory + "/checkpoint"
    control.saveSteps = parameters.data.saveSteps
    control.shouldStop = {
      if context.stopRequested { log.synchronize() }
      return context.stopRequested
    }
    control.watch = retention?.watch(context, count: run.trainedCount, trained.weights, pool)
    control.onStep = { metrics in
      log.append(step: metrics.step, metrics.named)
      if metrics.step % parameters.data.saveSteps == 0 { log.synchronize() }
      // The loss comes last: a live view shows the latest metric.
      for (name, value) in metrics.named.reversed() { context.metric(step: metrics.step, name, value) }
      context.progress(done: metrics.step, of: run.totalSteps)
    }
    guard case .finished(let steps, let kernels) = try run.run(control) else { throw StageInterrupted() }
    context.kernels(kernels)
    let looks = RetentionEvaluation.members(control.watch?.curve, overlaps: overlaps, steps: steps, of: run.totalSteps, context)
    try trained.handOver(log, steps: steps, looks, context, pool)
    if parameters.data.saveOptimizer { try run.writeOptimizer(OptimizerFile(try context.output("optimizer"))) }
  }

  private static func goal(
    _ parameters: Parameters, _ context: StageContext, _ trained: TrainedWeights, _ pool: ThreadPool
  ) throws -> TrainingGoal {
    let models = ReferenceModels(trained.model.configuration, pool)
    var goal = TrainingGoal(parameters.loss.objective)
    goal.terms = trained.terms + (try parameters.terms.terms(context, models, trained, pool))
    goal.distributions = try parameters.loss.distributions(context, models)
    return goal
  }
}

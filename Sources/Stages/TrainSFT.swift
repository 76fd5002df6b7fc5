import Datasets
import Kernels
import Modeling
import StageInterface
import Training

/// `train/sft`: supervised fine-tuning of all weights; on plain text, pretraining.
package struct TrainSFT: NativeStage {
  package static let name = "train/sft"

  package struct Parameters: Decodable, Sendable {
    let learningRate: Double
    let lrSchedulerType: String
    let warmupSteps: Int
    let warmupRatio: Double
    let numTrainEpochs: Double
    let maxSteps: Int
    let perDeviceTrainBatchSize: Int
    let gradientAccumulationSteps: Int
    let maxGradNorm: Double
    let weightDecay: Double
    let adamBeta1: Double
    let adamBeta2: Double
    let adamEpsilon: Double
    let seed: UInt64
    let dataSeed: UInt64?
    let saveSteps: Int
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let pool = ThreadPool(threads: context.threads)
    let directory = try context.input("model")
    let model = try ModelDirectory.load(directory, pool: pool)
    let records = try records(context, model.configuration)
    let transformer = Transformer(ModelWeights(model.configuration, model.arena), pool: pool)
    let run = try TrainingRun(transformer, records, settings(parameters))
    let log = try StepLog(context.checkpointDirectory + "/steps.jsonl")

    var control = TrainingControl()
    control.checkpointPath = context.checkpointDirectory + "/checkpoint"
    control.saveSteps = parameters.saveSteps
    control.shouldStop = {
      if context.stopRequested { log.synchronize() }
      return context.stopRequested
    }
    control.onStep = { metrics in
      log.append(metrics)
      if metrics.step % parameters.saveSteps == 0 { log.synchronize() }
      // The loss comes last: a live view shows the latest metric.
      for (name, value) in metrics.named.reversed() { context.metric(step: metrics.step, name, value) }
      context.progress(done: metrics.step, of: run.totalSteps)
    }
    guard case .finished(let steps, _) = try run.run(control) else { throw StageInterrupted() }
    try log.write(steps: steps, to: try context.output("log"))
    try ModelDirectory.write(model.configuration, model.arena, companions: model.companions, to: try context.output("model"), pool: pool)
  }

  private static func records(_ context: StageContext, _ configuration: ModelConfiguration) throws -> [TokenizedRecord] {
    var records: [TokenizedRecord] = []
    for element in context.inputs("data") {
      let table = try TokenizedRecords(directory: element.path)
      try table.check(vocabularySize: configuration.vocabularySize, contextLength: configuration.maxPositions)
      for record in 0..<table.count {
        let range = table.range(record)
        records.append(TokenizedRecord(ids: Array(table.ids[range]), trained: table.trained[range].map { $0 != 0 }))
      }
    }
    return records
  }

  private static func settings(_ p: Parameters) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.learningRate = p.learningRate
    settings.schedule = LearningRateSchedule.Kind(rawValue: p.lrSchedulerType) ?? .linear
    settings.warmupSteps = p.warmupSteps
    settings.warmupRatio = p.warmupRatio
    settings.epochs = p.numTrainEpochs
    settings.maxSteps = p.maxSteps
    settings.microBatch = .records(p.perDeviceTrainBatchSize)
    settings.gradientAccumulationSteps = p.gradientAccumulationSteps
    settings.maxGradNorm = p.maxGradNorm
    settings.weightDecay = p.weightDecay
    settings.beta1 = p.adamBeta1
    settings.beta2 = p.adamBeta2
    settings.epsilon = p.adamEpsilon
    settings.dataSeed = p.dataSeed ?? p.seed
    return settings
  }
}

import Datasets
import Kernels
import Modeling
import StageInterface
import Training

/// `train/sft`: supervised fine-tuning of all weights; on plain text, pretraining.
package struct TrainSFT: NativeStage {
  package static let name = "train/sft"

  package struct Parameters: Decodable, Sendable {
    let learning_rate: Double
    let lr_scheduler_type: String
    let warmup_steps: Int
    let warmup_ratio: Double
    let num_train_epochs: Double
    let max_steps: Int
    let per_device_train_batch_size: Int
    let gradient_accumulation_steps: Int
    let max_grad_norm: Double
    let weight_decay: Double
    let adam_beta1: Double
    let adam_beta2: Double
    let adam_epsilon: Double
    let seed: UInt64
    let data_seed: UInt64?
    let save_steps: Int
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
    control.saveSteps = parameters.save_steps
    control.shouldStop = {
      if context.stopRequested { log.synchronize() }
      return context.stopRequested
    }
    control.onStep = { metrics in
      log.append(metrics)
      if metrics.step % parameters.save_steps == 0 { log.synchronize() }
      for (name, value) in metrics.named { context.metric(step: metrics.step, name, value) }
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
    settings.learningRate = p.learning_rate
    settings.schedule = LearningRateSchedule.Kind(rawValue: p.lr_scheduler_type) ?? .linear
    settings.warmupSteps = p.warmup_steps
    settings.warmupRatio = p.warmup_ratio
    settings.epochs = p.num_train_epochs
    settings.maxSteps = p.max_steps
    settings.microBatch = .records(p.per_device_train_batch_size)
    settings.gradientAccumulationSteps = p.gradient_accumulation_steps
    settings.maxGradNorm = p.max_grad_norm
    settings.weightDecay = p.weight_decay
    settings.beta1 = p.adam_beta1
    settings.beta2 = p.adam_beta2
    settings.epsilon = p.adam_epsilon
    settings.dataSeed = p.data_seed ?? p.seed
    return settings
  }
}

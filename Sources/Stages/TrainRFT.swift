import Datasets
import Evaluation
import Generation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import StageInterface
import Training

/// `train/rft`: reinforcement fine-tuning of all weights, some, or an adapter.
package struct TrainRFT: NativeStage {
  package static let name = "train/rft"

  package static func run(_ parameters: TrainRFTParameters, _ context: StageContext) throws {
    let pool = ThreadPool(threads: context.threads)
    let directory = try context.input("model")
    let settings = try parameters.settings()
    let codec = try TokenizerDirectory(path: directory).codec()
    let rewards = try RewardSum(parameters.own.rewards, programPath: context.optionalInput("reward_program"), log: context.log)
    let model = try ModelDirectory.load(directory, pool: pool)
    let trained = try parameters.weights.prepare(context, model, seed: parameters.sampling.seed, pool)
    if let note = trained.note { context.log(note.text) }
    let material = try material(parameters, settings, context, codec, model, pool)
    let retention = try RetentionEvaluation(parameters.evaluation, context, model: directory)
    let overlaps = retention?.overlaps(material.prompts) ?? []
    for text in overlaps { context.warn(text) }
    let run = try ReinforcementRun(
      trained.weights, pool: pool, material, codec: codec, endTokens: model.configuration.endTokens(codec), rewards: rewards, settings,
      terms: trained.terms
        + (try parameters.terms.terms(context, ReferenceModels(model.configuration, pool), trained, pool)), trains: trained.trains)
    if let path = context.optionalInput("optimizer") { try run.carryOptimizer(from: OptimizerFile(path)) }
    let log = try StepLog(context.checkpointDirectory + "/steps.jsonl")

    var control = ReinforcementControl()
    control.checkpointDirectory = context.checkpointDirectory
    control.saveSteps = parameters.own.saveSteps
    control.shouldStop = {
      if context.stopRequested { log.synchronize() }
      return context.stopRequested
    }
    control.watch = retention?.watch(context, count: run.trainedCount) { run.samplingModel() }
    control.onStep = { record in
      log.append(step: record.step, record.values)
      if record.step % parameters.own.saveSteps == 0 { log.synchronize() }
      // The reward comes last: a live view shows the latest metric.
      for (name, value) in record.timings + record.values where !value.isNaN && name != "reward" {
        context.metric(step: record.step, name, value)
      }
      if let reward = record.values.first(where: { $0.name == "reward" }) { context.metric(step: record.step, "reward", reward.value) }
      context.progress(done: record.step, of: run.totalSteps)
    }
    guard case .finished(let steps, let kernels) = try context.scoring({ try run.run(control) }) else { throw StageInterrupted() }
    try rewards.close()
    context.kernels(kernels)
    let looks = RetentionEvaluation.members(control.watch?.curve, overlaps: overlaps, steps: steps, of: run.totalSteps, context)
    try trained.handOver(log, steps: steps, looks, context, pool)
    if parameters.own.saveOptimizer { try run.writeOptimizer(OptimizerFile(try context.output("optimizer"))) }
  }

  private static func material(
    _ parameters: TrainRFTParameters, _ settings: ReinforcementSettings, _ context: StageContext, _ codec: TextCodec, _ model: LoadedModel,
    _ pool: ThreadPool
  ) throws -> ReinforcementRun.Material {
    var material = ReinforcementRun.Material(prompts: [])
    if let path = context.optionalInput("rollouts") {
      guard context.inputs("prompts").isEmpty else {
        throw StageFailure("both 'prompts' and 'rollouts' are given: the prompts are those of the rollouts")
      }
      let given = try given(path, model.configuration, settings)
      material.prompts = given.prompts
      material.given = given.rollouts
    } else {
      guard !context.inputs("prompts").isEmpty else { throw StageFailure("neither 'prompts' nor 'rollouts' are given") }
      material.prompts = try parameters.prompting.prompts(context.inputs("prompts"), codec, model.configuration)
    }
    if settings.usesReference, settings.reference == .base, let path = context.optionalInput("base") {
      material.base = try ReferenceModels.model(path, like: model.configuration, pool).arena
    }
    return material
  }

  /// - Throws: for tokens of another vocabulary, for what does not fit the model's context, and for samples of another temperature.
  private static func given(
    _ path: String, _ configuration: ModelConfiguration, _ settings: ReinforcementSettings
  ) throws -> (prompts: [AskedPrompt], rollouts: [Rollout]) {
    var prompts: [AskedPrompt] = []
    var rollouts: [Rollout] = []
    let file = RolloutFile(path)
    try file.read { rollout, line throws(DatasetError) in
      let samples = rollout.samples + [rollout.greedy].compactMap { $0 }
      for id in rollout.promptIDs + samples.flatMap(\.ids) where id >= configuration.vocabularySize {
        throw DatasetError("token \(id) is outside the model's vocabulary of \(configuration.vocabularySize): another tokenizer made it")
      }
      let longest = rollout.promptIDs.count + max(settings.maxNewTokens, samples.map(\.ids.count).max() ?? 0)
      guard longest <= configuration.maxPositions else {
        throw DatasetError("prompt and completion have \(longest) tokens; the model's context is \(configuration.maxPositions)")
      }
      guard samples.allSatisfy(\.hasLogProbabilities) else {
        throw DatasetError(
          "the completions have no log-probabilities, and a policy ratio needs them: the server that gave them (rollout's endpoint) said none; "
            + "leave 'rollouts' out and train/rft samples itself")
      }
      guard !rollout.promptIDs.isEmpty else { throw DatasetError("the prompt has no token") }
      try settings.check(temperatureOf: rollout)
      let place = "\(file.name):\(line)"
      prompts.append(AskedPrompt(record: rollout.record, text: rollout.promptText, ids: rollout.promptIDs, place: place))
      rollouts.append(rollout)
    }
    return (prompts, rollouts)
  }
}

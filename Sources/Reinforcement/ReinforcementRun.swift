import Datasets
import Evaluation
import Generation
import Kernels
import Modeling
import Training

/// What the outside has to say while a run goes on.
package struct ReinforcementControl {
  /// Asked between passes; true makes the run write its checkpoint and end.
  package var shouldStop: () -> Bool = { false }
  package var onStep: (StepRecord) -> Void = { _ in }
  /// Directory of the checkpoint; nil for none.
  package var checkpointDirectory: String?
  /// Steps between checkpoints (`save_steps`); 0 writes one only when stopped.
  package var saveSteps = 0
  /// Evaluates while training, may end it early, and has the best weights handed over.
  package var watch: RetentionWatch?

  package init() {}
}

/// Reinforcement fine-tuning: a step samples completions from the policy as it is, has them scored, and moves the policy's weights, where
/// they are, towards what scored better than its like. It takes rewards, advantages and loss as values.
package final class ReinforcementRun {
  /// What a run trains on.
  package struct Material {
    package var prompts: [AskedPrompt]
    /// One for each prompt: learnt from in the first pass over the prompts, in place of sampling.
    package var given: [Rollout]?
    /// Of `reference: base`.
    package var base: ParameterArena?

    package init(prompts: [AskedPrompt], given: [Rollout]? = nil, base: ParameterArena? = nil) {
      self.prompts = prompts
      self.given = given
      self.base = base
    }
  }

  package var totalSteps: Int { plan.totalSteps }
  /// Floats that train, with the padding between them: what a watch keeps.
  package var trainedCount: Int { trained.gradients.count }
  let settings: ReinforcementSettings
  let material: Material
  let rewards: RewardSum
  let sampler: RolloutSampler
  let pool: ThreadPool
  let policy: Transformer
  let plan: PromptPlan
  let trained: TrainableParameters
  let optimizer: Optimizer
  let reference: ReferencePolicy?
  let terms: [any ParameterTerm]
  let binding: TrainingBinding
  private let schedule: LearningRateSchedule
  private let packed: ModelWeights
  /// The policy as it samples: over packed weights.
  private let sampling: Transformer
  private var isPackedStale = true
  private var activations: Activations?
  var state: ReinforcementState
  /// Steps done when the last checkpoint was written.
  var checkpointStep: Int?

  /// `weights` are trained in place: the last of their adapters where they have any, else those of their tensors that `trains` picks.
  /// `terms` are added to every update's loss, and count in the gradient's norm that is clipped.
  package init(
    _ weights: ModelWeights, pool: ThreadPool, _ material: Material, codec: TextCodec, endTokens: Set<Int32>, rewards: RewardSum,
    _ settings: ReinforcementSettings, terms: [any ParameterTerm] = [], trains: (ParameterLayout.Entry) -> Bool = { _ in true }
  ) throws {
    try Self.check(material, settings)
    self.settings = settings
    self.material = material
    self.rewards = rewards
    self.terms = terms
    self.pool = pool
    let configuration = weights.configuration
    policy = Transformer(weights, pool: pool)
    packed = ModelWeights.packed(configuration, weights.arena, pool: pool).with(weights.adapters)
    sampling = Transformer(packed, pool: pool)
    var sampler = RolloutSampler(
      codec, sampling: settings.sampling, maxNewTokens: settings.maxNewTokens, endTokens: endTokens,
      sequencesAtOnce: settings.sequencesAtOnce)
    sampler.minNewTokens = settings.minNewTokens
    sampler.stop = settings.stop
    self.sampler = sampler
    plan = PromptPlan(
      prompts: material.prompts.count, perStep: settings.promptsPerStep, epochs: settings.optimizer.epochs,
      maxSteps: settings.optimizer.maxSteps, seed: settings.seed)
    schedule = settings.optimizer.learningRates(totalSteps: plan.totalSteps)
    trained = TrainableParameters(weights, trains: trains)
    optimizer = Optimizer(trained)
    reference = try Self.reference(packed, material, settings, pool)
    binding = TrainingBinding(
      configuration, trained,
      [
        ("settings", String(describing: settings.bound)), ("rewards", rewards.names.joined(separator: ", ")),
        ("prompts", Self.fingerprint(material)), ("terms", terms.identity),
      ])
    state = ReinforcementState(beta: settings.loss.beta)
  }

  /// Begins with the moments that an earlier run ended with; before `run`.
  package func carryOptimizer(from file: OptimizerFile) throws(ModelError) { try optimizer.carry(from: file) }

  /// The moments after the last update.
  package func writeOptimizer(_ file: OptimizerFile) throws(ModelError) { try optimizer.write(file, updates: state.updates) }

  /// Trains to the end, or until told to stop. Goes on from the checkpoint where there is one.
  package func run(_ control: ReinforcementControl = ReinforcementControl()) throws -> TrainingOutcome {
    try resume(control)
    while true {
      // A step that is under way began with this look, so there is none due in its midst.
      let verdict = try control.watch?.look(step: state.step, of: totalSteps, trained) ?? .goOn
      if verdict == .end || verdict == .goOn && state.step == totalSteps { break }
      guard verdict == .goOn, let record = try step(control) else {
        try save(control)
        return .stopped(steps: state.step)
      }
      control.onStep(record)
      if control.saveSteps > 0, state.step % control.saveSteps == 0, state.step < totalSteps { try save(control) }
    }
    control.watch?.restore(trained, pool)
    return .finished(steps: state.step, kernels: state.kernels)
  }

  // MARK: - One step

  /// nil when told to stop.
  private func step(_ control: ReinforcementControl) throws -> StepRecord? {
    var clock = StepClock()
    let planned = plan.step(state.step)
    guard let rollouts = try rollouts(planned, control) else { return nil }
    clock.lap(\.sampling)
    let beta = state.beta
    let experience = Experience(rollouts, reference: references(rollouts), beta: beta, settings)
    guard rollouts.contains(where: { $0.samples.contains { $0.rewards?.total != nil } }) else {
      throw ReinforcementError.noRewards(
        step: state.step + 1, components: rewards.names, place: planned.prompts.first.flatMap { material.prompts[$0].place })
    }
    clock.lap(\.scoring)
    let updates = updates(rollouts.count)
    let rate = schedule.rate(state.step)
    while state.pass < updates.count {
      guard try update(updates[state.pass], experience, rate, control) else {
        state.rollouts = rollouts
        return nil
      }
      state.pass += 1
    }
    clock.lap(\.training)
    finish(rollouts, experience)
    let record = record(planned, experience, beta: beta, rate: rate, clock)
    state.sums = StepSums()
    return record
  }

  /// The parts of the batch that each update sees, as places in it.
  private func updates(_ count: Int) -> [[Int]] {
    let size = min(count, settings.promptsPerUpdate ?? count)
    let parts = stride(from: 0, to: count, by: size).map { Array($0..<min(count, $0 + size)) }
    return (0..<settings.iterations).flatMap { _ in parts }
  }

  /// One optimizer update. False when told to stop: nothing has changed then.
  private func update(_ numbers: [Int], _ experience: Experience, _ rate: Double, _ control: ReinforcementControl) throws -> Bool {
    let counts = experience.counts(numbers)
    let training = numbers.filter(experience.trains)
    guard counts.tokens > 0, !training.isEmpty else { return true }
    var loss = settings.loss
    loss.beta = settings.klInLoss ? state.beta : 0
    let memory = memory(experience.rollouts)
    var sum = PolicyLossStatistics()
    for start in stride(from: 0, to: training.count, by: settings.promptsPerMicroBatch) {
      if control.shouldStop() {
        trained.gradients.buffer.clear()
        return false
      }
      let pass = experience.pass(Array(training[start..<min(training.count, start + settings.promptsPerMicroBatch)]))
      var statistics = PolicyLossStatistics()
      let tokenLoss = TokenLoss(scope: .batch) { target, _, slopes in
        statistics = loss.evaluate(pass.policy, counts, logProbabilities: target.logProbabilities, slopes: slopes)
      }
      let seen = policy.train(pass.tokens, pass.targets, tokenLoss, memory, gradients: trained.gradients, temperature: temperature)
      guard (0..<seen.count).allSatisfy({ seen.logProbabilities[$0].isFinite }) else { throw notFinite("a log-probability of the policy") }
      sum.add(statistics)
    }
    let values = terms.apply(pool, trained.parts)
    let norm = trained.gradientNorm(pool)
    guard sum.loss.isFinite else { throw notFinite("the loss") }
    if let term = values.first(where: { !$0.value.isFinite }) { throw notFinite(term.name) }
    guard norm.isFinite else { throw notFinite("the gradient's norm") }
    let limit = settings.optimizer.maxGradNorm
    optimizer.update(
      pool, settings: settings.optimizer, learningRate: rate, step: state.updates + 1,
      scale: limit > 0 ? Float(min(1, limit / (norm + 1e-6))) : 1)
    state.updates += 1
    // Spoilt weights must not take the last checkpoint's place, nor be handed over after the last step.
    guard trained.norm(pool).isFinite else { throw notFinite("the norm of the policy's weights") }
    isPackedStale = true
    state.sums.add(sum, gradNorm: norm, terms: values.map(\.value))
    return true
  }

  private func notFinite(_ quantity: String) -> ReinforcementError {
    .notFinite(quantity: quantity, step: state.step + 1, updates: state.updates, checkpoint: checkpointStep)
  }

  private func memory(_ rollouts: [Rollout]) -> Activations {
    let (rows, targets) = Experience.largest(rollouts, together: settings.promptsPerMicroBatch)
    if let activations, activations.maximumTokens >= rows, activations.maximumTargets >= targets { return activations }
    let grown = Activations(policy.configuration, tokens: rows, targets: targets, purpose: .training, lowestLayer: trained.lowestLayer)
    activations = grown
    return grown
  }

  private func finish(_ rollouts: [Rollout], _ experience: Experience) {
    state.step += 1
    state.pass = 0
    state.rollouts = nil
    state.tokens += rollouts.reduce(0) { $0 + $1.promptIDs.count + $1.samples.reduce(0) { $0 + $1.ids.count } }
    if let adaptive = settings.adaptiveKL, let kl = experience.kl ?? state.sums.loss.kl {
      var follower = AdaptiveKL(beta: state.beta, target: adaptive.target, horizon: adaptive.horizon)
      follower.update(kl: kl, completions: rollouts.reduce(0) { $0 + $1.samples.count })
      state.beta = follower.beta
    }
    if settings.reference == .movingAverage, state.step % settings.referenceSyncSteps == 0 {
      reference?.follow(trained.arena, alpha: Float(settings.referenceMixupAlpha))
    }
  }

  // MARK: - Rollouts

  /// The step's rollouts with their rewards: those that a stopped run had, those given, or new ones. nil when told to stop.
  private func rollouts(_ planned: PromptPlan.Step, _ control: ReinforcementControl) throws -> [Rollout]? {
    if let kept = state.rollouts { return kept }
    let prompts = planned.prompts.map { material.prompts[$0] }
    if planned.pass == 0, let given = material.given { return try planned.prompts.map { given[$0] }.scored(by: rewards, of: prompts) }
    let model = samplingModel()
    let first = state.step * settings.promptsPerStep
    var rollouts = [Rollout?](repeating: nil, count: planned.prompts.count)
    let isWhole = try sampler.sample(
      model, prompts, numbers: planned.prompts.indices.map { first + $0 }, samples: settings.generations, greedy: settings.needsGreedy,
      progress: { _ in !control.shouldStop() }, onFinished: { rollouts[$0] = $1 })
    guard isWhole else { return nil }
    guard rollouts.allSatisfy({ $0?.isFinite ?? true }) else { throw notFinite("a log-probability of the policy") }
    return try rollouts.compactMap { $0 }.scored(by: rewards, of: prompts)
  }

  /// The policy as it is now, over packed weights.
  package func samplingModel() -> Transformer {
    // An adapter that trains lies beside the packed weights, which stay as they are.
    if isPackedStale, trained.trainsBase { packed.repack(pool) }
    isPackedStale = false
    return sampling
  }

  private func references(_ rollouts: [Rollout]) -> [[[Float]]]? {
    reference?.logProbabilities(rollouts, temperature: temperature, together: settings.promptsPerMicroBatch)
  }

  private var temperature: Float { Float(ReinforcementSettings.measured(settings.sampling.temperature)) }
}

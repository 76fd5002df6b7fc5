import Kernels
import Modeling

/// What the outside has to say while a run goes on.
package struct TrainingControl {
  /// Asked before every micro-batch; true makes the run write its checkpoint and end.
  package var shouldStop: () -> Bool = { false }
  package var onStep: (StepMetrics) -> Void = { _ in }
  /// Where the checkpoint lies; nil for none.
  package var checkpointPath: String?
  /// Steps between checkpoints (`save_steps`); 0 writes one only when stopped.
  package var saveSteps = 0
  /// Evaluates while training, may end it early, and has the best weights handed over.
  package var watch: RetentionWatch?

  package init() {}
}

package enum TrainingOutcome: Sendable, Equatable {
  /// `kernels`: all that took part, in order; more than one where a checkpoint was carried to another CPU.
  case finished(steps: Int, kernels: [String])
  /// The checkpoint holds the state after `steps` steps.
  case stopped(steps: Int)
}

/// What is trained for: a loss on the data, and terms beside it.
package struct TrainingGoal {
  package var objective = Objective.negativeLogLikelihood
  package var terms: [any ParameterTerm] = []
  package var distributions: [DistributionTerm] = []

  package init(_ objective: Objective = .negativeLogLikelihood) { self.objective = objective }
}

/// The one training loop: gradient accumulation over packed micro-batches, terms, clipping, AdamW. It takes which loss and which tensors
/// train as values. Parameters are trained where they are.
package final class TrainingRun {
  package let totalSteps: Int
  private let model: Transformer
  private let settings: TrainingSettings
  private let goal: TrainingGoal
  private let records: [TokenizedRecord]
  private let schedule: LearningRateSchedule
  private let binding: TrainingBinding
  private let trained: TrainableParameters
  private let optimizer: Optimizer
  private let activations: Activations
  private let distributions: DistributionTerms
  private let loss: StepLoss
  private var plan: BatchPlan
  private var state = Checkpoint(step: 0, tokens: 0, kernels: [CPU.kernelName])

  private var pool: ThreadPool { model.pool }
  /// Floats that train, with the padding between them: what a watch keeps.
  package var trainedCount: Int { trained.gradients.count }

  /// The last of the model's adapters trains where it has any; else `trains` picks tensors of the model itself.
  package init(
    _ model: Transformer, _ records: [TokenizedRecord], _ settings: TrainingSettings, _ goal: TrainingGoal = TrainingGoal(),
    trains: (ParameterLayout.Entry) -> Bool = { _ in true }
  ) throws(TrainingError) {
    try Self.check(records, model)
    let usable = records.filter { $0.targetCount > 0 }
    self.model = model
    self.records = usable
    self.settings = settings
    self.goal = goal
    plan = BatchPlan(lengths: usable.map(\.ids.count), settings: settings)
    totalSteps = plan.totalSteps
    schedule = settings.learningRates(totalSteps: totalSteps)
    trained = TrainableParameters(model.weights, trains: trains)
    optimizer = Optimizer(trained)
    let (tokens, targets) = (plan.largestSum(usable.map(\.ids.count)), plan.largestSum(usable.map(\.targetCount)))
    activations = Activations(
      model.configuration, tokens: tokens, targets: targets, purpose: .training, lowestLayer: trained.lowestLayer,
      head: goal.head(accumulation: settings.gradientAccumulationSteps))
    distributions = DistributionTerms(goal.distributions, tokens: tokens, targets: targets)
    loss = StepLoss(goal.objective, distributions, targets: targets)
    binding = TrainingBinding(
      model.configuration, settings, objective: goal.objective.identity,
      terms: [goal.terms.identity, distributions.identity].filter { !$0.isEmpty }.joined(separator: "; "), records: usable, trained)
  }

  /// Begins with the moments that an earlier run ended with; before `run`.
  package func carryOptimizer(from file: OptimizerFile) throws(ModelError) { try optimizer.carry(from: file) }

  /// The moments after the last step.
  package func writeOptimizer(_ file: OptimizerFile) throws(ModelError) { try optimizer.write(file, updates: state.step) }

  /// Trains to the end, or until told to stop. Goes on from the checkpoint where there is one.
  package func run(_ control: TrainingControl = TrainingControl()) throws -> TrainingOutcome {
    if let path = control.checkpointPath, StateFile.exists(path) {
      state = try Checkpoint.read(path, binding: binding, trained, optimizer, control.watch, pool)
      if state.kernels.last.map({ !$0.utf8.elementsEqual(CPU.kernelName.utf8) }) ?? true { state.kernels.append(CPU.kernelName) }
    }
    while true {
      let verdict = try control.watch?.look(step: state.step, of: totalSteps, trained) ?? .goOn
      if verdict == .end || verdict == .goOn && state.step == totalSteps { break }
      guard verdict == .goOn, let metrics = try step(control) else {
        try save(control)
        return .stopped(steps: state.step)
      }
      control.onStep(metrics)
      if control.saveSteps > 0, state.step % control.saveSteps == 0, state.step < totalSteps { try save(control) }
    }
    control.watch?.restore(trained, pool)
    try checkWeights()
    return .finished(steps: state.step, kernels: state.kernels)
  }

  /// Spoilt weights must not take the last checkpoint's place, nor be handed over after the last step.
  private func checkWeights() throws(TrainingError) {
    guard trained.norm(pool).isFinite else { throw .notFinite(quantity: "the norm of the weights", step: state.step) }
  }

  // MARK: - One step

  /// nil when told to stop: nothing has changed then.
  private func step(_ control: TrainingControl) throws(TrainingError) -> StepMetrics? {
    let number = state.step + 1
    let step = plan.step(state.step)
    let batches = step.microBatches.map { MicroBatch($0, of: records) }
    let targets = batches.reduce(0) { $0 + $1.targets.count }
    var temperature: Double?
    if goal.objective.medianScope == .step, batches.count > 1 {
      temperature = medianTemperature(batches, control)
      if temperature == nil { return nil }
    }
    loss.begin(targets: targets, temperature: temperature)
    for (index, batch) in batches.enumerated() {
      if control.shouldStop() {
        trained.gradients.buffer.clear()
        return nil
      }
      let statistics = model.train(
        batch.tokens, batch.targets, loss.tokenLoss(batch), activations, gradients: trained.gradients,
        dropout: DropoutDraw(seed: settings.seed, step: state.step, microBatch: index),
        distributions: DistributionLoss(distributions.references, share: 1 / Float(targets)))
      loss.add(batch, statistics)
    }
    let more = loss.more + goal.terms.apply(pool, trained.parts)
    let rate = schedule.rate(state.step)
    let norm = trained.gradientNorm(pool)
    guard loss.loss.isFinite else { throw .notFinite(quantity: "the loss", step: number) }
    if let term = more.first(where: { !$0.value.isFinite }) { throw .notFinite(quantity: term.name, step: number) }
    guard norm.isFinite else { throw .notFinite(quantity: "the gradient's norm", step: number) }
    optimizer.update(pool, settings: settings, learningRate: rate, step: number, scale: clipping(norm))
    state.step = number
    state.tokens += batches.reduce(0) { $0 + $1.tokens.count }
    return StepMetrics(
      step: number, loss: loss.loss, entropy: loss.meanEntropy, meanTokenAccuracy: loss.accuracy, tokens: state.tokens,
      learningRate: rate, gradNorm: norm, epoch: step.epoch, more: more)
  }

  /// τ of a step whose weights depend on all its losses: a pass forward over its micro-batches. nil when told to stop.
  private func medianTemperature(_ batches: [MicroBatch], _ control: TrainingControl) -> Double? {
    var losses: [Double] = []
    for batch in batches {
      if control.shouldStop() { return nil }
      model.forward(batch.tokens, activations)
      losses += batch.meanLosses(model.score(batch.targets, activations))
    }
    return Objective.medianTemperature(losses)
  }

  /// min(1, max_grad_norm / (norm + 1e-6)), as torch clips.
  private func clipping(_ norm: Double) -> Float {
    settings.maxGradNorm > 0 ? Float(min(1, settings.maxGradNorm / (norm + 1e-6))) : 1
  }

  // MARK: - Around the steps

  private func save(_ control: TrainingControl) throws(TrainingError) {
    guard let path = control.checkpointPath else { return }
    try checkWeights()
    try state.write(to: path, binding: binding, trained, optimizer, control.watch)
  }

  static func check(_ records: [TokenizedRecord], _ model: Transformer) throws(TrainingError) {
    let vocabulary = model.configuration.vocabularySize
    for (number, record) in records.enumerated() {
      if record.ids.count > model.maximumPositions {
        throw .recordTooLong(record: number, tokens: record.ids.count, limit: model.maximumPositions)
      }
      if let token = record.ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
        throw .tokenOutsideVocabulary(record: number, token: token, vocabulary: vocabulary)
      }
    }
    if records.allSatisfy({ $0.targetCount == 0 }) { throw .noTargets }
  }
}

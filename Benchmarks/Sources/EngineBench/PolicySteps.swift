import Generation
import Kernels
import Modeling
import Reinforcement
import Training

/// Whole optimizer steps of GRPO as the training stage takes them: weights packed again, completions drawn, advantages, policy loss,
/// gradients clipped, AdamW. The reward is 1 for every other completion, so that every group has something to learn.
final class PolicySteps {
  /// Seconds of each part, over all steps.
  var laps: [String: Double] = [:]

  private let pool: ThreadPool
  private let policy: Transformer
  private let packed: ModelWeights
  private let trained: TrainableParameters
  private let optimizer: Optimizer
  private let activations: Activations
  private let prompts: [[Int32]]
  private let samples: Int
  private let new: Int
  /// Prompts of one forward and backward pass.
  private let groups: Int
  private var steps = 0
  private var lapStart = 0.0

  init(_ configuration: ModelConfiguration, _ arena: ParameterArena, _ pool: ThreadPool, _ arguments: Arguments) {
    self.pool = pool
    let length = arguments.count("prompt", 46)
    prompts = drawn(arguments.count("prompts", 8), length, configuration.vocabularySize)
    samples = arguments.count("samples", 8)
    new = arguments.count("new", 48)
    groups = min(prompts.count, arguments.count("groups", 8))
    policy = Transformer(adapted(configuration, arena, pool, arguments), pool: pool)
    packed = ModelWeights.packed(configuration, arena, pool: pool).with(policy.weights.adapters)
    trained = TrainableParameters(policy.weights)
    optimizer = Optimizer(trained)
    let targets = groups * samples * new
    activations = Activations(configuration, tokens: groups * length + targets, targets: targets, purpose: .training)
  }

  func step() throws {
    lapStart = seconds()
    if trained.trainsBase { packed.repack(pool) }
    lap("pack_seconds")
    let generator = Generator(
      Transformer(packed, pool: pool), sampling: SamplingSettings(seed: UInt64(steps)), limits: GenerationLimits(maxNewTokens: new),
      batchSize: prompts.count * samples)
    let completions = try generator.generate(prompts, samples: samples) ?? []
    lap("generation_seconds")
    train(completions)
    lap("training_seconds")
    update()
    lap("update_seconds")
  }

  private func train(_ completions: [[Completion]]) {
    let rewards = (0..<samples).map { Double?.some(Double($0 % 2)) }
    let advantages = Advantages(completions.map { _ in .init(rewards: rewards) }, .grpo()).values
    let counts = PolicyCounts(sequences: prompts.count * samples, tokens: prompts.count * samples * new)
    let settings = PolicyLossSettings()
    for start in stride(from: 0, to: prompts.count, by: groups) {
      var (tokens, targets, batch) = (TokenBatch(), Targets(), PolicyBatch())
      for index in start..<min(prompts.count, start + groups) {
        _ = targets.append(prompt: prompts[index], completions: completions[index].map(\.tokens), to: &tokens)
        for (completion, advantage) in zip(completions[index], advantages[index]) {
          batch.append(advantage: Float(advantage), old: completion.logProbabilities)
        }
      }
      let loss = TokenLoss(scope: .batch) { statistics, _, slopes in
        _ = settings.evaluate(batch, counts, logProbabilities: statistics.logProbabilities, slopes: slopes)
      }
      _ = policy.train(tokens, targets, loss, activations, gradients: trained.gradients)
    }
  }

  /// Clipped to a norm of 1, at a rate of 1e-6.
  private func update() {
    steps += 1
    let norm = trained.gradientNorm(pool)
    optimizer.update(pool, settings: TrainingSettings(), learningRate: 1e-6, step: steps, scale: Float(min(1, 1 / (norm + 1e-6))))
  }

  private func lap(_ name: String) {
    let now = seconds()
    laps[name, default: 0] += now - lapStart
    lapStart = now
  }
}

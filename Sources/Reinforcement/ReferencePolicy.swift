import Kernels
import Modeling

/// The model that the policy is held to: says log π_ref of completions. Knows nothing of rewards and of the policy's training.
///
/// `@unchecked Sendable`: belongs to the loop that asks it.
final class ReferencePolicy: @unchecked Sendable {
  /// Its weights, where they follow the policy: part of a checkpoint.
  let arena: ParameterArena
  private let weights: ModelWeights
  private let model: Transformer
  private let pool: ThreadPool
  private var activations: Activations?

  init(_ configuration: ModelConfiguration, _ arena: ParameterArena, pool: ThreadPool) {
    self.arena = arena
    self.pool = pool
    weights = ModelWeights.packed(configuration, arena, pool: pool)
    model = Transformer(weights, pool: pool)
  }

  /// A copy of these weights.
  convenience init(copying parameters: ParameterArena, _ configuration: ModelConfiguration, pool: ThreadPool) {
    let arena = ParameterArena(parameters.layout)
    arena.pointer.update(from: parameters.pointer, count: parameters.count)
    self.init(configuration, arena, pool: pool)
  }

  /// log p of each token of each completion of each rollout, under softmax(logits / temperature).
  func logProbabilities(_ rollouts: [Rollout], temperature: Float, together: Int) -> [[[Float]]] {
    let (rows, targets) = Experience.largest(rollouts, together: together)
    if activations.map({ $0.maximumTokens < rows || $0.maximumTargets < targets }) ?? true {
      activations = Activations(model.configuration, tokens: rows, targets: targets, purpose: .inference)
    }
    guard let activations else { return [] }
    var answers: [[[Float]]] = []
    for start in stride(from: 0, to: rollouts.count, by: together) {
      var batch = TokenBatch()
      var targets = Targets()
      let part = rollouts[start..<min(rollouts.count, start + together)]
      let ranges = part.map { targets.append(prompt: $0.promptIDs, completions: $0.samples.map(\.ids), to: &batch) }
      let values = model.logProbabilities(batch, targets, activations, temperature: temperature)
      answers += ranges.map { $0.map { Array(values[$0]) } }
    }
    return answers
  }

  /// θ_ref ← α·θ + (1 − α)·θ_ref.
  func follow(_ parameters: ParameterArena, alpha: Float) {
    let (reference, policy) = (arena.pointer, parameters.pointer)
    pool.run((arena.count + Self.block - 1) / Self.block) { block in
      for i in block * Self.block..<min(arena.count, (block + 1) * Self.block) {
        reference[i] = alpha * policy[i] + (1 - alpha) * reference[i]
      }
    }
    repack()
  }

  /// After `arena` has changed.
  func repack() { weights.repack(pool) }

  private static let block = 1 << 16
}

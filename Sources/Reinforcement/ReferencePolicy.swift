import Kernels
import Modeling

/// The model that the policy is held to: says log π_ref of completions. Knows nothing of rewards and of the policy's training.
///
/// `@unchecked Sendable`: belongs to the loop that asks it.
final class ReferencePolicy: @unchecked Sendable {
  /// Its weights, where they follow the policy: part of a checkpoint.
  let arena: ParameterArena
  private let weights: ModelWeights
  /// The copied adapter; under it lie the policy's own weights, which do not change.
  private let adapter: Adapter?
  private let model: Transformer
  private let pool: ThreadPool
  private var activations: Activations?

  convenience init(_ configuration: ModelConfiguration, _ arena: ParameterArena, pool: ThreadPool) {
    self.init(ModelWeights.packed(configuration, arena, pool: pool), arena, nil, pool)
  }

  private init(_ weights: ModelWeights, _ arena: ParameterArena, _ adapter: Adapter?, _ pool: ThreadPool) {
    self.arena = arena
    self.weights = weights
    self.adapter = adapter
    self.pool = pool
    model = Transformer(weights, pool: pool)
  }

  /// A copy of what trains: of the last adapter where there are any, else of all weights.
  convenience init(copying policy: ModelWeights, pool: ThreadPool) throws {
    if let adapter = policy.adapters.adapters.last?.copy() {
      let stack = try AdapterStack(policy.adapters.adapters.dropLast() + [adapter], over: policy.arena, pool)
      self.init(policy.with(stack), adapter.arena, adapter, pool)
    } else {
      let arena = ParameterArena(policy.arena.layout)
      arena.pointer.update(from: policy.arena.pointer, count: arena.count)
      self.init(policy.configuration, arena, pool: pool)
    }
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

  /// θ_ref ← α·θ + (1 − α)·θ_ref, of an adapter's A and B each.
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
  func repack() {
    if let adapter { adapter.refresh(weights.arena, pool) } else { weights.repack(pool) }
  }

  private static let block = 1 << 16
}

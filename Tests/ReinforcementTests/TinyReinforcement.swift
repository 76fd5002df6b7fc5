import Datasets
import Evaluation
import Foundation
import Generation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import Training

/// A small model that speaks letters, prompts that ask for one of them, and a run over them.
struct TinyReinforcement {
  static let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 24, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 2, keyValueHeads: 1, maxPositions: 64)
  /// Token 0 ends a completion and says nothing; token i is the i-th letter.
  static let codec = TextCodec(
    encode: { text in text.utf8.map { Int32($0) - 96 } },
    decode: { ids in String(decoding: ids.filter { $0 > 0 }.map { UInt8(96 + $0) }, as: UTF8.self) }, end: 0)

  let arena: ParameterArena
  let pool: ThreadPool
  var settings = ReinforcementSettings()
  /// What a completion must hold.
  var rewards: [JSONValue] = [["name": "accuracy", "kind": "contains", "weight": 1]]
  var given: [Rollout]?
  var base: ParameterArena?
  /// What trains in place of the model.
  var adapter: Adapter?
  /// λ of the L2 term to the weights it begins with.
  var anchoring = 0.0
  var prompts: [AskedPrompt] = (1...10).map { index in
    let ids = [Int32(index), Int32(index % 7 + 1), Int32(index % 3 + 1)]
    return AskedPrompt(
      record: Record(.prompted(.text("p\(index)"), completion: nil), answers: [["a", "e"][index % 2]]), text: codec.decode(ids), ids: ids)
  }

  init(threads: Int = 2, _ change: (inout ReinforcementSettings) -> Void = { _ in }) {
    pool = ThreadPool(threads: threads)
    arena = ParameterArena(Self.configuration)
    Transformer.initialize(arena, seed: 3, pool: pool)
    settings.maxNewTokens = 5
    settings.generations = 4
    settings.promptsPerStep = 5
    settings.promptsPerMicroBatch = 2
    settings.sampling.seed = 7
    settings.optimizer.learningRate = 3e-3
    settings.optimizer.maxSteps = 6
    change(&settings)
  }

  var parameters: [Float] { Array(arena.buffer.elements) }

  /// Under the adapter, where there is one.
  func weights() throws -> ModelWeights {
    let stack = try AdapterStack([adapter].compactMap { $0 }, over: arena, pool)
    return ModelWeights(Self.configuration, arena).with(stack)
  }

  func makeRun() throws -> ReinforcementRun {
    let anchor = ParameterArena(arena.layout)
    anchor.pointer.update(from: arena.pointer, count: arena.count)
    let terms = anchoring > 0 ? [AnchorTerm(lambda: anchoring, reduction: .sum, anchor: anchor, trained: 1)] : []
    return try ReinforcementRun(
      try weights(), pool: pool, .init(prompts: prompts, given: given, base: base), codec: Self.codec, endTokens: [0],
      rewards: try RewardSum(rewards), settings, terms: terms)
  }

  /// The records of all steps, and how it ended.
  func run(_ control: ReinforcementControl = ReinforcementControl()) throws -> (records: [StepRecord], outcome: TrainingOutcome) {
    var control = control
    var records: [StepRecord] = []
    control.onStep = { records.append($0) }
    let outcome = try makeRun().run(control)
    return (records, outcome)
  }

  /// Rollouts of the model as it is.
  func rollouts(greedy: Bool = false) throws -> [Rollout] {
    var sampler = RolloutSampler(
      Self.codec, sampling: settings.sampling, maxNewTokens: settings.maxNewTokens, endTokens: [0], sequencesAtOnce: 16)
    sampler.minNewTokens = settings.minNewTokens
    var rollouts = [Rollout?](repeating: nil, count: prompts.count)
    let packed = ModelWeights.packed(Self.configuration, arena, pool: pool)
    _ = try sampler.sample(
      Transformer(packed, pool: pool), prompts, numbers: Array(prompts.indices), samples: settings.generations, greedy: greedy,
      onFinished: { rollouts[$0] = $1 })
    return rollouts.compactMap { $0 }
  }
}

extension StepRecord {
  subscript(name: String) -> Double { values.first { $0.name == name }?.value ?? .nan }

  /// To the bit.
  var text: String { "\(step) " + values.map { "\($0.name) \($0.value.bitPattern)" }.joined(separator: " ") }
}

/// A directory that is removed when this value goes.
final class TemporaryDirectory {
  let path = FileManager.default.temporaryDirectory.path + "/heirloom-reinforcement-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

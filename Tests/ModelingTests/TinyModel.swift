import Kernels
import Modeling

/// A random model of any family, small enough to differentiate by hand.
struct TinyModel {
  let configuration: ModelConfiguration
  let arena: ParameterArena
  let model: Transformer

  init(_ family: ModelConfiguration.Family, tied: Bool, threads: Int = 2, seed: UInt64 = 3, packed: Bool = false) {
    let pool = ThreadPool(threads: threads)
    configuration = ModelConfiguration(
      family: family, vocabularySize: 61, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 4, keyValueHeads: 2,
      headDimension: 16, tieEmbeddings: tied)
    arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: seed, standardDeviation: 0.2, pool: pool)
    for entry in arena.layout.entries where entry.shape.count == 1 {
      Philox(seed: seed, name: entry.name).fillNormal(arena.view(entry.name), count: entry.count, standardDeviation: 0.3)
      for i in 0..<entry.count where !entry.name.hasSuffix("bias") { arena.view(entry.name)[i] += 1 }
    }
    let weights = packed ? ModelWeights.packed(configuration, arena, pool: pool) : ModelWeights(configuration, arena)
    model = Transformer(weights, pool: pool)
  }

  /// An adapter whose terms all count: B far from zero, and magnitudes far from the norms.
  func adapter(seed: UInt64 = 12, _ change: (inout LoRASettings) -> Void = { _ in }) throws -> Adapter {
    var settings = LoRASettings()
    settings.rank = 4
    settings.alpha = 6
    change(&settings)
    let adapter = try Adapter.fresh(settings, on: arena, configuration, seed: seed, model.pool)
    for module in adapter.modules {
      let random = Philox(seed: seed, name: module.name)
      random.fillNormal(module.b, count: module.linear.outputs * module.rank, standardDeviation: 0.2)
      guard let magnitude = module.magnitude else { continue }
      for row in 0..<module.linear.outputs { magnitude[row] *= Float(1 + 0.2 * random.normal(UInt64(1_000_000 + row))) }
    }
    adapter.refresh(arena, model.pool)
    return adapter
  }

  /// The model under adapters.
  func adapted(_ adapters: [Adapter]) throws -> Transformer {
    Transformer(model.weights.with(try AdapterStack(adapters, over: arena, model.pool)), pool: model.pool)
  }

  /// Random records of the given lengths.
  static func records(_ lengths: [Int], seed: UInt64 = 5) -> [[Int32]] {
    lengths.enumerated().map { index, length in
      let random = Philox(seed: seed, name: "record \(index)")
      return (0..<length).map { Int32(random.integer(UInt64($0), below: 61)) }
    }
  }
}

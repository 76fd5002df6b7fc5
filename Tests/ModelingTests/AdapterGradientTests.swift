import Kernels
import Modeling
import Testing

/// The backward pass through adapters against differences of the loss (fourth order), and what is frozen.
@Suite struct AdapterGradientTests {
  private static let lengths = [7, 1, 13, 5]

  @Test(arguments: ModelConfiguration.Family.allCases, [0, 0.3])
  func `every gradient of LoRA is the slope of the loss`(family: ModelConfiguration.Family, dropout: Double) throws {
    let tiny = TinyModel(family, tied: true)
    try expectSlopes(tiny, [tiny.adapter { $0.dropout = dropout }])
  }

  @Test(arguments: [0, 0.3])
  func `every gradient of the last of several is the slope of the loss`(dropout: Double) throws {
    let tiny = TinyModel(.qwen2, tied: false)
    let first = try tiny.adapter(seed: 3) { $0.targets = .suffixes(["q_proj", "v_proj", "o_proj", "up_proj"]) }
    try expectSlopes(tiny, [first, tiny.adapter { ($0.targets, $0.dropout) = (.pattern(#".*\.(k|v|gate|down)_proj"#), dropout) }])
  }

  /// The norms are constants there: they are measured again only where m moves.
  @Test(arguments: ModelConfiguration.Family.allCases, [0, 0.3])
  func `every gradient of DoRA is the slope of the loss`(family: ModelConfiguration.Family, dropout: Double) throws {
    let tiny = TinyModel(family, tied: true)
    try expectSlopes(tiny, [tiny.adapter { ($0.isWeightDecomposed, $0.dropout) = (true, dropout) }])
  }

  @Test func `a dropout mask keeps its share, is drawn anew each step, and leaves evaluation alone`() throws {
    let tiny = TinyModel(.llama, tied: true)
    let model = try tiny.adapted([tiny.adapter { $0.dropout = 0.5 }])
    let batch = TokenBatch(TinyModel.records([40]))
    let targets = Targets.all(of: batch)
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    func values(_ draw: DropoutDraw?) -> [Float] {
      model.forward(batch, activations, dropout: draw)
      let statistics = model.score(targets, activations)
      return Array(UnsafeBufferPointer(start: statistics.logProbabilities, count: statistics.count))
    }
    let draws = [(0, 0), (0, 1), (1, 0)].map { values(DropoutDraw(seed: 5, step: $0, microBatch: $1)) }
    #expect(Set(draws).count == 3)
    #expect(values(DropoutDraw(seed: 5, step: 0, microBatch: 0)) == draws[0])
    #expect(values(nil) == model.logProbabilities(batch, targets, activations))
  }

  // MARK: - What is frozen

  /// The gradients that are made have the bits they have where everything's are.
  @Test(arguments: ModelConfiguration.Family.allCases, Frozen.allCases)
  func `freezing changes no bit of what still trains`(family: ModelConfiguration.Family, frozen: Frozen) throws {
    let tiny = TinyModel(family, tied: frozen != .body)
    let batch = TokenBatch(TinyModel.records(Self.lengths))
    let targets = Targets.all(of: batch)
    let whole = ParameterArena(tiny.configuration)
    let all = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    _ = tiny.model.train(batch, targets, .meanNegativeLogLikelihood, all, gradients: whole)

    let part = ParameterArena(tiny.arena.layout.selecting(frozen.trains))
    #expect(!part.layout.entries.isEmpty && part.count < whole.count)
    let lowest = tiny.model.weights.lowestLayer(training: part)
    #expect(lowest == frozen.lowestLayer)
    let few = Activations(
      tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training, lowestLayer: lowest)
    _ = tiny.model.train(batch, targets, .meanNegativeLogLikelihood, few, gradients: part)
    for entry in part.layout.entries {
      let ours = UnsafeBufferPointer(start: part.view(entry.name), count: entry.count)
      #expect(ours.elementsEqual(UnsafeBufferPointer(start: whole.view(entry.name), count: entry.count)), "\(entry.name)")
    }
  }

  enum Frozen: CaseIterable, Sendable {
    /// All but the last block.
    case blocks
    case attention
    case keys
    /// Embedding and blocks.
    case body

    func trains(_ entry: ParameterLayout.Entry) -> Bool {
      switch self {
      case .blocks: entry.name.contains("layers.1.")
      case .attention: entry.name.contains("mlp")
      case .keys: entry.name.contains("q_proj") || entry.name.contains("v_proj") || entry.name.contains("norm")
      case .body: entry.name == "lm_head.weight" || entry.name == "model.norm.weight"
      }
    }

    var lowestLayer: Int {
      switch self {
      case .blocks: 1
      case .attention, .keys: 0
      case .body: 2
      }
    }
  }

  // MARK: - Slopes

  private func expectSlopes(_ tiny: TinyModel, _ adapters: [Adapter]) throws {
    let model = try tiny.adapted(adapters)
    let adapter = try #require(adapters.last)
    let batch = TokenBatch(TinyModel.records(Self.lengths))
    let targets = Targets.all(of: batch)
    let draw = adapter.settings.dropout > 0 ? DropoutDraw(seed: 5, step: 3, microBatch: 1) : nil
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let gradients = ParameterArena(adapter.arena.layout)
    _ = model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: gradients, dropout: draw)

    ModelingTests.expectSlopes(gradients, of: adapter.arena) { name in
      if name.hasSuffix("magnitude_vector") { adapter.refresh(tiny.arena, tiny.model.pool) }
      model.forward(batch, activations, dropout: draw)
      let statistics = model.score(targets, activations)
      return -(0..<statistics.count).reduce(0.0) { $0 + Double(statistics.logProbabilities[$1]) } / Double(statistics.count)
    }
  }
}

import Kernels
import Modeling
import StageInterface
import Training

/// What of the model trains: what the training stages share.
struct TrainedWeightsParameters: Decodable, Sendable {
  let trainBlocks: Int?
  let trains: [String]
  let freezes: [String]
  let peftConfig: AdapterParameters?
  let oLoraLambda: Double

  struct AdapterParameters: Decodable, Sendable {
    let r: Int
    let loraAlpha: Double
    /// Not of `train/rft`, where the policy that samples must be the one that trains.
    let loraDropout: Double?
    let targetModules: [String]
    let useRslora: Bool
    let useDora: Bool
    let sequence: String

    enum Sequence: String {
      case fresh
      case `continue`
      case stack
    }

    var settings: LoRASettings {
      var settings = LoRASettings()
      settings.rank = r
      settings.alpha = loraAlpha
      settings.dropout = loraDropout ?? 0
      settings.isRankStabilized = useRslora
      settings.isWeightDecomposed = useDora
      settings.targets = targets
      return settings
    }

    /// One name may be `all-linear`, or a pattern for whole names: it has a character then that no name has.
    private var targets: LoRASettings.Targets {
      guard targetModules.count == 1, let only = targetModules.first else { return .suffixes(targetModules) }
      if only.utf8.elementsEqual("all-linear".utf8) { return .allLinear }
      return only.unicodeScalars.allSatisfy { $0 == "." || $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil }
        ? .suffixes([only]) : .pattern(only)
    }
  }

  /// `seed`: of a new adapter.
  func prepare(_ context: StageContext, _ model: LoadedModel, seed: UInt64, _ pool: ThreadPool) throws -> TrainedWeights {
    let given = context.inputs("adapter")
    guard let peftConfig else {
      if !given.isEmpty { throw StageFailure("input 'adapter' is given, and there is no peft_config: nothing trains an adapter") }
      if oLoraLambda > 0 { throw StageFailure("o_lora_lambda is above 0, and there is no peft_config: it holds adapters apart") }
      return try whole(model)
    }
    if trainBlocks != nil || !trains.isEmpty || !freezes.isEmpty {
      throw StageFailure("peft_config trains an adapter and nothing else: train_blocks, trains and freezes have no place beside it")
    }
    let earlier = try given.map { try AdapterDirectory.load($0.path, for: model.configuration) }
    return try adapted(peftConfig, earlier, given.map(\.path), model, seed, pool)
  }

  // MARK: - Weights

  private func whole(_ model: LoadedModel) throws -> TrainedWeights {
    let weights = ModelWeights(model.configuration, model.arena)
    guard trainBlocks != nil || !trains.isEmpty || !freezes.isEmpty else {
      return TrainedWeights(model: model, weights: weights, trains: { _ in true }, terms: [], note: nil)
    }
    let layout = model.arena.layout
    let wanted = try patterns(trains, "trains", layout)
    let frozen = try patterns(freezes, "freezes", layout)
    let blocks = try blocks(model.configuration)
    let isSelective = trainBlocks != nil || !trains.isEmpty
    let kept = layout.entries.filter { entry in
      let isWanted = blocks.contains { entry.name.utf8.starts(with: $0.utf8) } || wanted.contains { $0.matches(entry.name) }
      return (isWanted || !isSelective) && !frozen.contains { $0.matches(entry.name) }
    }
    guard !kept.isEmpty else { throw StageFailure("nothing trains: freezes takes all that train_blocks and trains leave") }
    let names = Set(kept.map(\.name))
    return TrainedWeights(
      model: model, weights: weights, trains: { names.contains($0.name) }, terms: [],
      note: TrainingNote(formula: nil, parameters: kept.reduce(0) { $0 + $1.count }, tensors: kept.count))
  }

  /// What the names of the last blocks' tensors begin with.
  private func blocks(_ configuration: ModelConfiguration) throws -> [String] {
    guard let trainBlocks else { return [] }
    guard trainBlocks <= configuration.layers else {
      throw StageFailure("train_blocks is \(trainBlocks); the model has \(configuration.layers) blocks")
    }
    return (configuration.layers - trainBlocks..<configuration.layers).map { "model.layers.\($0)." }
  }

  private func patterns(_ texts: [String], _ parameter: String, _ layout: ParameterLayout) throws -> [NamePattern] {
    try texts.map { text in
      let pattern: NamePattern
      do throws(ModelError) { pattern = try NamePattern(text) } catch { throw StageFailure("\(parameter): \(error.message)") }
      guard layout.entries.contains(where: { pattern.matches($0.name) }) else {
        throw StageFailure("\(parameter): '\(text)' matches the whole name of no tensor, such as '\(layout.entries[1].name)'")
      }
      return pattern
    }
  }

  // MARK: - Adapters

  private func adapted(
    _ config: AdapterParameters, _ earlier: [Adapter], _ paths: [String], _ model: LoadedModel, _ seed: UInt64, _ pool: ThreadPool
  ) throws -> TrainedWeights {
    var stack: [Adapter] = []
    var states: [(Adapter, WeightFormula.State)] = []
    var past: [Adapter] = []
    do throws(ModelError) {
      switch AdapterParameters.Sequence(rawValue: config.sequence) ?? .fresh {
      case .fresh:
        for adapter in earlier {
          adapter.merge(into: model.arena, pool)
          states.append((adapter, .merged))
        }
        past = earlier
        stack = [try fresh(config, earlier, model, seed, pool)]
      case .stack:
        stack = earlier + [try fresh(config, earlier, model, seed, pool)]
        past = earlier
      case .continue:
        if let last = earlier.last, let path = paths.last {
          try check(last, config.settings, model.configuration, path)
          stack = earlier.dropLast() + [last.with(dropout: config.settings.dropout)]
        } else {
          stack = [try fresh(config, [], model, seed, pool)]
        }
        past = Array(earlier.dropLast())
      }
      states += stack.dropLast().map { ($0, .frozen) } + stack.suffix(1).map { ($0, .trained) }
      let layout = stack.last?.arena.layout ?? model.arena.layout
      let weights = ModelWeights(model.configuration, model.arena).with(try AdapterStack(stack, over: model.arena, pool))
      return TrainedWeights(
        model: model, weights: weights, trains: { _ in false }, terms: terms(layout, past),
        note: TrainingNote(formula: WeightFormula(states), parameters: layout.parameterCount, tensors: layout.entries.count))
    } catch {
      throw StageFailure(error.message, file: error.file)
    }
  }

  private func terms(_ layout: ParameterLayout, _ past: [Adapter]) -> [any ParameterTerm] {
    oLoraLambda > 0 ? [OrthogonalityTerm(lambda: oLoraLambda, adapter: layout, past: past.map(\.arena))] : []
  }

  /// The n-th of a sequence begins elsewhere than those before it.
  private func fresh(
    _ config: AdapterParameters, _ earlier: [Adapter], _ model: LoadedModel, _ seed: UInt64, _ pool: ThreadPool
  ) throws(ModelError) -> Adapter {
    try .fresh(
      config.settings, on: model.arena, model.configuration, seed: seed, number: earlier.reduce(0) { $0 + $1.composition.count }, pool)
  }

  /// What goes on is what it was: its shapes are fixed, and its scale is part of it.
  private func check(
    _ adapter: Adapter, _ asked: LoRASettings, _ configuration: ModelConfiguration, _ path: String
  ) throws(ModelError) {
    let its = adapter.settings
    let modules = try asked.modules(configuration).map(\.name)
    let differences: [(String, String, String)] = [
      ("r", "\(its.rank)", "\(asked.rank)"), ("lora_alpha", "\(its.alpha)", "\(asked.alpha)"),
      ("use_rslora", "\(its.isRankStabilized)", "\(asked.isRankStabilized)"),
      ("use_dora", "\(its.isWeightDecomposed)", "\(asked.isWeightDecomposed)"),
      (
        "target_modules", "\(adapter.modules.count) modules",
        adapter.modules.map(\.name) == modules ? "\(modules.count) modules" : "others"
      ),
    ]
    if let (name, theirs, ours) = differences.first(where: { $0.1 != $0.2 }) {
      throw ModelError("goes on training, and its \(name) (\(theirs)) is not peft_config's (\(ours))", file: path)
    }
  }
}

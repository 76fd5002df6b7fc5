import Kernels
import Modeling
import Testing
import Training

/// Runs that train a part of a model, or an adapter on it.
@Suite struct PartialTrainingTests {
  enum Part: String, CaseIterable, Sendable {
    case lora
    case dora
    case stacked
    case lastBlock
    case attention

    func trains(_ entry: ParameterLayout.Entry) -> Bool {
      switch self {
      case .lora, .dora, .stacked: false
      case .lastBlock: entry.name.hasPrefix("model.layers.1.")
      case .attention: entry.name.contains("self_attn")
      }
    }
  }

  /// A model, and what trains of it.
  private struct Training {
    let tiny: TinyTraining
    let part: Part
    let adapters: [Adapter]
    let model: Transformer

    init(_ part: Part, threads: Int = 2, dropout: Double = 0.2) throws {
      tiny = TinyTraining(threads: threads)
      self.part = part
      let (arena, configuration, pool) = (tiny.arena, tiny.configuration, tiny.model.pool)
      adapters = try Self.settings(part, dropout).enumerated().map { number, settings in
        try .fresh(settings, on: arena, configuration, seed: 4, number: number, pool)
      }
      // Earlier adapters add something.
      for adapter in adapters.dropLast() {
        for module in adapter.modules {
          Philox(seed: 2, name: module.name).fillNormal(module.b, count: module.linear.outputs * module.rank, standardDeviation: 0.1)
        }
      }
      model = Transformer(tiny.model.weights.with(try AdapterStack(adapters, over: arena, pool)), pool: pool)
    }

    private static func settings(_ part: Part, _ dropout: Double) -> [LoRASettings] {
      var settings = LoRASettings()
      settings.rank = 4
      settings.dropout = dropout
      settings.isWeightDecomposed = part == .dora
      switch part {
      case .lora, .dora: return [settings]
      case .stacked: return [settings, settings]
      case .lastBlock, .attention: return []
      }
    }

    var parameters: [Float] { adapters.last.map { Array($0.arena.buffer.elements) } ?? tiny.parameters }

    func run(_ control: TrainingControl = TrainingControl(), _ settings: TrainingSettings? = nil) throws -> TrainingOutcome {
      try TrainingRun(model, tiny.records, settings ?? tiny.settings, trains: part.trains).run(control)
    }
  }

  @Test(arguments: Part.allCases)
  func `the loss falls, and frozen parts keep every byte`(part: Part) throws {
    let training = try Training(part)
    let before = training.tiny.parameters
    let frozen = training.adapters.dropLast().map { Array($0.arena.buffer.elements) }
    var settings = training.tiny.settings
    settings.learningRate = 1e-2
    settings.maxSteps = 30
    var losses: [Double] = []
    var control = TrainingControl()
    control.onStep = { losses.append($0.loss) }
    _ = try training.run(control, settings)
    let (first, last) = (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
    #expect(last < first - 0.2)

    #expect(training.adapters.dropLast().map { Array($0.arena.buffer.elements) } == frozen)
    for entry in training.tiny.arena.layout.entries {
      let values = UnsafeBufferPointer(start: training.tiny.arena.view(entry.name), count: entry.count)
      #expect(values.elementsEqual(before[entry.range]) == !part.trains(entry), "\(entry.name)")
    }
  }

  @Test(arguments: Part.allCases)
  func `the bytes do not depend on the number of threads`(part: Part) throws {
    let parameters = try [1, 2, 4].map { threads in
      let training = try Training(part, threads: threads)
      _ = try training.run()
      return training.parameters
    }
    #expect(parameters[0] == parameters[1])
    #expect(parameters[0] == parameters[2])
  }

  @Test(arguments: Part.allCases, [0, 3, 8, 17])
  func `a run stopped anywhere and resumed ends with the same bytes, dropout and all`(part: Part, microBatch: Int) throws {
    let whole = try Training(part)
    _ = try whole.run()
    let file = TemporaryPath("partial\(part)\(String(repeating: "x", count: microBatch))")
    var control = TrainingControl()
    control.checkpointPath = file.path
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > microBatch
    }
    #expect(try Training(part).run(control) == .stopped(steps: microBatch / 2))
    control.shouldStop = { false }
    let second = try Training(part)
    #expect(try second.run(control) == .finished(steps: 9, kernels: [CPU.kernelName]))
    #expect(second.parameters == whole.parameters)
  }

  @Test func `one step of a part is that part of the whole model's step`() throws {
    var settings = TinyTraining().settings
    settings.maxSteps = 1
    settings.warmupRatio = 0
    settings.maxGradNorm = 0
    let whole = TinyTraining()
    _ = try TrainingRun(whole.model, whole.records, settings).run()
    for part in [Part.lastBlock, .attention] {
      let training = try Training(part)
      _ = try training.run(TrainingControl(), settings)
      for entry in whole.arena.layout.entries where part.trains(entry) {
        let ours = UnsafeBufferPointer(start: training.tiny.arena.view(entry.name), count: entry.count)
        #expect(ours.elementsEqual(UnsafeBufferPointer(start: whole.arena.view(entry.name), count: entry.count)), "\(entry.name)")
      }
    }
  }

  @Test func `gradients and moments are of what trains alone`() throws {
    let all = TrainableParameters(TinyTraining().model.weights)
    for part in Part.allCases {
      let training = try Training(part)
      let trained = TrainableParameters(training.model.weights, trains: part.trains)
      let expected =
        training.adapters.last?.arena.layout.parameterCount
        ?? training.tiny.arena.layout.entries.filter(part.trains).reduce(0) { $0 + $1.count }
      #expect(trained.count == expected)
      #expect(trained.gradients.count < all.gradients.count)
      #expect(Optimizer(trained).first.count == trained.gradients.count)
      #expect(trained.parts.reduce(0) { $0 + $1.count } >= expected)
    }
    #expect(all.parts.reduce(0) { $0 + $1.count } >= all.count && all.gradients.layout == all.arena.layout)
  }

  @Test func `a checkpoint of another adapter is refused`() throws {
    let file = TemporaryPath()
    var control = TrainingControl()
    control.checkpointPath = file.path
    control.saveSteps = 2
    _ = try Training(.lora).run(control)
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "choice of trained tensors")) {
      try Training(.lora, dropout: 0.3).run(control)
    }
  }
}

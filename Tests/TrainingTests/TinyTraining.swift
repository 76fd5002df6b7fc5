import Glibc
import Kernels
import Modeling
import Training

/// A small model and records for it, and a run over them.
struct TinyTraining {
  let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 48, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 2, keyValueHeads: 1, maxPositions: 64)
  let arena: ParameterArena
  let model: Transformer
  var records: [TokenizedRecord]
  var settings = TrainingSettings()

  init(threads: Int = 2) {
    let pool = ThreadPool(threads: threads)
    arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: 1, pool: pool)
    model = Transformer(ModelWeights(configuration, arena), pool: pool)
    records = (0..<23).map { index in
      let random = Philox(seed: 11, name: "record \(index)")
      let length = 3 + random.integer(1000, below: 20)
      let ids = (0..<length).map { Int32(random.integer(UInt64($0), below: 48)) }
      return TokenizedRecord(ids: ids, trained: ids.indices.map { $0 > length / 3 })
    }
    settings.learningRate = 3e-3
    settings.microBatch = .records(4)
    settings.gradientAccumulationSteps = 2
    settings.epochs = 3
    settings.warmupRatio = 0.1
    settings.weightDecay = 0.1
  }

  var parameters: [Float] { Array(arena.buffer.elements) }

  func run(_ control: TrainingControl = TrainingControl(), _ goal: TrainingGoal = TrainingGoal()) throws -> TrainingOutcome {
    try TrainingRun(model, records, settings, goal).run(control)
  }
}

/// A path that does not exist yet, in the temporary directory, removed when this value goes.
final class TemporaryPath {
  let path: String

  init(_ name: String = #function) {
    path = "/tmp/heirloom-test-\(getpid())-" + name.filter { $0.isASCII && $0.isLetter }
    remove(path)
  }

  deinit { remove(path) }
}

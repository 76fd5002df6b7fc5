import Foundation
import JSONValues
import Kernels
import Modeling
import Training

extension Parser {
  /// What training leaves for later.
  static let checkpoints: [Parser] = [state, optimizer, fisher]

  private static let state = Parser("state", longest: 9000) { bytes in
    let file = StateFile(
      Scratch.file("checkpoint", bytes), format: "heirloom training checkpoint 3", binding: TrainingBinding([("data", "1 records")]))
    _ = try file.read([FloatBuffer(count: 4), FloatBuffer(count: 2)])
  }

  private static let transformer = Transformer(ModelWeights(tiny, ParameterArena(tiny)), pool: pool, maximumPositions: 8)

  private static let optimizer = Parser("optimizer") { bytes in
    let record = TokenizedRecord(ids: [1, 2, 3], trained: [false, true, true])
    let run = try TrainingRun(transformer, [record], TrainingSettings(), TrainingGoal()) { $0.name == "model.norm.weight" }
    try run.carryOptimizer(from: OptimizerFile(Scratch.file("optimizer.safetensors", bytes)))
  }

  private static let fisher = Parser("fisher") { bytes in
    let file = try FisherFile(path: Scratch.file("fisher.safetensors", bytes))
    let arena = try file.load(tiny, pool: pool)
    precondition((0..<arena.count).allSatisfy { arena.pointer[$0] >= 0 }, "a Fisher is negative somewhere")
  }
}

import Foundation
import Kernels
import Modeling
import Testing
import Training

@Suite struct OptimizerFileTests {
  /// Every step sees all records, so a run's second half is a run of its own.
  private func tiny(steps: Int) -> TinyTraining {
    var tiny = TinyTraining()
    tiny.settings.microBatch = .records(23)
    tiny.settings.gradientAccumulationSteps = 1
    tiny.settings.order = .asGiven
    tiny.settings.schedule = .constant
    tiny.settings.warmupRatio = 0
    tiny.settings.maxSteps = steps
    return tiny
  }

  private func train(_ tiny: TinyTraining, from file: OptimizerFile? = nil, to other: OptimizerFile? = nil) throws {
    let run = try TrainingRun(tiny.model, tiny.records, tiny.settings)
    if let file { try run.carryOptimizer(from: file) }
    #expect(try run.run() == .finished(steps: tiny.settings.maxSteps, kernels: [CPU.kernelName]))
    if let other { try run.writeOptimizer(other) }
  }

  @Test func `a run that carries the moments over ends with the bytes of one run`() throws {
    let whole = tiny(steps: 7)
    try train(whole)
    let path = TemporaryPath()
    defer { withExtendedLifetime(path) {} }
    let file = OptimizerFile(path.path)
    var second = tiny(steps: 3)
    try train(second, to: file)
    second.settings.maxSteps = 4
    try train(second, from: file)
    #expect(second.parameters == whole.parameters)

    var reset = tiny(steps: 3)
    try train(reset)
    reset.settings.maxSteps = 4
    try train(reset)
    #expect(reset.parameters != whole.parameters)
  }

  @Test func `updates are counted through several runs`() throws {
    let paths = [TemporaryPath("first"), TemporaryPath("second")]
    defer { withExtendedLifetime(paths) {} }
    let tiny = tiny(steps: 2)
    try train(tiny, to: OptimizerFile(paths[0].path))
    try train(tiny, from: OptimizerFile(paths[0].path), to: OptimizerFile(paths[1].path))
    let header = try SafetensorsFile(path: paths[1].path).header
    #expect(header.metadata.contains { $0.key == "step" && $0.value == "4" })
    #expect(header.tensors.map(\.name).contains("exp_avg_sq.model.layers.1.mlp.down_proj.weight"))
  }

  @Test func `moments of other tensors, and files that are no optimizer's, are refused`() throws {
    let path = TemporaryPath()
    defer { withExtendedLifetime(path) {} }
    let tiny = tiny(steps: 1)
    let part = try TrainingRun(tiny.model, tiny.records, tiny.settings, trains: { $0.name.hasPrefix("model.layers.1.") })
    _ = try part.run()
    try part.writeOptimizer(OptimizerFile(path.path))
    #expect(throws: ModelError("lacks 'exp_avg.model.embed_tokens.weight', which trains here", file: path.path)) {
      try TrainingRun(tiny.model, tiny.records, tiny.settings).carryOptimizer(from: OptimizerFile(path.path))
    }
    let whole = TemporaryPath("whole")
    defer { withExtendedLifetime(whole) {} }
    try train(tiny, to: OptimizerFile(whole.path))
    #expect(throws: ModelError("holds 'exp_avg.model.embed_tokens.weight', which does not train here", file: whole.path)) {
      try part.carryOptimizer(from: OptimizerFile(whole.path))
    }
    let writer = try SafetensorsWriter(path: path.path, declaring: [TensorDeclaration(name: "a", type: .f32, shape: [1])])
    try writer.write([1], count: 1, to: writer.tensors[0])
    try writer.finish()
    #expect(throws: ModelError("is no optimizer's state: its metadata has no 'step'", file: path.path)) {
      try part.carryOptimizer(from: OptimizerFile(path.path))
    }
  }
}

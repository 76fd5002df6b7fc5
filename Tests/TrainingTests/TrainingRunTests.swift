import Glibc
import Kernels
import Modeling
import Testing
import Training

@Suite struct TrainingRunTests {
  @Test func `the loss falls and the metrics have TRL's names`() throws {
    let tiny = TinyTraining()
    var metrics: [StepMetrics] = []
    var control = TrainingControl()
    control.onStep = { metrics.append($0) }
    let outcome = try tiny.run(control)
    // 23 records, 4 a micro-batch: 6 micro-batches, 3 steps an epoch.
    #expect(outcome == .finished(steps: 9, kernels: [CPU.kernelName]))
    #expect(metrics.map(\.step) == Array(1...9))
    let last = try #require(metrics.last)
    #expect(last.loss < metrics[0].loss - 0.15)
    #expect(last.epoch == 3)
    #expect(last.tokens == 3 * tiny.records.reduce(0) { $0 + $1.ids.count })
    #expect(metrics[0].learningRate == 0)
    #expect(
      last.named.map(\.name) == ["loss", "entropy", "mean_token_accuracy", "num_tokens", "learning_rate", "grad_norm", "epoch"])
  }

  @Test func `the bytes do not depend on the number of threads`() throws {
    let parameters = try [1, 2, 4].map { threads in
      let tiny = TinyTraining(threads: threads)
      _ = try tiny.run()
      return tiny.parameters
    }
    #expect(parameters[0] == parameters[1])
    #expect(parameters[0] == parameters[2])
  }

  @Test(arguments: 0..<18)
  func `a run stopped before any micro-batch and resumed ends with the same bytes`(microBatch: Int) throws {
    let whole = TinyTraining()
    _ = try whole.run()

    let file = TemporaryPath("resume\(String(repeating: "x", count: microBatch))")
    var control = TrainingControl()
    control.checkpointPath = file.path
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > microBatch
    }
    let first = TinyTraining()
    #expect(try first.run(control) == .stopped(steps: microBatch / 2))
    control.shouldStop = { false }
    let second = TinyTraining()
    #expect(try second.run(control) == .finished(steps: 9, kernels: [CPU.kernelName]))
    #expect(second.parameters == whole.parameters)
  }

  @Test func `a checkpoint every few steps is enough to go on from`() throws {
    let whole = TinyTraining()
    _ = try whole.run()
    let file = TemporaryPath()
    var control = TrainingControl()
    control.checkpointPath = file.path
    control.saveSteps = 4
    _ = try TinyTraining().run(control)
    // The run ended, its last checkpoint is that of step 8: a crash after it would start there.
    var steps: [Int] = []
    control.onStep = { steps.append($0.step) }
    let again = TinyTraining()
    _ = try again.run(control)
    #expect(steps == [9])
    #expect(again.parameters == whole.parameters)
  }

  @Test func `a checkpoint of another run is refused and named`() throws {
    let file = TemporaryPath()
    var control = TrainingControl()
    control.checkpointPath = file.path
    control.saveSteps = 2
    _ = try TinyTraining().run(control)

    var other = TinyTraining()
    other.settings.learningRate = 1e-4
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "settings")) { try other.run(control) }
    other = TinyTraining()
    other.records[3].ids[1] = (other.records[3].ids[1] + 1) % 48
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "data")) { try other.run(control) }
    truncate(file.path, 6000)
    #expect(throws: TrainingError.damagedCheckpoint(path: file.path, reason: "its header does not fit its 6000 bytes")) {
      try TinyTraining().run(control)
    }
  }

  @Test func `a checkpoint that cannot be written ends the run with the reason`() throws {
    var control = TrainingControl()
    control.checkpointPath = "/nonexistent/checkpoint"
    control.saveSteps = 1
    let error = TrainingError.checkpointNotWritten(
      path: "/nonexistent/checkpoint", reason: "cannot be created: No such file or directory")
    #expect(throws: error) { try TinyTraining().run(control) }
  }

  @Test func `gradient accumulation is a larger batch`() throws {
    var large = TinyTraining()
    large.settings.microBatch = .records(8)
    large.settings.gradientAccumulationSteps = 1
    large.settings.maxSteps = 2
    large.settings.warmupRatio = 0
    var small = large
    small = TinyTraining()
    small.settings = large.settings
    small.settings.microBatch = .records(2)
    small.settings.gradientAccumulationSteps = 4
    var losses: [[Double]] = [[], []]
    for (index, tiny) in [large, small].enumerated() {
      var control = TrainingControl()
      control.onStep = { losses[index].append($0.loss) }
      _ = try tiny.run(control)
    }
    for (a, b) in zip(losses[0], losses[1]) { #expect((a - b).magnitude < 1e-5) }
  }

  @Test func `weights scale the loss of their tokens`() throws {
    var tiny = TinyTraining()
    tiny.settings.maxSteps = 1
    var losses: [Double] = []
    var control = TrainingControl()
    control.onStep = { losses.append($0.loss) }
    _ = try tiny.run(control)
    var half = TinyTraining()
    half.settings.maxSteps = 1
    half.records = half.records.map {
      TokenizedRecord(ids: $0.ids, trained: $0.trained, weights: [Float](repeating: 0.5, count: $0.ids.count))
    }
    _ = try half.run(control)
    #expect((losses[1] - losses[0] / 2).magnitude < 1e-6)
  }

  @Test func `frozen tensors keep their bytes`() throws {
    let tiny = TinyTraining()
    let before = tiny.parameters
    let entry = try #require(tiny.arena.layout["model.layers.0.mlp.up_proj.weight"])
    _ = try TrainingRun(tiny.model, tiny.records, tiny.settings, trains: { $0.name == entry.name }).run()
    let after = tiny.parameters
    for index in before.indices where !entry.range.contains(index) { #expect(before[index] == after[index]) }
    #expect(before[entry.range] != after[entry.range])
  }

  @Test func `a loss that is not finite ends the run at its step`() throws {
    let tiny = TinyTraining()
    var step = 0
    var control = TrainingControl()
    control.onStep = { step = $0.step }
    let arena = tiny.arena
    control.shouldStop = {
      if step == 2 { arena.view("model.norm.weight")[0] = .infinity }
      return false
    }
    #expect(throws: TrainingError.notFinite(quantity: "the loss", step: 3)) { try tiny.run(control) }
  }

  @Test func `weights that the last step spoils are not handed over`() throws {
    var tiny = TinyTraining()
    tiny.settings.maxSteps = 1
    tiny.settings.learningRate = 1e39
    tiny.settings.warmupRatio = 0
    #expect(throws: TrainingError.notFinite(quantity: "the norm of the weights", step: 1)) { try tiny.run() }
  }

  @Test func `what cannot be trained is refused before anything is`() throws {
    var tiny = TinyTraining()
    tiny.records[2].ids[0] = 48
    #expect(throws: TrainingError.tokenOutsideVocabulary(record: 2, token: 48, vocabulary: 48)) { try tiny.run() }
    tiny = TinyTraining()
    tiny.records[1] = TokenizedRecord(ids: [Int32](repeating: 1, count: 65), trained: [Bool](repeating: true, count: 65))
    #expect(throws: TrainingError.recordTooLong(record: 1, tokens: 65, limit: 64)) { try tiny.run() }
    tiny = TinyTraining()
    tiny.records = [TokenizedRecord(ids: [1, 2], trained: [true, false])]
    #expect(throws: TrainingError.noTargets) { try tiny.run() }
  }
}

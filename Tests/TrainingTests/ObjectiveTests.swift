import Kernels
import Modeling
import Testing
import Training

/// The losses' weights on probabilities written down by hand, and how they run.
@Suite struct ObjectiveTests {
  private static let probabilities: [[Double]] = [[0.9, 0.8, 0.05], [0.99, 0.5], [0.3, 0.6, 0.7, 0.2]]

  /// Statistics of these probabilities, as the head would give them.
  private func withStatistics<Result>(_ body: (TargetStatistics, MicroBatch) -> Result) -> Result {
    let values = Self.probabilities.joined().map { Float(VectorMath.log($0)) }
    let records = Self.probabilities.map { row in
      TokenizedRecord(ids: [Int32](repeating: 1, count: row.count + 1), trained: [Bool](repeating: true, count: row.count + 1))
    }
    return values.withUnsafeBufferPointer { buffer in
      guard let p = buffer.baseAddress else { preconditionFailure("no values") }
      return body(
        TargetStatistics(count: values.count, logProbabilities: p, entropies: p, correct: p), MicroBatch([0, 1, 2], of: records))
    }
  }

  private func weights(_ objective: Objective, temperature: Double?) -> [Float] {
    withStatistics { statistics, _ in
      let buffer = FloatBuffer(count: statistics.count)
      objective.weigh(statistics, 0..<statistics.count, temperature: temperature, buffer.pointer)
      return Array(buffer.elements)
    }
  }

  private func loss(_ weights: [Float]) -> Double {
    let losses = Self.probabilities.joined().map { -VectorMath.log($0) }
    return zip(weights, losses).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(losses.count)
  }

  private func expectClose(_ found: [Double], _ wanted: [Double], location: SourceLocation = #_sourceLocation) {
    #expect(found.count == wanted.count, sourceLocation: location)
    for (a, b) in zip(found, wanted) { #expect((a - b).magnitude < 1e-6, "\(a), \(b)", sourceLocation: location) }
  }

  @Test func `TALR's temperature is the median of the records' mean losses`() {
    let means = withStatistics { statistics, batch in batch.meanLosses(statistics) }
    expectClose(means, [1.108079, 0.351599, 0.920228])
    expectClose([Objective.medianTemperature(means)], [0.920228])
    expectClose([Objective.medianTemperature([3, 1, 2, 7]), Objective.medianTemperature([5])], [2.5, 5])
    #expect(Objective.medianTemperature([0, 0]) == 1e-6)
    #expect(Objective.medianTemperature([1, .infinity]).isNaN)
  }

  @Test func `TALR's weights and loss, and the losses of plain fine-tuning and DFT`() {
    let weights = weights(.talr(floor: 0), temperature: 0.920228)
    expectClose(
      weights.map(Double.init), [0.891817, 0.784674, 0.038564, 0.989138, 0.470841, 0.270268, 0.57401, 0.678688, 0.173955])
    expectClose(
      [loss(weights), loss(self.weights(.negativeLogLikelihood, temperature: nil)), loss(self.weights(.dft, temperature: 1))],
      [0.206838, 0.856483, 0.224322])
  }

  @Test func `no weight of TALR is below its floor`() {
    let weights = weights(.talr(floor: 0.2), temperature: 0.920228)
    #expect(weights.min() == 0.2)
    #expect(weights.count { $0 == 0.2 } == 2)
  }

  @Test func `FLOW's weights`() {
    let means = withStatistics { statistics, batch in batch.meanLosses(statistics) }
    let tau = Objective.medianTemperature(means)
    expectClose(means.map { VectorMath.exp(-$0 / tau) }, [0.299951, 0.682442, 0.367879])
  }

  @Test(arguments: [Objective.talr(), .talr(.median(.step)), .talr(.fixed(2)), .dft, .eaft(), .flow])
  func `a weighted loss trains, says its mean weight, and is resumed to the same bytes`(objective: Objective) throws {
    var metrics: [StepMetrics] = []
    let whole = TinyTraining()
    var control = TrainingControl()
    control.onStep = { metrics.append($0) }
    _ = try whole.run(control, TrainingGoal(objective))
    let last = try #require(metrics.last)
    let names = objective == .flow ? ["nll", "mean_weight"] : last.more.map(\.name)
    #expect(names.starts(with: ["nll", "mean_weight"]))
    #expect(last.more.contains { $0.name == "tau" } == (objective == .talr() || objective == .talr(.median(.step))))
    let plain = try #require(last.more.first { $0.name == "nll" })
    #expect(plain.value < metrics[0].more[0].value)

    let file = TemporaryPath("objective" + objective.name + "\(objective.weighting)")
    control.checkpointPath = file.path
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > 6
    }
    let first = TinyTraining(threads: 1)
    guard case .stopped = try first.run(control, TrainingGoal(objective)) else {
      Issue.record("was not stopped")
      return
    }
    control.shouldStop = { false }
    let second = TinyTraining(threads: 1)
    _ = try second.run(control, TrainingGoal(objective))
    #expect(second.parameters == whole.parameters)
  }

  @Test func `the median of a step of one micro-batch is that of the micro-batch`() throws {
    let runs = try [Objective.talr(.median(.microBatch)), .talr(.median(.step))].map { objective in
      var tiny = TinyTraining()
      tiny.settings.gradientAccumulationSteps = 1
      _ = try tiny.run(TrainingControl(), TrainingGoal(objective))
      return tiny.parameters
    }
    #expect(runs[0] == runs[1])
  }

  @Test func `a checkpoint of another loss or of other terms is refused and named`() throws {
    let file = TemporaryPath()
    var control = TrainingControl()
    control.checkpointPath = file.path
    control.saveSteps = 2
    _ = try TinyTraining().run(control, TrainingGoal(.talr()))
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "loss")) {
      try TinyTraining().run(control, TrainingGoal(.talr(floor: 0.1)))
    }
    let tiny = TinyTraining()
    var goal = TrainingGoal(.talr())
    goal.terms = [AnchorTerm(lambda: 1, reduction: .sum, anchor: tiny.arena, trained: 1)]
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "terms")) { try TinyTraining().run(control, goal) }
  }
}

import Kernels
import Modeling
import Testing
import Training

@Suite struct FisherTests {
  private func estimate(_ tiny: TinyTraining, _ labels: FisherEstimate.Labels) throws -> FisherEstimate {
    try FisherEstimate(tiny.model, tiny.records, labels: labels)
  }

  private func elements(_ arena: ParameterArena) -> [Float] { withExtendedLifetime(arena) { Array(arena.buffer.elements) } }

  private func whole(_ tiny: TinyTraining, _ labels: FisherEstimate.Labels) throws -> [Float] {
    let estimate = try estimate(tiny, labels)
    while estimate.done < estimate.total { try estimate.step() }
    return elements(estimate.finish())
  }

  @Test(arguments: [FisherEstimate.Labels.data, .model(seed: 3)])
  func `the bytes do not depend on threads, nor on a stop`(labels: FisherEstimate.Labels) throws {
    let fisher = try whole(TinyTraining(threads: 2), labels)
    #expect(fisher.allSatisfy { $0 >= 0 } && fisher.contains { $0 > 0 })
    #expect(try whole(TinyTraining(threads: 1), labels) == fisher)

    let file = TemporaryPath("fisher" + (labels == .data ? "data" : "model"))
    let first = try estimate(TinyTraining(), labels)
    for _ in 0..<9 { try first.step() }
    try first.save(to: file.path, binding: [("model", "a")])
    let second = try estimate(TinyTraining(), labels)
    try second.resume(from: file.path, binding: [("model", "a")])
    #expect(second.done == 9)
    while second.done < second.total { try second.step() }
    #expect(elements(second.finish()) == fisher)
    #expect(throws: TrainingError.foreignCheckpoint(path: file.path, part: "model")) {
      try estimate(TinyTraining(), labels).resume(from: file.path, binding: [("model", "b")])
    }
  }

  @Test func `other seeds draw other targets`() throws {
    let tiny = TinyTraining()
    #expect(try whole(tiny, .model(seed: 1)) != whole(tiny, .model(seed: 2)))
    #expect(try whole(tiny, .model(seed: 1)) != whole(tiny, .data))
  }

  @Test func `over many draws the true Fisher is the expectation over the model's own predictions`() throws {
    var tiny = TinyTraining()
    let context: [Int32] = [5, 9, 1]
    func record(_ token: Int32) -> TokenizedRecord { TokenizedRecord(ids: context + [token], trained: [false, false, false, true]) }
    tiny.records = [record(0)]
    // Σ_y p(y) ‖∂ log p(y)‖², token by token.
    var exact = 0.0
    let batch = MicroBatch([0], of: tiny.records)
    let activations = Activations(tiny.configuration, tokens: 4, targets: 1, purpose: .inference)
    for token in 0..<Int32(tiny.configuration.vocabularySize) {
      var targets = Targets()
      targets.append(row: 2, token: token)
      let probability = VectorMath.exp(Double(tiny.model.logProbabilities(batch.tokens, targets, activations)[0]))
      tiny.records = [record(token)]
      exact += probability * (try whole(tiny, .data).reduce(0.0) { $0 + Double($1) })
    }
    tiny.records = [TokenizedRecord](repeating: record(0), count: 1500)
    let found = try whole(tiny, .model(seed: 4)).reduce(0.0) { $0 + Double($1) }
    #expect((found - exact).magnitude < 0.05 * exact, "\(found), \(exact)")
  }

  @Test func `an earlier Fisher is taken on gamma times`() throws {
    let tiny = TinyTraining()
    let plain = try whole(tiny, .data)
    let estimate = try estimate(tiny, .data)
    while estimate.done < estimate.total { try estimate.step() }
    let previous = ParameterArena(tiny.arena.layout)
    for i in 0..<previous.count { previous.pointer[i] = Float(i % 7) }
    let sum = estimate.finish(previous: previous, gamma: 0.5)
    for i in stride(from: 0, to: sum.count, by: 31) {
      #expect((sum.pointer[i] - plain[i] - 0.5 * previous.pointer[i]).magnitude <= 1e-6 * max(1, sum.pointer[i]))
    }
  }
}

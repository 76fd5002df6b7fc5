import Kernels
import Modeling
import Testing

/// The whole backward pass against differences of the loss (fourth order), along one direction a tensor.
@Suite struct TransformerGradientTests {
  @Test(arguments: ModelConfiguration.Family.allCases, [true, false])
  func `every tensor's gradient is the slope of the loss`(family: ModelConfiguration.Family, tied: Bool) {
    let tiny = TinyModel(family, tied: tied)
    let batch = TokenBatch(TinyModel.records([7, 1, 13, 5]))
    let targets = Targets.all(of: batch)
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let gradients = ParameterArena(tiny.configuration)
    _ = tiny.model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: gradients)

    expectSlopes(gradients, of: tiny) {
      let values = tiny.model.logProbabilities(batch, targets, activations)
      return -values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    }
  }

  @Test func `a loss over the whole batch gives the gradient of the same loss token by token`() {
    let tiny = TinyModel(.llama, tied: true)
    let batch = TokenBatch(TinyModel.records([9, 4, 40]))
    let targets = Targets.all(of: batch)
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let slopes: (TargetStatistics, Range<Int>, Floats) -> Void = { statistics, range, slopes in
      for (index, target) in range.enumerated() { slopes[index] = -VectorMath.exp(statistics.logProbabilities[target]) }
    }
    let gradients = [TokenLoss.Scope.token, .batch].map { scope in
      let arena = ParameterArena(tiny.configuration)
      _ = tiny.model.train(batch, targets, TokenLoss(scope: scope, slopes: slopes), activations, gradients: arena)
      return Array(arena.buffer.elements)
    }
    #expect(gradients[0] == gradients[1])
  }
}

/// Compares each tensor's gradient with differences of the loss along one direction.
func expectSlopes(_ gradients: ParameterArena, of tiny: TinyModel, location: SourceLocation = #_sourceLocation, loss: () -> Double) {
  for entry in tiny.arena.layout.entries {
    let values = tiny.arena.view(entry.name)
    let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
    let along = direction(gradients.view(entry.name), entry)
    func value(at step: Float) -> Double {
      for i in saved.indices { values[i] = saved[i] + step * along[i] }
      defer { for i in saved.indices { values[i] = saved[i] } }
      return loss()
    }
    let h: Float = 1e-2
    let measured = (8 * (value(at: h) - value(at: -h)) - (value(at: 2 * h) - value(at: -2 * h))) / (12 * Double(h))
    let computed = saved.indices.reduce(0.0) { $0 + Double(gradients.view(entry.name)[$1] * along[$1]) }
    #expect(
      (measured - computed).magnitude <= 2e-3 * max(0.05, measured.magnitude), "\(entry.name): \(measured), \(computed)",
      sourceLocation: location)
  }
}

/// The gradient's own direction and a random one, each of length 1: the slope along it is large, and any wrong element shows.
private func direction(_ gradient: Floats, _ entry: ParameterLayout.Entry) -> [Float] {
  let random = Philox(seed: 9, name: entry.name)
  let drawn = (0..<entry.count).map { Float(random.normal(UInt64($0))) }
  let length = drawn.reduce(0) { $0 + $1 * $1 }.squareRoot()
  let norm = (0..<entry.count).reduce(0) { $0 + gradient[$1] * gradient[$1] }.squareRoot()
  return drawn.indices.map { drawn[$0] / length + gradient[$0] / norm }
}

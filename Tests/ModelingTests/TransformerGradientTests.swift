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

  @Test func `logits that are kept instead of computed again change no bit`() {
    // A vocabulary so large that 600 targets take three blocks.
    let configuration = ModelConfiguration(
      family: .llama, vocabularySize: 8448, hiddenSize: 8, intermediateSize: 8, layers: 1, heads: 1, keyValueHeads: 1)
    let arena = ParameterArena(configuration)
    let pool = ThreadPool(threads: 2)
    Transformer.initialize(arena, seed: 3, standardDeviation: 0.5, pool: pool)
    let model = Transformer(ModelWeights(configuration, arena), pool: pool)
    let batch = TokenBatch(TinyModel.records([200, 401, 2]))
    let targets = Targets.all(of: batch)
    let loss = TokenLoss(scope: .batch) { statistics, range, slopes in
      for (index, target) in range.enumerated() { slopes[index] = -VectorMath.exp(statistics.logProbabilities[target]) }
    }
    let block = 256 * 8448 * 4
    let results = [0, 2 * block, 3 * block, 9 * block].map { bytes in
      var head = Activations.Head()
      head.keptBytes = bytes
      let activations = Activations(configuration, tokens: batch.count, targets: targets.count, purpose: .training, head: head)
      let gradients = ParameterArena(configuration)
      _ = model.train(batch, targets, loss, activations, gradients: gradients)
      return Array(gradients.buffer.elements)
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  @Test func `the distance to another model's distributions has the gradient that is added`() {
    let (tiny, other) = (TinyModel(.qwen3, tied: true), TinyModel(.qwen3, tied: true, seed: 4))
    let batch = TokenBatch(TinyModel.records([7, 1, 13, 5]))
    let targets = Targets.all(of: batch)
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let measures = [
      DistributionMatch.Measure(temperature: 1, factor: 0.7), DistributionMatch.Measure(temperature: 2.5, factor: 3),
    ]
    let reference = DistributionReference(other.model, measures, tokens: batch.count, targets: targets.count)
    let share = 1 / Float(targets.count)
    let none = TokenLoss { _, range, slopes in
      for index in 0..<range.count { slopes[index] = 0 }
    }
    func pass(_ gradients: ParameterArena) -> Double {
      _ = tiny.model.train(
        batch, targets, none, activations, gradients: gradients, distributions: DistributionLoss([reference], share: share))
      return measures.indices.reduce(0) { sum, measure in
        let values = reference.divergences(measure)
        return sum + Double(measures[measure].factor * share) * (0..<targets.count).reduce(0) { $0 + Double(values[$1]) }
      }
    }
    let gradients = ParameterArena(tiny.configuration)
    #expect(pass(gradients) > 0.01)
    let scratch = ParameterArena(tiny.configuration)
    expectSlopes(gradients, of: tiny) { pass(scratch) }
  }
}

/// Compares each tensor's gradient with differences of the loss along one direction.
func expectSlopes(_ gradients: ParameterArena, of tiny: TinyModel, location: SourceLocation = #_sourceLocation, loss: () -> Double) {
  expectSlopes(gradients, of: tiny.arena, location: location) { _ in loss() }
}

/// `loss` is told which tensor has moved.
func expectSlopes(
  _ gradients: ParameterArena, of arena: ParameterArena, location: SourceLocation = #_sourceLocation, loss: (String) -> Double
) {
  for entry in arena.layout.entries {
    let values = arena.view(entry.name)
    let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
    let along = direction(gradients.view(entry.name), entry)
    func value(at step: Float) -> Double {
      for i in saved.indices { values[i] = saved[i] + step * along[i] }
      defer { for i in saved.indices { values[i] = saved[i] } }
      return loss(entry.name)
    }
    let h: Float = 1e-2
    let measured = (8 * (value(at: h) - value(at: -h)) - (value(at: 2 * h) - value(at: -2 * h))) / (12 * Double(h))
    // What the loss derives from the tensor is as it was again.
    _ = loss(entry.name)
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

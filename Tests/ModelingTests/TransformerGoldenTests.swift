import Kernels
import Modeling
import Testing

/// Our numbers against those of transformers and torch on the same tiny checkpoints.
@Suite struct TransformerGoldenTests {
  private let pool = ThreadPool(threads: 2)

  @Test(arguments: GoldenFixture.names)
  func `logits of every position agree`(name: String) throws {
    let golden = try GoldenFixture(name, pool: pool)
    let batch = try golden.batch()
    let model = Transformer(ModelWeights(golden.model.configuration, golden.model.arena), pool: pool)
    let activations = Activations(model.configuration, tokens: batch.count, targets: batch.count, purpose: .inference)
    let expected = try golden.floats("logits")
    let scale = expected.reduce(0) { max($0, $1.magnitude) }
    let vocabulary = model.configuration.vocabularySize
    var worst: Float = 0
    model.forward(batch, activations)
    model.logits(after: (0..<batch.count).map { Int32($0) }, activations) { range, logits in
      for i in 0..<range.count * vocabulary { worst = max(worst, (logits[i] - expected[range.lowerBound * vocabulary + i]).magnitude) }
    }
    #expect(worst <= 2e-4 * scale, "worst difference \(worst) at scale \(scale)")
  }

  @Test(arguments: GoldenFixture.names)
  func `loss, token losses and every gradient agree`(name: String) throws {
    let golden = try GoldenFixture(name, pool: pool)
    let batch = try golden.batch()
    let targets = try golden.targets()
    let model = Transformer(ModelWeights(golden.model.configuration, golden.model.arena), pool: pool)
    let activations = Activations(model.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let gradients = ParameterArena(golden.model.arena.layout)
    let statistics = model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: gradients)

    let tokenLosses = try golden.floats("nll")
    var loss = 0.0
    for index in 0..<statistics.count {
      let ours = -statistics.logProbabilities[index]
      #expect((ours - tokenLosses[Int(targets.rows[index]) + 1]).magnitude <= 2e-4 * max(1, ours))
      loss += Double(ours) / Double(statistics.count)
    }
    let expectedLoss = try #require(golden.json["loss"]?.numberValue)
    #expect((loss - expectedLoss).magnitude <= 1e-5 * expectedLoss)

    for entry in golden.model.arena.layout.entries {
      let expected = try golden.floats("grad." + entry.name)
      let ours = gradients.view(entry.name)
      var difference = 0.0
      var norm = 0.0
      for i in 0..<entry.count {
        difference += Double((ours[i] - expected[i]) * (ours[i] - expected[i]))
        norm += Double(expected[i] * expected[i])
      }
      #expect(difference.squareRoot() <= 1e-3 * norm.squareRoot(), "gradient of \(entry.name)")
    }
  }
}

extension TokenLoss {
  /// −Σ log p / N over the targets of one pass.
  static var meanNegativeLogLikelihood: TokenLoss {
    TokenLoss { statistics, range, slopes in
      for index in 0..<range.count { slopes[index] = -1 / Float(statistics.count) }
    }
  }
}

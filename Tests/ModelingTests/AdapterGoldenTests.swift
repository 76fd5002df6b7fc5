import JSONValues
import Kernels
import Modeling
import Testing

/// Our numbers against those of PEFT on the same adapters.
@Suite struct AdapterGoldenTests {
  private let pool = ThreadPool(threads: 2)

  @Test(arguments: AdapterFixture.names)
  func `logits of every position agree with PEFT's`(name: String) throws {
    let fixture = try AdapterFixture(name, pool: pool)
    let expected = try fixture.floats("logits")
    #expect(distance(fixture.model.allLogits(try fixture.base.batch()), expected) <= 2e-4)
    #expect(distance(try fixture.base.floats("logits"), expected) > 0.05, "the adapter changes what the model says")
  }

  @Test(arguments: AdapterFixture.names)
  func `loss, token losses and every gradient agree with PEFT's`(name: String) throws {
    let fixture = try AdapterFixture(name, pool: pool)
    let batch = try fixture.base.batch()
    let targets = try fixture.base.targets()
    let trained = try #require(fixture.adapters.last)
    let activations = Activations(fixture.model.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let gradients = ParameterArena(trained.arena.layout)
    let statistics = fixture.model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: gradients)

    let tokenLosses = try fixture.floats("nll")
    var loss = 0.0
    for index in 0..<statistics.count {
      let ours = -statistics.logProbabilities[index]
      #expect((ours - tokenLosses[Int(targets.rows[index]) + 1]).magnitude <= 2e-4 * max(1, ours))
      loss += Double(ours) / Double(statistics.count)
    }
    #expect((loss - fixture.loss).magnitude <= 1e-5 * fixture.loss)

    #expect(fixture.tensors.tensors.count { $0.name.hasPrefix("grad.") } == gradients.layout.entries.count)
    for entry in gradients.layout.entries {
      let expected = try fixture.floats("grad." + entry.name)
      let ours = UnsafeBufferPointer(start: gradients.view(entry.name), count: entry.count)
      let difference = zip(ours, expected).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      let norm = expected.reduce(0.0) { $0 + Double($1 * $1) }
      #expect(difference.squareRoot() <= 1e-3 * norm.squareRoot(), "gradient of \(entry.name)")
    }
  }

  @Test(arguments: AdapterFixture.names)
  func `merged weights give the adapter's logits`(name: String) throws {
    let fixture = try AdapterFixture(name, pool: pool)
    let batch = try fixture.base.batch()
    let unmerged = fixture.model.allLogits(batch)
    for adapter in fixture.adapters { adapter.merge(into: fixture.base.model.arena, pool) }
    let merged = Transformer(ModelWeights(fixture.model.configuration, fixture.base.model.arena), pool: pool)
    #expect(distance(merged.allLogits(batch), unmerged) <= 1e-4)
  }

  @Test(arguments: AdapterFixture.names)
  func `an adapter that PEFT wrote is written again with PEFT's bytes`(name: String) throws {
    let fixture = try AdapterFixture(name, pool: pool)
    let path = try TemporaryDirectory()
    try AdapterDirectory.write(try #require(fixture.adapters.last), for: fixture.model.configuration, to: path.path)
    let weights = "/" + AdapterDirectory.weightsName
    #expect(
      try PositionedFile.contents(of: path.path + weights) == PositionedFile.contents(of: AdapterFixture.directory(name) + weights))

    // What PEFT reads of the configuration is what it wrote; but for the choice of modules, which may be spelt otherwise.
    let ours = try JSONValue(parsing: PositionedFile.contents(of: path.path + "/adapter_config.json"))
    let theirs = try JSONValue(parsing: PositionedFile.contents(of: AdapterFixture.directory(name) + "/adapter_config.json"))
    for (key, value) in try #require(ours.objectValue).members where !["target_modules", "base_model_name_or_path"].contains(key) {
      #expect(value == theirs[key], "\(key)")
    }
    let again = try AdapterDirectory.load(path.path, for: fixture.model.configuration)
    #expect(again.modules.map(\.name) == fixture.adapters.last?.modules.map(\.name))
    #expect(again.modules.map(\.scale) == fixture.adapters.last?.modules.map(\.scale))
  }
}

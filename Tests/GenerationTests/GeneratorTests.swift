import Generation
import Kernels
import Modeling
import Testing

@Suite struct GeneratorTests {
  private static let configuration = ModelConfiguration(
    family: .qwen3, vocabularySize: 61, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16,
    maxPositions: 128)

  private static func model(threads: Int = 2, packed: Bool = true) -> Transformer {
    let pool = ThreadPool(threads: threads)
    let arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: 3, standardDeviation: 0.3, pool: pool)
    let weights = packed ? ModelWeights.packed(configuration, arena, pool: pool, release: true) : ModelWeights(configuration, arena)
    return Transformer(weights, pool: pool)
  }

  private static let prompts: [[Int32]] = (0..<11).map { index in
    let random = Philox(seed: 5, name: "prompt \(index)")
    return (0..<(1 + index * 3 % 17)).map { Int32(random.integer(UInt64($0), below: 61)) }
  }

  private static let sampling = SamplingSettings(temperature: 0.9, topK: 20, topP: 0.95, seed: 4)
  private static let limits = GenerationLimits(maxNewTokens: 19, stopTokens: [7, 8])

  private func generate(_ model: Transformer, batchSize: Int, prefillTokens: Int = 2048) throws -> [[Completion]] {
    let generator = Generator(model, sampling: Self.sampling, limits: Self.limits, batchSize: batchSize, prefillTokens: prefillTokens)
    return try #require(try generator.generate(Self.prompts, samples: 3))
  }

  @Test func `completions do not depend on batch size, threads, prefill or packing`() throws {
    let alone = try generate(Self.model(threads: 1), batchSize: 1)
    #expect(try generate(Self.model(), batchSize: 4) == alone)
    #expect(try generate(Self.model(threads: 3), batchSize: 33, prefillTokens: 20) == alone)
    #expect(try generate(Self.model(packed: false), batchSize: 7) == alone)
    #expect(Set(alone.flatMap { $0 }.map(\.tokens)).count > 20)
  }

  @Test func `a part of the prompts draws what the whole does`() throws {
    let model = Self.model()
    let whole = try generate(model, batchSize: 5)
    let generator = Generator(model, sampling: Self.sampling, limits: Self.limits, batchSize: 5)
    let part = try #require(try generator.generate(Array(Self.prompts[4..<6]), samples: 3, firstPrompt: 4))
    #expect(part == Array(whole[4..<6]))
  }

  @Test func `a stop token ends its sequence and is kept`() throws {
    let completions = try generate(Self.model(), batchSize: 8).flatMap { $0 }
    #expect(completions.contains { $0.finish == .stop })
    #expect(completions.contains { $0.finish == .length })
    for completion in completions {
      let stop = completion.tokens.firstIndex { Self.limits.stopTokens.contains($0) }
      #expect(completion.finish == (stop == nil ? .length : .stop))
      #expect(stop.map { $0 == completion.tokens.count - 1 } ?? (completion.tokens.count == 19))
      #expect(completion.logProbabilities.count == completion.tokens.count)
    }
  }

  private static func fifthToken() -> GenerationLimits.StopRule {
    var count = 0
    return { _ in
      count += 1
      return count == 5
    }
  }

  @Test func `the caller's rule ends a sequence`() throws {
    let limits = GenerationLimits(maxNewTokens: 30, makeStopRule: { Self.fifthToken() })
    let generator = Generator(Self.model(), sampling: .greedy, limits: limits, batchSize: 4)
    let completions = try #require(try generator.generate(Self.prompts))
    #expect(completions.allSatisfy { $0[0].tokens.count == 5 && $0[0].finish == .stop })
  }

  /// Log-probs of the completions under the model's plain forward pass.
  private func scored(_ model: Transformer, _ prompt: [Int32], _ tokens: [Int32]) -> [Float] {
    let batch = TokenBatch([prompt + tokens])
    var targets = Targets()
    for (index, token) in tokens.enumerated() { targets.append(row: prompt.count - 1 + index, token: token) }
    let activations = Activations(model.configuration, tokens: batch.count, targets: targets.count, purpose: .inference)
    return model.logProbabilities(batch, targets, activations)
  }

  @Test func `log-probs while generating are those of scoring the text, bit for bit`() throws {
    let model = Self.model()
    for sampling in [SamplingSettings.greedy, SamplingSettings(topK: 9, seed: 2)] {
      let limits = GenerationLimits(maxNewTokens: 12, minNewTokens: 6, stopTokens: [3, 9, 60])
      let generator = Generator(model, sampling: sampling, limits: limits, batchSize: 6)
      let completions = try #require(try generator.generate(Self.prompts, samples: 2))
      for (prompt, samples) in zip(Self.prompts, completions) {
        for sample in samples { #expect(scored(model, prompt, sample.tokens) == sample.logProbabilities) }
      }
    }
  }

  @Test func `an empty or too long prompt is the caller's mistake, told in words`() {
    let generator = Generator(Self.model(), sampling: .greedy, limits: GenerationLimits(maxNewTokens: 100), batchSize: 2)
    #expect(throws: ModelError("prompt 1 has no token")) { try generator.generate([[1], []]) }
    #expect(throws: ModelError("prompt 0 has 40 tokens; with 100 new ones that is more than 128 positions")) {
      try generator.generate([[Int32](repeating: 1, count: 40)])
    }
  }

  @Test func `generation can be stopped`() throws {
    let generator = Generator(Self.model(), sampling: .greedy, limits: Self.limits, batchSize: 2)
    #expect(try generator.generate(Self.prompts, progress: { $0 < 3 }) == nil)
  }
}

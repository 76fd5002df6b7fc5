import Generation
import Kernels
import Modeling
import Testing

/// What rollouts ask of generation: several samples and a greedy one of each prompt, told as prompts end, by the prompts' numbers.
@Suite struct RolloutGenerationTests {
  private static let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 61, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 6, keyValueHeads: 2, headDimension: 16,
    maxPositions: 256)

  private static func arena(seed: UInt64, _ pool: ThreadPool) -> ParameterArena {
    let arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: seed, standardDeviation: 0.3, pool: pool)
    return arena
  }

  private static func model(threads: Int = 2) -> Transformer {
    let pool = ThreadPool(threads: threads)
    return Transformer(ModelWeights.packed(configuration, arena(seed: 3, pool), pool: pool), pool: pool)
  }

  /// Short ones, and some whose end lies in the second block of attention.
  private static let prompts: [[Int32]] = [3, 1, 17, 95, 96, 97, 8, 120, 2].enumerated().map { index, length in
    let random = Philox(seed: 5, name: "prompt \(index)")
    return (0..<length).map { Int32(random.integer(UInt64($0), below: 61)) }
  }

  private static let sampling = SamplingSettings(temperature: 0.9, seed: 4)
  private static let limits = GenerationLimits(maxNewTokens: 23, stopTokens: [7])

  private struct Answer: Equatable {
    var samples: [Completion]
    var greedy: Completion?
  }

  private func generate(
    _ model: Transformer, _ prompts: [[Int32]] = prompts, samples: Int, greedy: Bool, numbers: [Int]? = nil, batchSize: Int,
    limits: GenerationLimits = limits, sampling: SamplingSettings = sampling, memory: GenerationMemory = GenerationMemory()
  ) throws -> [Answer] {
    var answers = [Answer?](repeating: nil, count: prompts.count)
    let generator = Generator(model, sampling: sampling, limits: limits, batchSize: batchSize, memory: memory)
    let isComplete = try generator.generate(prompts, samples: samples, greedy: greedy, numbers: numbers) { prompt, samples, greedy in
      #expect(answers[prompt] == nil, "prompt \(prompt) is told once")
      answers[prompt] = Answer(samples: samples, greedy: greedy)
    }
    #expect(isComplete)
    return try answers.map { try #require($0) }
  }

  @Test func `no bit depends on batch size, threads, the samples beside, or the greedy one`() throws {
    let whole = try generate(Self.model(threads: 1), samples: 5, greedy: true, batchSize: 1)
    for (threads, batchSize) in [(2, 3), (3, 54), (2, 1000)] {
      #expect(try generate(Self.model(threads: threads), samples: 5, greedy: true, batchSize: batchSize) == whole)
    }
    let without = try generate(Self.model(), samples: 5, greedy: false, batchSize: 7)
    #expect(without.map(\.samples) == whole.map(\.samples))
    let fewer = try generate(Self.model(), samples: 2, greedy: true, batchSize: 16)
    #expect(fewer.map(\.samples) == whole.map { Array($0.samples.prefix(2)) })
    #expect(fewer.map(\.greedy) == whole.map(\.greedy))
    #expect(Set(whole.flatMap(\.samples).map(\.tokens)).count > 40)
  }

  @Test func `a prompt alone, by its number, draws what it does among all`() throws {
    let model = Self.model()
    let whole = try generate(model, samples: 3, greedy: true, batchSize: 9)
    let chosen = [5, 0, 7]
    let part = try generate(model, chosen.map { Self.prompts[$0] }, samples: 3, greedy: true, numbers: chosen, batchSize: 4)
    #expect(part == chosen.map { whole[$0] })
    let other = try generate(model, [Self.prompts[5]], samples: 3, greedy: true, numbers: [6], batchSize: 4)
    #expect(other[0].samples != whole[5].samples)
    #expect(other[0].greedy == whole[5].greedy)
  }

  @Test func `the greedy one is what greedy generation gives, with the policy's log-probs`() throws {
    let model = Self.model()
    let plain = try generate(model, samples: 1, greedy: false, batchSize: 5, sampling: .greedy)
    let beside = try generate(model, samples: 2, greedy: true, batchSize: 5)
    #expect(beside.map(\.greedy?.tokens) == plain.map(\.samples[0].tokens))
    #expect(beside.map(\.greedy?.logProbabilities) != plain.map(\.samples[0].logProbabilities))
    let alone = try generate(model, samples: 0, greedy: true, batchSize: 5, sampling: SamplingSettings(temperature: 1))
    #expect(alone.map(\.greedy) == plain.map(\.samples[0]))
    #expect(alone.allSatisfy { $0.samples.isEmpty })
  }

  @Test func `a prompt is told as soon as its last sequence has ended`() throws {
    let generator = Generator(Self.model(), sampling: Self.sampling, limits: Self.limits, batchSize: 4)
    var told = 0
    var seen: [(finished: Int, told: Int)] = []
    _ = try generator.generate(
      Self.prompts, samples: 2, greedy: true,
      progress: { progress in
        seen.append((progress.finished, told))
        return true
      }, onFinished: { _, _, _ in told += 1 })
    #expect(told == Self.prompts.count)
    #expect(seen.contains { $0.told > 0 && $0.told < Self.prompts.count })
    #expect(seen.allSatisfy { $0.told * 3 <= $0.finished })
  }

  @Test func `progress counts, and stops`() throws {
    let generator = Generator(Self.model(), sampling: Self.sampling, limits: Self.limits, batchSize: 6)
    var last = Generator.Progress()
    var tokens = 0
    _ = try generator.generate(
      Self.prompts, samples: 2,
      progress: {
        last = $0
        return true
      }, onFinished: { _, samples, _ in tokens += samples.reduce(0) { $0 + $1.tokens.count } })
    #expect(last.finished == 2 * Self.prompts.count)
    #expect(last.tokens == tokens)
    #expect(last.promptTokens == Self.prompts.reduce(0) { $0 + $1.count })
    #expect(last.steps >= 22)
    let isComplete = try generator.generate(Self.prompts, samples: 2, progress: { $0.finished < 5 }, onFinished: { _, _, _ in })
    #expect(!isComplete)
  }

  @Test func `no stop token comes before the fewest tokens, in samples and greedy ones`() throws {
    let stops = Set<Int32>(0..<40)
    let model = Self.model()
    let limits = GenerationLimits(maxNewTokens: 23, minNewTokens: 9, stopTokens: stops)
    let bound = try generate(model, samples: 4, greedy: true, batchSize: 8, limits: limits)
    let sequences = bound.flatMap { $0.samples + [$0.greedy].compactMap { $0 } }
    for sequence in sequences {
      #expect(sequence.tokens.count > 9)
      #expect(!sequence.tokens.prefix(9).contains { stops.contains($0) })
    }
    #expect(sequences.contains { $0.tokens.count == 10 && $0.finish == .stop })
    let alone = try generate(model, samples: 4, greedy: true, batchSize: 1, limits: limits)
    #expect(alone == bound)
  }

  @Test func `a stop rule's answer to the first tokens does not count`() throws {
    let limits = GenerationLimits(
      maxNewTokens: 23, minNewTokens: 6,
      makeStopRule: {
        var count = 0
        return { _ in
          count += 1
          return count % 4 == 0
        }
      })
    let answers = try generate(Self.model(), samples: 2, greedy: true, batchSize: 5, limits: limits)
    #expect(answers.flatMap(\.samples).allSatisfy { $0.tokens.count == 8 && $0.finish == .stop })
  }

  @Test func `stop tokens that are all there is cannot be kept away`() {
    let limits = GenerationLimits(maxNewTokens: 4, minNewTokens: 2, stopTokens: Set(0..<61))
    #expect(throws: ModelError("every token of the vocabulary is a stop token; none can be drawn before 2 tokens")) {
      try generate(Self.model(), samples: 1, greedy: false, batchSize: 1, limits: limits)
    }
  }

  @Test func `memory used before moves no bit`() throws {
    let model = Self.model()
    let memory = GenerationMemory()
    let first = try generate(model, samples: 3, greedy: true, batchSize: 20, memory: memory)
    let part = try generate(model, [Self.prompts[2]], samples: 3, greedy: true, numbers: [2], batchSize: 20, memory: memory)
    #expect(part == [first[2]])
    #expect(try generate(model, samples: 3, greedy: true, batchSize: 27, memory: memory) == first)
  }

  @Test func `weights packed again are those packed afresh`() throws {
    let pool = ThreadPool(threads: 2)
    let arena = Self.arena(seed: 3, pool)
    let weights = ModelWeights.packed(Self.configuration, arena, pool: pool)
    let model = Transformer(weights, pool: pool)
    let before = try generate(model, samples: 2, greedy: true, batchSize: 8)
    Transformer.initialize(arena, seed: 8, standardDeviation: 0.3, pool: pool)
    weights.repack(pool)
    let after = try generate(model, samples: 2, greedy: true, batchSize: 8)
    let fresh = Transformer(ModelWeights.packed(Self.configuration, Self.arena(seed: 8, pool), pool: pool), pool: pool)
    #expect(after != before)
    #expect(try generate(fresh, samples: 2, greedy: true, batchSize: 8) == after)
  }
}

import Datasets
import Evaluation
import Kernels
import Modeling
import Testing

/// A random Transformer over bytes.
private func engine(batchSize: Int, threads: Int) -> EngineModel {
  let pool = ThreadPool(threads: threads)
  let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 258, hiddenSize: 32, intermediateSize: 48, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16,
    tieEmbeddings: true)
  let arena = ParameterArena(configuration)
  Transformer.initialize(arena, seed: 3, standardDeviation: 0.2, pool: pool)
  let transformer = Transformer(ModelWeights(configuration, arena), pool: pool, maximumPositions: 256)
  return EngineModel(transformer, byteCodec, endTokens: [257], batchSize: batchSize)
}

@Suite("Evaluating with the engine") struct EngineModelTests {
  @Test("results are the same bytes at batch sizes 1, 7 and 64, and with 1 and 2 threads", arguments: ["count", "category", "sentences"])
  func invariance(name: String) throws {
    let suite = try TaskSampler(.named(name), difficulty: 4, seed: 1).suite(count: 24)
    func text(batchSize: Int, threads: Int) throws -> [String] {
      let result = try Evaluator(engine(batchSize: batchSize, threads: threads), byteCodec).evaluate(suite)
      return [result.json.encoded()] + result.results.map { $0.json.encoded() }
    }
    let reference = try text(batchSize: 1, threads: 1)
    for (batchSize, threads) in [(7, 1), (64, 1), (1, 2), (64, 2)] {
      #expect(try text(batchSize: batchSize, threads: threads) == reference, "batch \(batchSize), \(threads) threads")
    }
  }

  @Test("a continuation's log-probabilities are those of its parts") func chain() throws {
    let model = engine(batchSize: 4, threads: 1)
    let tokens = (0..<20).map { Int32($0 * 7 % 250) }
    let whole = try model.logProbabilities([.init(context: [256], continuation: tokens)]) { _ in }[0]
    for split in [1, 5, 19] {
      let requests = [
        LikelihoodRequest(context: [256], continuation: Array(tokens[..<split])),
        LikelihoodRequest(context: [256] + tokens[..<split], continuation: Array(tokens[split...])),
      ]
      let parts = try model.logProbabilities(requests) { _ in }
      #expect(parts[0] + parts[1] == whole)
    }
  }

  @Test("greedy generation takes what the likelihoods say, and stops where it is told") func greedy() throws {
    let model = engine(batchSize: 4, threads: 1)
    let prompt: [Int32] = [5, 6, 7]
    let ids = try model.generate([prompt], .init(maxNewTokens: 6)) { _ in }[0].ids
    for (place, token) in ids.enumerated() {
      let context = prompt + ids[..<place]
      let all = try model.logProbabilities((0..<258).map { .init(context: context, continuation: [$0]) }) { _ in }.map { $0[0] }
      #expect(all.firstIndex(of: all.max() ?? 0) == Int(token))
    }
    #expect(try model.generate([prompt], .init(maxNewTokens: 3)) { _ in }[0].ids == Array(ids.prefix(3)))
  }

  @Test("sampling depends on the seed and the place in the list, not on the batch") func sampling() throws {
    let prompts = (1...9).map { [Int32($0), 3, 4] }
    func sample(_ batchSize: Int, seed: UInt64) throws -> [GeneratedTokens] {
      try engine(batchSize: batchSize, threads: 1).generate(prompts, .init(maxNewTokens: 5, temperature: 1, topK: 50, seed: seed)) { _ in }
    }
    #expect(try sample(1, seed: 1) == sample(4, seed: 1))
    #expect(try sample(4, seed: 1) != sample(4, seed: 2))
  }
}

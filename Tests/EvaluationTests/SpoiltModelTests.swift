import Datasets
import Evaluation
import Kernels
import Modeling
import Testing

/// Weights may be finite and what comes out of them not: a score made from that would look like any other.
@Suite("A model whose numbers overflow") struct SpoiltModelTests {
  private static let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 258, hiddenSize: 8, intermediateSize: 8, layers: 1, heads: 1, keyValueHeads: 1, tieEmbeddings: false)

  /// Every weight is a number; the logits overflow.
  private static func model() -> Transformer {
    let pool = ThreadPool(threads: 1)
    let arena = ParameterArena(configuration)
    for index in 0..<arena.count { arena.pointer[index] = 1e15 }
    return Transformer(ModelWeights(configuration, arena), pool: pool)
  }

  private static let message = "the model's log-probabilities are not finite: its weights are spoilt"

  @Test("its log-probabilities are an error") func likelihoods() throws {
    let model = EngineModel(Self.model(), byteCodec, endTokens: [])
    let requests = [LikelihoodRequest(context: [1, 2], continuation: [3])]
    #expect(throws: DatasetError(Self.message)) { try model.logProbabilities(requests) { _ in } }
  }

  @Test("so is what it writes") func generation() throws {
    let model = EngineModel(Self.model(), byteCodec, endTokens: [])
    #expect(throws: DatasetError(Self.message)) { try model.generate([[1, 2]], GenerationOptions(maxNewTokens: 3)) { _ in } }
  }
}

import Kernels
import Modeling
import StageInterface

/// `model/init`: random weights of given dimensions, with the vocabulary of a tokenizer.
package struct ModelInit: NativeStage {
  package static let name = "model/init"

  package struct Parameters: Decodable, Sendable {
    let family: String
    let hiddenSize: Int
    let intermediateSize: Int
    let numHiddenLayers: Int
    let numAttentionHeads: Int
    let numKeyValueHeads: Int?
    let headDim: Int?
    let maxPositionEmbeddings: Int
    let ropeTheta: Double
    let rmsNormEps: Double
    let tieWordEmbeddings: Bool
    let initializerRange: Double
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let pool = ThreadPool(threads: context.threads)
    let tokenizer = TokenizerDirectory(path: try context.input("tokenizer"))
    let configuration = try configuration(parameters, try tokenizer.identity())
    let arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: parameters.seed, standardDeviation: parameters.initializerRange, pool: pool)
    try ModelDirectory.write(configuration, arena, companions: try tokenizer.companions(), to: try context.output("model"), pool: pool)
    context.log("\(arena.layout.parameterCount) parameters")
  }

  private static func configuration(_ p: Parameters, _ identity: TokenizerDirectory.Identity) throws -> ModelConfiguration {
    guard let family = ModelConfiguration.Family(rawValue: p.family) else { throw StageFailure("unknown family '\(p.family)'") }
    let keyValueHeads = p.numKeyValueHeads ?? p.numAttentionHeads
    guard p.numAttentionHeads % keyValueHeads == 0 else {
      throw StageFailure("num_attention_heads \(p.numAttentionHeads) is not a multiple of num_key_value_heads \(keyValueHeads)")
    }
    guard p.headDim != nil || p.hiddenSize % p.numAttentionHeads == 0 else {
      throw StageFailure("hidden_size \(p.hiddenSize) is not a multiple of num_attention_heads \(p.numAttentionHeads); set head_dim")
    }
    let headDimension = p.headDim ?? p.hiddenSize / p.numAttentionHeads
    guard headDimension % 2 == 0 else {
      throw StageFailure("the head dimension must be even for rotary embeddings, and is \(headDimension)")
    }
    return ModelConfiguration(
      family: family, vocabularySize: identity.vocabularySize, hiddenSize: p.hiddenSize, intermediateSize: p.intermediateSize,
      layers: p.numHiddenLayers, heads: p.numAttentionHeads, keyValueHeads: keyValueHeads, headDimension: headDimension,
      normEpsilon: p.rmsNormEps, ropeTheta: p.ropeTheta, maxPositions: p.maxPositionEmbeddings, tieEmbeddings: p.tieWordEmbeddings,
      bosToken: identity.bos, eosTokens: identity.eos.map { [$0] } ?? [], padToken: identity.pad)
  }
}

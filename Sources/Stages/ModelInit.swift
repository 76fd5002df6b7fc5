import Kernels
import Modeling
import StageInterface

/// `model/init`: random weights of given dimensions, with the vocabulary of a tokenizer.
package struct ModelInit: NativeStage {
  package static let name = "model/init"

  package struct Parameters: Decodable, Sendable {
    let family: String
    let hidden_size: Int
    let intermediate_size: Int
    let num_hidden_layers: Int
    let num_attention_heads: Int
    let num_key_value_heads: Int?
    let head_dim: Int?
    let max_position_embeddings: Int
    let rope_theta: Double
    let rms_norm_eps: Double
    let tie_word_embeddings: Bool
    let initializer_range: Double
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let pool = ThreadPool(threads: context.threads)
    let tokenizer = TokenizerDirectory(path: try context.input("tokenizer"))
    let configuration = try configuration(parameters, try tokenizer.identity())
    let arena = ParameterArena(configuration)
    Transformer.initialize(arena, seed: parameters.seed, standardDeviation: parameters.initializer_range, pool: pool)
    try ModelDirectory.write(configuration, arena, companions: try tokenizer.companions(), to: try context.output("model"), pool: pool)
    context.log("\(arena.layout.parameterCount) parameters")
  }

  private static func configuration(_ p: Parameters, _ identity: TokenizerDirectory.Identity) throws -> ModelConfiguration {
    guard let family = ModelConfiguration.Family(rawValue: p.family) else { throw StageFailure("unknown family '\(p.family)'") }
    let keyValueHeads = p.num_key_value_heads ?? p.num_attention_heads
    guard p.num_attention_heads % keyValueHeads == 0 else {
      throw StageFailure("num_attention_heads \(p.num_attention_heads) is not a multiple of num_key_value_heads \(keyValueHeads)")
    }
    guard p.head_dim != nil || p.hidden_size % p.num_attention_heads == 0 else {
      throw StageFailure("hidden_size \(p.hidden_size) is not a multiple of num_attention_heads \(p.num_attention_heads); set head_dim")
    }
    let headDimension = p.head_dim ?? p.hidden_size / p.num_attention_heads
    guard headDimension % 2 == 0 else { throw StageFailure("the head dimension must be even for rotary embeddings, and is \(headDimension)") }
    return ModelConfiguration(
      family: family, vocabularySize: identity.vocabularySize, hiddenSize: p.hidden_size, intermediateSize: p.intermediate_size,
      layers: p.num_hidden_layers, heads: p.num_attention_heads, keyValueHeads: keyValueHeads, headDimension: headDimension,
      normEpsilon: p.rms_norm_eps, ropeTheta: p.rope_theta, maxPositions: p.max_position_embeddings, tieEmbeddings: p.tie_word_embeddings,
      bosToken: identity.bos, eosTokens: identity.eos.map { [$0] } ?? [], padToken: identity.pad)
  }
}

import JSONValues

/// The shape of a decoder-only Transformer, as `config.json` of Hugging Face states it. Knows nothing of weights.
package struct ModelConfiguration: Sendable, Equatable {
  package enum Family: String, Sendable, CaseIterable {
    /// Llama and SmolLM2.
    case llama
    /// Qwen2 and Qwen2.5: a bias on the query, key and value products.
    case qwen2
    /// Qwen3: an RMSNorm over every head's query and key before the rotation.
    case qwen3

    /// The class name that `architectures` gives.
    package var architecture: String {
      switch self {
      case .llama: "LlamaForCausalLM"
      case .qwen2: "Qwen2ForCausalLM"
      case .qwen3: "Qwen3ForCausalLM"
      }
    }
  }

  package var family: Family
  package var vocabularySize: Int
  package var hiddenSize: Int
  package var intermediateSize: Int
  package var layers: Int
  package var heads: Int
  package var keyValueHeads: Int
  package var headDimension: Int
  package var normEpsilon: Double
  package var ropeTheta: Double
  package var ropeScaling: RopeScaling?
  package var maxPositions: Int
  package var tieEmbeddings: Bool
  package var bosToken: Int?
  package var eosTokens: [Int]
  package var padToken: Int?
  /// Members of config.json that this type does not interpret; they are written back.
  package var extras: JSONObject

  package init(
    family: Family, vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int, keyValueHeads: Int,
    headDimension: Int? = nil, normEpsilon: Double = 1e-5, ropeTheta: Double = 10000, ropeScaling: RopeScaling? = nil,
    maxPositions: Int = 2048, tieEmbeddings: Bool = true, bosToken: Int? = nil, eosTokens: [Int] = [], padToken: Int? = nil
  ) {
    self.family = family
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension ?? hiddenSize / heads
    self.normEpsilon = normEpsilon
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.maxPositions = maxPositions
    self.tieEmbeddings = tieEmbeddings
    self.bosToken = bosToken
    self.eosTokens = eosTokens
    self.padToken = padToken
    extras = JSONObject([])
  }

  /// Query, key and value products carry a bias.
  package var attentionBias: Bool { family == .qwen2 }
  /// Every head's query and key pass an RMSNorm before the rotation.
  package var headNorm: Bool { family == .qwen3 }
  /// Width of all query heads together.
  package var queryWidth: Int { heads * headDimension }
  /// Width of all key (or value) heads together.
  package var keyValueWidth: Int { keyValueHeads * headDimension }

  package static func == (a: Self, b: Self) -> Bool { a.json(dtype: "float32") == b.json(dtype: "float32") }
}

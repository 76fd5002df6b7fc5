import JSONValues

/// config.json in and out. Reads `rope_theta` and `rope_scaling` as well as the newer `rope_parameters`; writes the older form, which
/// every version of transformers reads.
extension ModelConfiguration {
  /// Throws where the file asks for something this engine would compute differently: never a silent approximation.
  package init(json: JSONValue) throws(ModelError) {
    guard let object = json.objectValue else { throw ModelError("config.json is not a JSON object") }
    var members = ConfigurationMembers(object)
    family = try Self.family(&members)
    try Self.refuseUnsupported(&members, family: family)

    vocabularySize = try members.size("vocab_size")
    hiddenSize = try members.size("hidden_size")
    intermediateSize = try members.size("intermediate_size")
    layers = try members.size("num_hidden_layers")
    heads = try members.size("num_attention_heads")
    keyValueHeads = try members.size("num_key_value_heads", default: heads)
    headDimension = try members.size("head_dim", default: family == .qwen3 ? 128 : hiddenSize / heads)
    normEpsilon = try members.positiveNumber("rms_norm_eps", default: 1e-6)
    maxPositions = try members.size("max_position_embeddings", default: family == .llama ? 2048 : 32768)
    tieEmbeddings = try members.flag("tie_word_embeddings", default: false)
    (ropeTheta, ropeScaling) = try Self.rope(&members, maxPositions: maxPositions)
    bosToken = try members.tokens("bos_token_id").first
    eosTokens = try members.tokens("eos_token_id")
    padToken = try members.tokens("pad_token_id").first
    extras = members.remaining(dropping: ["torch_dtype", "dtype", "architectures", "model_type", "transformers_version", "hidden_act"])
    try check()
  }

  /// A full config.json, keys sorted as transformers writes them. `dtype` as in "float32", "bfloat16".
  package func json(dtype: String) -> JSONValue {
    var members: [(String, JSONValue)] = extras.members.map { ($0.key, $0.value) }
    members += [
      ("architectures", .array([.string(family.architecture)])),
      ("hidden_act", .string("silu")),
      ("model_type", .string(family.rawValue)),
      ("torch_dtype", .string(dtype)),
      ("vocab_size", .integer(vocabularySize)),
      ("hidden_size", .integer(hiddenSize)),
      ("intermediate_size", .integer(intermediateSize)),
      ("num_hidden_layers", .integer(layers)),
      ("num_attention_heads", .integer(heads)),
      ("num_key_value_heads", .integer(keyValueHeads)),
      ("head_dim", .integer(headDimension)),
      ("rms_norm_eps", .number(normEpsilon)),
      ("rope_theta", .number(ropeTheta)),
      ("rope_scaling", ropeScaling?.json ?? .null),
      ("max_position_embeddings", .integer(maxPositions)),
      ("tie_word_embeddings", .bool(tieEmbeddings)),
      ("bos_token_id", bosToken.map { .integer($0) } ?? .null),
      ("eos_token_id", eosTokens.isEmpty ? .null : eosTokens.count == 1 ? .integer(eosTokens[0]) : .array(eosTokens.map { .integer($0) })),
    ]
    if let padToken { members.append(("pad_token_id", .integer(padToken))) }
    members.sort { Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8)) }
    return .object(JSONObject(members))
  }

  // MARK: - Reading

  private static func family(_ members: inout ConfigurationMembers) throws(ModelError) -> Family {
    let names = Family.allCases.map(\.rawValue).joined(separator: ", ")
    if let architecture = members.take("architectures")?.arrayValue?.first?.stringValue {
      guard let family = Family.allCases.first(where: { $0.architecture.utf8.elementsEqual(architecture.utf8) }) else {
        let names = Family.allCases.map(\.architecture).joined(separator: ", ")
        throw ModelError("architecture '\(architecture)' is not supported; supported: \(names)")
      }
      if let type = members.take("model_type")?.stringValue, !type.utf8.elementsEqual(family.rawValue.utf8) {
        throw ModelError("model_type '\(type)' contradicts architecture '\(architecture)'")
      }
      return family
    }
    guard let type = members.take("model_type")?.stringValue else {
      throw ModelError("config.json names no architecture ('architectures' or 'model_type')")
    }
    guard let family = Family.allCases.first(where: { $0.rawValue.utf8.elementsEqual(type.utf8) }) else {
      throw ModelError("model_type '\(type)' is not supported; supported: \(names)")
    }
    return family
  }

  private static func refuseUnsupported(_ members: inout ConfigurationMembers, family: Family) throws(ModelError) {
    if let activation = members.object["hidden_act"]?.stringValue, !activation.utf8.elementsEqual("silu".utf8) {
      throw ModelError("hidden_act '\(activation)' is not supported; supported: silu")
    }
    if family != .qwen2, try members.flag("attention_bias", default: false, keeping: true) {
      throw ModelError("attention_bias true is not supported for \(family.rawValue)")
    }
    for key in ["mlp_bias", "use_sliding_window", "rope_interleaved"] where try members.flag(key, default: false, keeping: true) {
      throw ModelError("\(key) true is not supported")
    }
    if let quantization = members.object["quantization_config"], quantization != .null {
      throw ModelError("quantization_config is not supported: the weights must be F32, F16 or BF16")
    }
    if let partial = members.object["partial_rotary_factor"]?.numberValue, partial != 1 {
      throw ModelError("partial_rotary_factor \(partial) is not supported; supported: 1")
    }
  }

  private static func rope(_ members: inout ConfigurationMembers, maxPositions: Int) throws(ModelError) -> (Double, RopeScaling?) {
    let old = members.take("rope_scaling")
    let parameters = members.take("rope_parameters")
    let outer = try members.positiveNumber("rope_theta", default: 10000)
    guard let object = (parameters?.objectValue ?? old?.objectValue) else { return (outer, nil) }
    var inner = ConfigurationMembers(object)
    let theta = try inner.positiveNumber("rope_theta", default: outer)
    let type = object["rope_type"]?.stringValue ?? object["type"]?.stringValue ?? "default"
    switch type {
    case "default":
      return (theta, nil)
    case "linear":
      return (theta, .linear(factor: try inner.positiveNumber("factor")))
    case "llama3":
      let scaling = RopeScaling.llama3(
        factor: try inner.positiveNumber("factor"),
        lowFrequencyFactor: try inner.positiveNumber("low_freq_factor"),
        highFrequencyFactor: try inner.positiveNumber("high_freq_factor"),
        originalMaxPositions: try inner.size("original_max_position_embeddings", default: maxPositions))
      return (theta, scaling)
    default:
      throw ModelError("rope_type '\(type)' is not supported; supported: default, linear, llama3")
    }
  }

  private func check() throws(ModelError) {
    if heads % keyValueHeads != 0 {
      throw ModelError("num_attention_heads \(heads) is not a multiple of num_key_value_heads \(keyValueHeads)")
    }
    if headDimension < 2 || headDimension % 2 != 0 { throw ModelError("head_dim \(headDimension) is not an even number above zero") }
    if headDimension > 256 { throw ModelError("head_dim \(headDimension) is not supported; at most 256 is") }
    for token in eosTokens + [bosToken, padToken].compactMap({ $0 }) where token >= vocabularySize {
      throw ModelError("token id \(token) lies outside the vocabulary of \(vocabularySize)")
    }
  }
}

extension RopeScaling {
  package var json: JSONValue {
    switch self {
    case .linear(let factor):
      .object(JSONObject([("factor", .number(factor)), ("rope_type", .string("linear"))]))
    case .llama3(let factor, let low, let high, let original):
      .object(
        JSONObject([
          ("factor", .number(factor)), ("high_freq_factor", .number(high)), ("low_freq_factor", .number(low)),
          ("original_max_position_embeddings", .integer(original)), ("rope_type", .string("llama3")),
        ]))
    }
  }
}

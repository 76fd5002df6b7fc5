import Glibc
import JSONValues

/// The configuration of a model, read from the metadata and the tensor list of its GGUF file.
struct GGUFConfiguration {
  let file: GGUFFile
  let architecture: String

  init(_ file: GGUFFile) throws(ModelError) {
    guard let architecture = file.metadata["general.architecture"]?.stringValue else {
      throw ModelError("has no general.architecture", file: file.path)
    }
    self.file = file
    self.architecture = architecture
  }

  func configuration() throws(ModelError) -> ModelConfiguration {
    guard let family = ModelConfiguration.Family.allCases.first(where: { $0.rawValue.utf8.elementsEqual(architecture.utf8) }) else {
      let known = ModelConfiguration.Family.allCases.map(\.rawValue).joined(separator: ", ")
      throw ModelError("has the architecture '\(architecture)', which is not supported; supported: \(known)", file: file.path)
    }
    let json = JSONValue.object(JSONObject(try members(family)))
    do throws(ModelError) {
      return try ModelConfiguration(json: json)
    } catch {
      throw ModelError(error.message, file: file.path)
    }
  }

  /// As config.json would give them.
  private func members(_ family: ModelConfiguration.Family) throws(ModelError) -> [(String, JSONValue)] {
    let hidden = try integer("embedding_length")
    let heads = try integer("attention.head_count")
    guard heads > 0 else { throw ModelError("\(architecture).attention.head_count must be positive, not \(heads)", file: file.path) }
    let headDimension = try optionalInteger("attention.key_length") ?? hidden / heads
    try checkRotation(headDimension)
    var members: [(String, JSONValue)] = [
      ("architectures", .array([.string(family.architecture)])),
      ("hidden_size", .integer(hidden)),
      ("intermediate_size", .integer(try integer("feed_forward_length"))),
      ("num_hidden_layers", .integer(try integer("block_count"))),
      ("num_attention_heads", .integer(heads)),
      ("num_key_value_heads", .integer(try optionalInteger("attention.head_count_kv") ?? heads)),
      ("head_dim", .integer(headDimension)),
      ("rms_norm_eps", .number(try number("attention.layer_norm_rms_epsilon"))),
      ("rope_theta", .number(try optionalNumber("rope.freq_base") ?? 10000)),
      ("max_position_embeddings", .integer(try integer("context_length"))),
      ("tie_word_embeddings", .bool(file["output.weight"] == nil)),
      ("vocab_size", .integer(try vocabularySize())),
    ]
    if let scaling = try ropeScaling() { members.append(("rope_scaling", scaling.json)) }
    for name in ["bos", "eos"] { members.append(("\(name)_token_id", try token(name) ?? .null)) }
    if let padding = try token("padding") { members.append(("pad_token_id", padding)) }
    return members
  }

  /// The rows of the embedding: the token list may be shorter, where the matrix was padded.
  private func vocabularySize() throws(ModelError) -> Int {
    guard let embedding = file["token_embd.weight"], embedding.shape.count == 2 else {
      throw ModelError("has no matrix 'token_embd.weight'", file: file.path)
    }
    return embedding.shape[0]
  }

  private func token(_ name: String) throws(ModelError) -> JSONValue? {
    guard let value = file.metadata["tokenizer.ggml.\(name)_token_id"] else { return nil }
    guard let id = value.integerValue else {
      throw ModelError("tokenizer.ggml.\(name)_token_id must be an integer, not \(value.encoded())", file: file.path)
    }
    return .integer(id)
  }

  private func checkRotation(_ headDimension: Int) throws(ModelError) {
    if let rotated = try optionalInteger("rope.dimension_count"), rotated != headDimension {
      throw ModelError("rotates \(rotated) of the \(headDimension) dimensions of a head; all or none is supported", file: file.path)
    }
    if let values = try optionalInteger("attention.value_length"), values != headDimension {
      throw ModelError("has heads of \(headDimension) for keys and \(values) for values; equal widths are supported", file: file.path)
    }
  }

  // MARK: - Rotary scaling

  private func ropeScaling() throws(ModelError) -> RopeScaling? {
    if let factors = file["rope_freqs.weight"] { return try llama3Scaling(factors) }
    guard let type = file.metadata["\(architecture).rope.scaling.type"]?.stringValue, type != "none" else { return nil }
    guard type == "linear" else {
      throw ModelError("has the rope scaling '\(type)', which is not supported; supported: none, linear, llama3", file: file.path)
    }
    return .linear(factor: try number("rope.scaling.factor"))
  }

  /// Llama 3.1 and later: the divisors of the frequencies are stored, not the parameters they came from. Every published model has the
  /// same three of four parameters, so the fourth is read off and all divisors are compared.
  private func llama3Scaling(_ tensor: GGUFFile.Tensor) throws(ModelError) -> RopeScaling {
    guard tensor.count <= 1 << 16 else { throw ModelError("'rope_freqs.weight' holds \(tensor.count) values: too many", file: file.path) }
    let divisors = try file.floats(of: tensor)
    let factor = divisors.max() ?? 1
    let scaling = RopeScaling.llama3(
      factor: Double(factor), lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192)
    let theta = try optionalNumber("rope.freq_base") ?? 10000
    for (index, divisor) in divisors.enumerated() {
      let frequency = pow(theta, -Double(index) / Double(divisors.count))
      guard abs(frequency / scaling.scaled(frequency) - Double(divisor)) <= 1e-4 * Double(divisor) else {
        throw ModelError("'rope_freqs.weight' holds divisors that are not those of Llama 3's rope scaling", file: file.path)
      }
    }
    return scaling
  }

  // MARK: - Metadata

  private func integer(_ key: String) throws(ModelError) -> Int {
    guard let value = try optionalInteger(key) else { throw ModelError("has no \(architecture).\(key)", file: file.path) }
    return value
  }

  /// A list with one entry a layer counts as its entry where all are the same.
  private func optionalInteger(_ key: String) throws(ModelError) -> Int? {
    guard let value = file.metadata["\(architecture).\(key)"] else { return nil }
    if let integer = value.integerValue { return integer }
    if let list = value.arrayValue, let first = list.first?.integerValue, list.allSatisfy({ $0.integerValue == first }) { return first }
    throw ModelError("\(architecture).\(key) must be one integer, not \(value.kindName)", file: file.path)
  }

  private func number(_ key: String) throws(ModelError) -> Double {
    guard let value = try optionalNumber(key) else { throw ModelError("has no \(architecture).\(key)", file: file.path) }
    return value
  }

  private func optionalNumber(_ key: String) throws(ModelError) -> Double? {
    guard let value = file.metadata["\(architecture).\(key)"] else { return nil }
    guard let number = value.numberValue else {
      throw ModelError("\(architecture).\(key) must be a number, not \(value.kindName)", file: file.path)
    }
    return number
  }
}

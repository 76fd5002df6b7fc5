import JSONValues

/// The tokenizer in a GGUF file's metadata, made into what tokenizer.json and tokenizer_config.json say of it.
///
/// It reads the metadata as JSON values by their GGUF names and knows nothing of the file they came from.
package struct GGUFVocabulary: Sendable {
  package let definition: TokenizerDefinition
  package let configuration: TokenizerConfiguration

  /// What `tokenizer.ggml.token_type` says of a token.
  private enum Kind: Int {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  /// - Parameter metadata: at least the members whose names begin with `tokenizer.`.
  package init(metadata: JSONObject) throws(TokenizerError) {
    let reader = Reader(metadata: metadata)
    let model = try reader.required("tokenizer.ggml.model")
    guard try model.string() == "gpt2" else {
      throw model.fault("tokenizer '\(try model.string())' is not supported; gpt2 (byte-level BPE) is")
    }
    let tokens = try reader.required("tokenizer.ggml.tokens").array()
    let kinds = try Self.kinds(reader, tokens.count)
    let pre = try Self.preTokenizer(reader)

    var vocabulary: [(token: String, id: Int32)] = []
    var added: [AddedToken] = []
    for (id, place) in tokens.enumerated() where kinds[id] != .unused {
      let text = try place.string()
      vocabulary.append((text, Int32(id)))
      if kinds[id] != .normal, kinds[id] != .byte {
        added.append(AddedToken(id: Int32(id), content: text, special: kinds[id] != .userDefined))
      }
    }
    var definition = TokenizerDefinition(preTokenizer: pre.steps, vocabulary: vocabulary, merges: try Self.merges(reader))
    definition.addedTokens = added
    definition.normalizer = pre.normalizer
    definition.ignoreMerges = pre.ignoreMerges

    func token(_ name: String) throws(TokenizerError) -> String? {
      guard let place = reader.optional("tokenizer.ggml.\(name)_token_id") else { return nil }
      let id = Int(try place.tokenID())
      guard id < tokens.count else { throw place.fault("id \(id) belongs to none of the \(tokens.count) tokens") }
      return try tokens[id].string()
    }
    configuration = TokenizerConfiguration(
      bosToken: try token("bos"), eosToken: try token("eos"), padToken: try token("padding"), unknownToken: try token("unknown"),
      chatTemplate: try reader.optional("tokenizer.chat_template")?.string())
    if try reader.optional("tokenizer.ggml.add_bos_token")?.bool() ?? pre.addsBOS, let bos = configuration.bosToken {
      definition.postProcessor = try Self.beginning(with: bos, try reader.required("tokenizer.ggml.bos_token_id").tokenID())
    }
    self.definition = definition
  }

  private struct Reader {
    let metadata: JSONObject

    func optional(_ key: String) -> JSONPlace? { metadata[key].map { JSONPlace($0, path: key) } }

    func required(_ key: String) throws(TokenizerError) -> JSONPlace {
      guard let place = optional(key) else { throw TokenizerError(path: key, message: "the file has no such metadata") }
      return place
    }
  }

  /// Files without types have plain tokens only.
  private static func kinds(_ reader: Reader, _ count: Int) throws(TokenizerError) -> [Kind] {
    guard let place = reader.optional("tokenizer.ggml.token_type") else { return Array(repeating: .normal, count: count) }
    let values = try place.array()
    guard values.count == count else { throw place.fault("\(values.count) types for \(count) tokens") }
    var kinds: [Kind] = []
    for value in values {
      guard let kind = value.value.integerValue.flatMap(Kind.init) else { throw value.fault("\(value.value.encoded()) is no token type") }
      kinds.append(kind)
    }
    return kinds
  }

  private static func merges(_ reader: Reader) throws(TokenizerError) -> [(left: String, right: String)] {
    var merges: [(left: String, right: String)] = []
    for place in try reader.required("tokenizer.ggml.merges").array() {
      guard let merge = TokenizerDefinition.pair(place.value) else {
        throw place.fault("expected a merge, \"a b\", found \(place.value.encoded())")
      }
      merges.append(merge)
    }
    return merges
  }

  // MARK: - The pre-tokenizer's name

  private struct Pre {
    let steps: PreTokenizer
    var normalizer = Normalizer.none
    var ignoreMerges = false
    var addsBOS = false
  }

  /// `default` is what converters wrote before they told pre-tokenizers apart: GPT-2's.
  private static func preTokenizer(_ reader: Reader) throws(TokenizerError) -> Pre {
    guard let place = reader.optional("tokenizer.ggml.pre") else { return Pre(steps: .gpt2) }
    switch try place.string() {
    case "smollm": return Pre(steps: .gpt2Digits)
    case "gpt-2", "default": return Pre(steps: .gpt2)
    case "qwen2": return Pre(steps: .qwen2, normalizer: .nfc)
    case "llama-bpe": return Pre(steps: .llama3, ignoreMerges: true, addsBOS: true)
    case let other: throw place.fault("pre-tokenizer '\(other)' is not supported; smollm, qwen2, llama-bpe, gpt-2 and default are")
    }
  }

  private static func beginning(with token: String, _ id: Int32) throws(TokenizerError) -> PostProcessor {
    let text: JSONValue = ["Sequence": ["id": "A", "type_id": 0]]
    let special: JSONValue = ["SpecialToken": ["id": .string(token), "type_id": 0]]
    let entry: JSONValue = ["id": .string(token), "ids": [.integer(Int(id))], "tokens": [.string(token)]]
    let second: JSONValue = ["Sequence": ["id": "B", "type_id": 1]]
    let json: JSONValue = [
      "type": "TemplateProcessing", "single": [special, text], "pair": [special, text, second],
      "special_tokens": .object(JSONObject([(token, entry)])),
    ]
    return try PostProcessor(JSONPlace(json))
  }
}

import JSONValues

/// What tokenizer_config.json adds to tokenizer.json: which tokens begin, end and pad a text, and the inline chat template.
package struct TokenizerConfiguration: Sendable, Equatable {
  package var bosToken: String?
  package var eosToken: String?
  package var padToken: String?
  package var unknownToken: String?
  package var chatTemplate: String?
  /// The longest text the model was made for, in tokens.
  package var modelMaxLength: Int?

  package init(
    bosToken: String? = nil, eosToken: String? = nil, padToken: String? = nil, unknownToken: String? = nil, chatTemplate: String? = nil,
    modelMaxLength: Int? = nil
  ) {
    self.bosToken = bosToken
    self.eosToken = eosToken
    self.padToken = padToken
    self.unknownToken = unknownToken
    self.chatTemplate = chatTemplate
    self.modelMaxLength = modelMaxLength
  }

  /// Tokens are written as strings or as `{"content": …}`; a template as a string or as a list of named ones, of which `default` counts.
  package init(json: JSONValue) throws(TokenizerError) {
    let place = JSONPlace(json)
    bosToken = try Self.token(place.optional("bos_token"))
    eosToken = try Self.token(place.optional("eos_token"))
    padToken = try Self.token(place.optional("pad_token"))
    unknownToken = try Self.token(place.optional("unk_token"))
    chatTemplate = try Self.template(place.optional("chat_template"))
    // Files without a limit say 1e30.
    modelMaxLength = json["model_max_length"]?.integerValue
  }

  /// Reads tokenizer_config.json of a model directory; without one nothing is said.
  package static func load(directory: String) throws(TokenizerError) -> TokenizerConfiguration {
    let path = TokenizerFiles.path(TokenizerFiles.configuration, in: directory)
    guard let json = try TokenizerFiles.readJSON(path) else { return TokenizerConfiguration() }
    do {
      return try TokenizerConfiguration(json: json)
    } catch {
      throw error.located(in: path)
    }
  }

  private static func token(_ place: JSONPlace) throws(TokenizerError) -> String? {
    if place.isNull { return nil }
    if place.value.objectValue != nil { return try place.required("content").string() }
    return try place.string()
  }

  private static func template(_ place: JSONPlace) throws(TokenizerError) -> String? {
    if place.isNull { return nil }
    guard place.value.arrayValue != nil else { return try place.string() }
    for named in try place.array() where try named.required("name").string().utf8.elementsEqual("default".utf8) {
      return try named.required("template").string()
    }
    throw place.fault("none of the templates is named 'default'")
  }

  // MARK: - Writing

  private var tokens: [(String, JSONValue)] {
    [("bos_token", bosToken), ("eos_token", eosToken), ("pad_token", padToken), ("unk_token", unknownToken)].compactMap { key, token in
      token.map { (key, .string($0)) }
    }
  }

  /// special_tokens_map.json
  package var specialTokensMap: JSONValue { .object(JSONObject(tokens)) }

  /// tokenizer_config.json for that tokenizer. The class is the one that takes tokenizer.json as it is; those named after a model put
  /// that model's pre-tokenizer in its place.
  package func json(_ definition: TokenizerDefinition) -> JSONValue {
    let decoder = definition.addedTokens.map { token -> (String, JSONValue) in
      var object = JSONObject(token.json.objectValue?.members.map { ($0.key, $0.value) } ?? [])
      object.set("id", nil)
      return (String(token.id), .object(object))
    }
    var object = JSONObject([("added_tokens_decoder", .object(JSONObject(decoder)))] + tokens)
    object.set("clean_up_tokenization_spaces", false)
    object.set("tokenizer_class", "PreTrainedTokenizerFast")
    if let modelMaxLength { object.set("model_max_length", .integer(modelMaxLength)) }
    if let chatTemplate { object.set("chat_template", .string(chatTemplate)) }
    return .object(object)
  }
}

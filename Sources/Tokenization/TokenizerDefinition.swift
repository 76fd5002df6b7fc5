import JSONValues

/// What a tokenizer.json says of a byte-level BPE tokenizer, as plain values. It encodes nothing: `Tokenizer` compiles it.
package struct TokenizerDefinition: Sendable {
  /// Ids index tables, so a damaged file must not ask for a table of any size.
  package static let idLimit = 1 << 24

  package var addedTokens: [AddedToken] = []
  package var normalizer = Normalizer.none
  package var preTokenizer: PreTokenizer
  package var postProcessor = PostProcessor.none
  /// The model's tokens in the byte alphabet, each with its id.
  package var vocabulary: [(token: String, id: Int32)]
  /// In order of rank.
  package var merges: [(left: String, right: String)]
  package var unknownToken: String?
  /// A run of unknown letters is one unknown token.
  package var fuseUnknown = false
  /// A word that is in the vocabulary is taken whole, whatever the merges make of it.
  package var ignoreMerges = false

  package init(preTokenizer: PreTokenizer, vocabulary: [(token: String, id: Int32)], merges: [(left: String, right: String)]) {
    self.preTokenizer = preTokenizer
    self.vocabulary = vocabulary
    self.merges = merges
  }
}

// MARK: - From tokenizer.json

extension TokenizerDefinition {
  package init(json: JSONValue) throws(TokenizerError) {
    let file = JSONPlace(json)
    let model = try file.required("model")
    try Self.checkKind(file, model)
    preTokenizer = try PreTokenizer(file.optional("pre_tokenizer"))
    normalizer = try Normalizer(file.optional("normalizer"))
    postProcessor = try PostProcessor(file.optional("post_processor"))
    vocabulary = try Self.vocabulary(model.required("vocab"))
    merges = try Self.merges(model.required("merges"))
    let unknown = try model.optional("unk_token")
    unknownToken = unknown.isNull ? nil : try unknown.string()
    fuseUnknown = try model.optional("fuse_unk").bool(orElse: false)
    ignoreMerges = try model.optional("ignore_merges").bool(orElse: false)
    let added = try file.optional("added_tokens")
    for place in added.isNull ? [] : try added.array() { addedTokens.append(try AddedToken(place)) }
  }

  /// Refuses every kind of model that is not plain byte-level BPE.
  private static func checkKind(_ file: JSONPlace, _ model: JSONPlace) throws(TokenizerError) {
    let type = try model.optional("type")
    if !type.isNull, try type.string() != "BPE" {
      throw type.fault("model type '\(try type.string())' is not supported; BPE is")
    }
    if try model.optional("byte_fallback").bool(orElse: false) {
      throw try model.optional("byte_fallback").fault("byte fallback is not supported; only byte-level BPE is")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      let affix = try model.optional(key)
      if !affix.isNull, try !affix.string().isEmpty { throw affix.fault("'\(try affix.string())' is not supported; only none is") }
    }
    if let dropout = try model.optional("dropout").value.numberValue, dropout != 0 {
      throw try model.optional("dropout").fault("dropout \(dropout) is not supported: the same text must give the same ids")
    }
    try checkDecoder(file.optional("decoder"))
  }

  private static func checkDecoder(_ decoder: JSONPlace) throws(TokenizerError) {
    if decoder.isNull { throw decoder.fault("there is none; byte-level BPE needs a ByteLevel decoder") }
    switch try decoder.required("type").string() {
    case "ByteLevel", "Fuse": return
    case "Sequence": for part in try decoder.required("decoders").array() { try checkDecoder(part) }
    case let other: throw try decoder.required("type").fault("decoder '\(other)' is not supported; ByteLevel and Sequence are")
    }
  }

  private static func vocabulary(_ place: JSONPlace) throws(TokenizerError) -> [(token: String, id: Int32)] {
    let members = try place.object().members
    var vocabulary: [(token: String, id: Int32)] = []
    vocabulary.reserveCapacity(members.count)
    for (token, value) in members {
      vocabulary.append((token, try JSONPlace(value, path: vocabularyPath(token)).tokenID()))
    }
    return vocabulary
  }

  static func vocabularyPath(_ token: String) -> String { "model.vocab[\(JSONValue.string(token).encoded())]" }

  /// Merges are written `"a b"` or `["a", "b"]`.
  private static func merges(_ place: JSONPlace) throws(TokenizerError) -> [(left: String, right: String)] {
    let values = try place.array().map(\.value)
    var merges: [(left: String, right: String)] = []
    merges.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let merge = pair(value) else {
        throw TokenizerError(path: "\(place.path)[\(index)]", message: #"expected a merge, "a b" or ["a", "b"], found \#(value.encoded())"#)
      }
      merges.append(merge)
    }
    return merges
  }

  /// The two parts of a merge. The space is looked for in bytes: a combining mark after it would hide it from `Character`.
  static func pair(_ value: JSONValue) -> (left: String, right: String)? {
    if let text = value.stringValue {
      let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
      return (String(Substring(parts[0])), String(Substring(parts[1])))
    }
    guard let parts = value.arrayValue, parts.count == 2, let left = parts[0].stringValue, let right = parts[1].stringValue else {
      return nil
    }
    return (left, right)
  }
}

// MARK: - To tokenizer.json

extension TokenizerDefinition {
  /// A complete tokenizer.json, as the `tokenizers` library reads it.
  package var json: JSONValue {
    [
      "version": "1.0",
      "truncation": nil,
      "padding": nil,
      "added_tokens": .array(addedTokens.map(\.json)),
      "normalizer": normalizer.json,
      "pre_tokenizer": preTokenizer.json,
      "post_processor": postProcessor.json,
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": [
        "type": "BPE",
        "dropout": nil,
        "unk_token": unknownToken.map { .string($0) } ?? .null,
        "continuing_subword_prefix": nil,
        "end_of_word_suffix": nil,
        "fuse_unk": .bool(fuseUnknown),
        "byte_fallback": false,
        "ignore_merges": .bool(ignoreMerges),
        "vocab": .object(JSONObject(vocabulary.map { ($0.token, .integer(Int($0.id))) })),
        "merges": .array(merges.map { .string($0.left + " " + $0.right) }),
      ],
    ]
  }
}

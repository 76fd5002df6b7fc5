import JSONValues

/// A server's completion, read with suspicion: whatever is not as it should be is one error.
package struct CompletionAnswer: Sendable, Equatable {
  package enum Finish: Sendable, Equatable {
    case stop
    case length
  }

  package struct Token: Sendable, Equatable {
    package let text: String
    /// Where it begins in the text, in code points; nil where the server does not say.
    package let offset: Int?
    /// nil for a first token, which nothing stands before.
    package let logProbability: Double?
    package let id: Int32?
  }

  package let text: String
  package let finish: Finish
  /// Empty where the server gives none.
  package let tokens: [Token]
  /// Ids that the server gives of the completion (`token_ids`), with what ended it; nil where it gives none.
  package let ids: [Int32]?
  package let promptIDs: [Int32]?

  /// - Throws: for an answer that is none.
  package init(_ json: JSONValue) throws(EndpointError) {
    guard let choices = json["choices"]?.arrayValue else { throw Self.fault("has no 'choices'") }
    guard choices.count == 1 else { throw Self.fault("has \(choices.count) choices where one was asked for") }
    let choice = choices[0]
    guard let text = choice["text"]?.stringValue ?? Self.content(choice) else { throw Self.fault("has a choice without text") }
    self.text = text
    finish = try Self.finish(choice["finish_reason"])
    tokens = try Self.tokens(choice["logprobs"] ?? .null)
    ids = try Self.ids(choice["token_ids"], "token_ids")
    promptIDs = try Self.ids(choice["prompt_token_ids"] ?? json["prompt_token_ids"], "prompt_token_ids")
  }

  /// A message without content is an empty one.
  private static func content(_ choice: JSONValue) -> String? {
    guard let message = choice["message"], message.objectValue != nil else { return nil }
    guard let content = message["content"], !content.isNull else { return "" }
    return content.stringValue
  }

  private static func finish(_ json: JSONValue?) throws(EndpointError) -> Finish {
    switch json?.stringValue {
    case "stop", "eos", "eos_token", "stop_sequence", "tool_calls": return .stop
    case "length", "max_tokens": return .length
    case let other?: throw fault("ended by '\(other.prefix(40))', neither stop nor length")
    case nil: throw fault("does not say why it ended ('finish_reason')")
    }
  }

  // MARK: - Tokens

  private static func tokens(_ json: JSONValue) throws(EndpointError) -> [Token] {
    if json.isNull { return [] }
    if let content = json["content"] { return try chatTokens(content) }
    guard let texts = json["tokens"]?.arrayValue, let values = json["token_logprobs"]?.arrayValue, texts.count == values.count else {
      throw fault("has 'logprobs' without 'tokens' and as many 'token_logprobs'")
    }
    let offsets = json["text_offset"]?.arrayValue
    guard offsets.map({ $0.count == texts.count }) ?? true else { throw fault("has another number of 'text_offset' than of tokens") }
    var tokens: [Token] = []
    for (place, text) in texts.enumerated() {
      guard let text = text.stringValue else { throw fault("has a token that is no text") }
      tokens.append(
        Token(text: text, offset: offsets?[place].integerValue, logProbability: try probability(values[place]), id: id(named: text)))
    }
    return tokens
  }

  private static func chatTokens(_ json: JSONValue) throws(EndpointError) -> [Token] {
    if json.isNull { return [] }
    guard let entries = json.arrayValue else { throw fault("has 'logprobs' whose 'content' is no list") }
    var tokens: [Token] = []
    for entry in entries {
      guard let text = entry["token"]?.stringValue, let value = entry["logprob"] else { throw fault("has a token without text or logprob") }
      tokens.append(Token(text: text, offset: nil, logProbability: try probability(value), id: id(named: text)))
    }
    return tokens
  }

  private static func probability(_ json: JSONValue) throws(EndpointError) -> Double? {
    if json.isNull { return nil }
    guard let value = json.numberValue, value.isFinite else { throw fault("has a log-probability that is no number") }
    guard value <= 1e-3 else { throw fault("has a log-probability of \(value), and none is above 0") }
    return min(value, 0)
  }

  /// vLLM's `return_tokens_as_token_ids`: `token_id:123`.
  private static func id(named text: String) -> Int32? {
    text.hasPrefix("token_id:") ? Int32(text.dropFirst("token_id:".count)).flatMap { $0 >= 0 ? $0 : nil } : nil
  }

  private static func ids(_ json: JSONValue?, _ name: String) throws(EndpointError) -> [Int32]? {
    guard let json, !json.isNull else { return nil }
    guard let values = json.arrayValue else { throw fault("has '\(name)' that is no list") }
    let ids = values.compactMap { $0.integerValue.flatMap { Int32(exactly: $0) } }.filter { $0 >= 0 }
    guard ids.count == values.count else { throw fault("has '\(name)' with something that is no token id") }
    return ids
  }

  private static func fault(_ what: String) -> EndpointError { EndpointError("the server's answer \(what)") }
}

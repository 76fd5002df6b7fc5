import Tokenization

/// A record's prompt as the tokens that a model is asked with. Rollouts, reinforcement fine-tuning and evaluation all go through here, so
/// they cannot drift apart.
package struct PromptEncoder: Sendable {
  package let codec: TextCodec
  package let format: PromptFormat
  /// Put the beginning mark before plain prompts; chat templates write their own.
  package let addsBeginning: Bool

  package init(_ codec: TextCodec, format: PromptFormat, addsBeginning: Bool = false) {
    self.codec = codec
    self.format = format
    self.addsBeginning = addsBeginning
  }

  package struct Encoded: Sendable, Equatable {
    /// As the model reads it.
    package let text: String
    /// At least one.
    package let ids: [Int32]
  }

  /// - Throws: for a record without a prompt, an empty prompt where the tokenizer has no token to begin with, and one whose tokens with
  ///   `newTokens` more would not fit `contextLength`.
  package func encode(_ record: Record, newTokens: Int, contextLength: Int) throws(DatasetError) -> Encoded {
    let text = try format.text(record, codec)
    let ids = try tokens(text, isChat: isChat(record))
    guard ids.count + newTokens <= contextLength else {
      throw DatasetError(
        "the prompt has \(ids.count) tokens; with \(newTokens) new ones that is more than the model's context of \(contextLength)")
    }
    return Encoded(text: text, ids: ids)
  }

  /// Whether the record goes through the chat template.
  package func isChat(_ record: Record) -> Bool {
    if case .messages = record.prompt { return true }
    return format.layout == .chat
  }

  package func tokens(_ text: String, isChat: Bool) throws(DatasetError) -> [Int32] {
    var ids = codec.encode(text)
    if addsBeginning, !isChat, let beginning = codec.beginning { ids.insert(beginning, at: 0) }
    if ids.isEmpty, let prefix = codec.prefixToken { ids = [prefix] }
    guard !ids.isEmpty else { throw DatasetError("the prompt is empty, and the tokenizer has no token to begin with") }
    return ids
  }
}

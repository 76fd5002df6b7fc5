/// Turns records into ids and marks, as TRL does: the completion is trained with the end of its turn or text, the prompt is not.
///
/// It knows texts and messages, not the forms of datasets or their files.
package struct RecordTokenizer: Sendable {
  /// Which turns of a conversation are trained.
  package enum Turns: Sendable {
    case all
    case assistant
  }

  private let tokenizer: Tokenizer
  private let template: ChatTemplate?
  private let endID: Int32?

  /// - Parameters:
  ///   - template: needed for messages.
  ///   - endID: follows plain text and plain completions; nil leaves them open.
  package init(tokenizer: Tokenizer, template: ChatTemplate?, endID: Int32?) {
    self.tokenizer = tokenizer
    self.template = template
    self.endID = endID
  }

  // MARK: - Plain text

  /// A text, every token of it trained.
  package func text(_ text: String) throws(RecordFault) -> TokenizedRecord {
    try checked(ended(tokenizer.encode(text, addSpecialTokens: true)), from: 0)
  }

  package func promptAndCompletion(_ prompt: String, _ completion: String) throws(RecordFault) -> TokenizedRecord {
    let promptIDs = plain(prompt)
    let ids = plain(prompt + completion)
    try check(promptIDs, isPrefixOf: ids)
    return try checked(ended(ids), from: promptIDs.count)
  }

  /// A prompt alone, for generation.
  package func prompt(_ text: String) -> [Int32] { plain(text) }

  /// With what the post-processor puts before a text, without what it puts after.
  private func plain(_ text: String) -> [Int32] { tokenizer.before + tokenizer.encode(text) }

  private func ended(_ ids: [Int32]) -> [Int32] {
    guard let endID, ids.last != endID else { return ids }
    return ids + [endID]
  }

  // MARK: - Conversations

  /// The completion's messages are trained, from the first letter after the beginning of the assistant's turn to the end.
  package func promptAndCompletion(_ prompt: [ChatMessage], _ completion: [ChatMessage]) throws(RecordFault) -> TokenizedRecord {
    let ids = try rendered(prompt + completion, addGenerationPrompt: false)
    return try checked(ids, from: try prefixCount(of: prompt, in: ids))
  }

  /// A conversation with all of it trained, or the assistant's turns.
  package func conversation(_ messages: [ChatMessage], training turns: Turns) throws(RecordFault) -> TokenizedRecord {
    let ids = try rendered(messages, addGenerationPrompt: false)
    guard turns == .assistant else { return try checked(ids, from: 0) }
    var trained = [Bool](repeating: false, count: ids.count)
    for (turn, message) in messages.enumerated() where message.role.utf8.elementsEqual("assistant".utf8) {
      let start = try prefixCount(of: Array(messages[..<turn]), in: ids)
      let end = turn + 1 == messages.count ? ids.count : try rendered(Array(messages[...turn]), addGenerationPrompt: false).count
      guard start <= end, end <= ids.count else { throw .templateRewritesPrompt(turn: turn) }
      for position in start..<end { trained[position] = true }
    }
    guard trained.contains(true) else { throw .nothingTrained }
    return TokenizedRecord(ids: ids, trained: trained)
  }

  /// A conversation that waits for the assistant, for generation.
  package func prompt(_ messages: [ChatMessage]) throws(RecordFault) -> [Int32] { try rendered(messages, addGenerationPrompt: true) }

  /// How many of `ids` belong to the prompt: its messages and the beginning of the assistant's turn.
  private func prefixCount(of prompt: [ChatMessage], in ids: [Int32]) throws(RecordFault) -> Int {
    let promptIDs = try rendered(prompt, addGenerationPrompt: true)
    try check(promptIDs, isPrefixOf: ids)
    return promptIDs.count
  }

  private func rendered(_ messages: [ChatMessage], addGenerationPrompt: Bool) throws(RecordFault) -> [Int32] {
    guard let template else { throw .template(TokenizerError(message: "the tokenizer has no chat template, which messages need")) }
    do {
      return tokenizer.encode(try template.render(messages: messages, addGenerationPrompt: addGenerationPrompt))
    } catch {
      throw .template(error)
    }
  }

  // MARK: - Checks

  private func check(_ prompt: [Int32], isPrefixOf ids: [Int32]) throws(RecordFault) {
    if ids.starts(with: prompt) { return }
    let position = zip(prompt, ids).prefix { $0 == $1 }.count
    throw .promptIsNoPrefix(position: position, near: tokenizer.decode(prompt[max(0, position - 4)...].prefix(8)))
  }

  /// Everything from `start` on is trained.
  private func checked(_ ids: [Int32], from start: Int) throws(RecordFault) -> TokenizedRecord {
    guard start < ids.count else { throw .nothingTrained }
    return TokenizedRecord(ids: ids, trained: ids.indices.map { $0 >= start })
  }
}

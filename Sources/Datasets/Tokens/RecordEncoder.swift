import Tokenization

/// One record as tokens, with the targets of the loss marked. Knows nothing of files and of the other records.
package struct RecordEncoder: Sendable {
  /// What follows the prompt, and is trained.
  package enum Target: String, Sendable, CaseIterable {
    /// The record's completion, with whatever reasoning it has; its answer where it has none.
    case completion
    /// The answer alone.
    case answer
  }

  package struct Encoded: Sendable, Equatable {
    package var ids: [Int32]
    package var trained: [Bool]
  }

  package let codec: TextCodec
  package let format: PromptFormat
  /// Train the completion alone (of a conversation: what the assistant says); false trains every token.
  package let completionOnlyLoss: Bool
  /// Put the beginning mark before plain records; chat templates write their own.
  package let addsBeginning: Bool
  /// Put the end mark behind plain records.
  package let addsEnd: Bool
  package let target: Target

  package init(
    _ codec: TextCodec, format: PromptFormat, completionOnlyLoss: Bool = true, addsBeginning: Bool = false, addsEnd: Bool = true,
    target: Target = .completion
  ) {
    self.codec = codec
    self.format = format
    self.completionOnlyLoss = completionOnlyLoss
    self.addsBeginning = addsBeginning
    self.addsEnd = addsEnd
    self.target = target
  }

  /// - Throws: for a record without a trained token, one whose prompt's tokens are no prefix of all tokens, one whose end would not be trained.
  package func encode(_ record: Record) throws(DatasetError) -> Encoded {
    var encoded = try targets(of: record)
    if !completionOnlyLoss { encoded.trained = encoded.trained.indices.map { $0 > 0 } }
    guard encoded.trained.dropFirst().contains(true) else { throw DatasetError("the record has no token to train") }
    return encoded
  }

  private func targets(of record: Record) throws(DatasetError) -> Encoded {
    switch record.content {
    case .text(let text):
      var encoded = Encoded(ids: beginning, trained: beginning.map { _ in false })
      encoded.append(codec.encode(text) + end, trained: true)
      return encoded
    case .conversation(let messages) where format.layout != .plain && target == .completion:
      return try conversation(format.opened(messages), answersFrom: 0)
    case .conversation, .prompted:
      let target = try target(of: record)
      switch try format.prepare(record) {
      case .plain(let prompt): return try plain(prompt, target.plainText)
      case .chat(let prompt): return try conversation(prompt + target.turns, answersFrom: prompt.count)
      }
    }
  }

  private func target(of record: Record) throws(DatasetError) -> Utterance {
    if target == .answer {
      guard let answer = record.answers.first else { throw DatasetError("the record has no answer to train on") }
      return .text(answer)
    }
    if let completion = record.completion { return completion }
    guard let answer = record.answers.first else { throw DatasetError("the record has neither a completion nor an answer to train on") }
    return .text(answer)
  }

  // MARK: - Plain

  private var beginning: [Int32] { addsBeginning ? codec.beginning.map { [$0] } ?? [] : [] }
  private var end: [Int32] { addsEnd ? codec.end.map { [$0] } ?? [] : [] }

  private func plain(_ prompt: String, _ completion: String) throws(DatasetError) -> Encoded {
    let asked = codec.encode(PromptFormat.withoutTrailingSpaces(prompt))
    let whole = codec.encode(prompt + completion)
    guard whole.starts(with: asked) else { throw Self.unaligned }
    var encoded = Encoded(ids: beginning + asked, trained: (beginning + asked).map { _ in false })
    encoded.append(whole.dropFirst(asked.count) + end, trained: true)
    return encoded
  }

  private static let unaligned = DatasetError(
    "the prompt's tokens are no prefix of those of prompt and completion: let the completion begin with a space, or set a delimiter")

  // MARK: - Chat

  /// Every assistant turn from there on is a target, up to and with the mark that ends it.
  private func conversation(_ messages: [ChatMessage], answersFrom first: Int) throws(DatasetError) -> Encoded {
    guard let last = messages.lastIndex(where: { $0.role == "assistant" }), last >= first else {
      throw DatasetError("the conversation has no turn of the assistant to train on")
    }
    let ids = codec.encode(try codec.rendered(Array(messages[...last]), addGenerationPrompt: false))
    var encoded = Encoded(ids: ids, trained: ids.map { _ in false })
    for turn in first...last where messages[turn].role == "assistant" {
      let asked = codec.encode(try codec.rendered(Array(messages[..<turn]), addGenerationPrompt: true))
      let answered = codec.encode(try codec.rendered(Array(messages[...turn]), addGenerationPrompt: false))
      guard ids.starts(with: asked), ids.starts(with: answered), asked.count < answered.count else { throw Self.unaligned }
      guard let end = ids[asked.count..<answered.count].lastIndex(where: { $0 == codec.end }) else {
        throw DatasetError(
          "the end of turn \(turn + 1) would not be trained: the chat template does not close it with the model's end token")
      }
      for index in asked.count...end { encoded.trained[index] = true }
    }
    let kept = (encoded.trained.lastIndex(of: true) ?? -1) + 1
    encoded.ids.removeSubrange(kept...)
    encoded.trained.removeSubrange(kept...)
    return encoded
  }
}

extension RecordEncoder.Encoded {
  mutating func append(_ tokens: some Collection<Int32>, trained flag: Bool) {
    ids += tokens
    trained += repeatElement(flag, count: tokens.count)
  }
}

extension Utterance {
  /// As turns of the assistant, where they are not turns yet.
  var turns: [ChatMessage] {
    switch self {
    case .text(let text): [ChatMessage(role: "assistant", content: text)]
    case .messages(let messages): messages
    }
  }
}

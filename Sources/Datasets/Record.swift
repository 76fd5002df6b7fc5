import JSONValues
import Tokenization

/// One record in the form everything downstream works with, whatever form its row had. Knows nothing of tokens and of files.
package struct Record: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    /// Plain text, trained and measured from its first byte to its last.
    case text(String)
    /// A conversation; its assistant turns are what a model should say.
    case conversation([ChatMessage])
    /// A prompt and what should follow it; without a completion it is only asked.
    case prompted(Utterance, completion: Utterance?)
  }

  package var content: Content
  /// The right answers; a completion that gives any of them is right. Empty where nothing can be checked.
  package var answers: [String] = []
  package var verify: VerifyRule?
  /// Of a multiple-choice record, with the index of the right one.
  package var choices: [String] = []
  package var gold: Int?
  /// The row's other columns, in their order.
  package var extras = JSONObject()

  package init(
    _ content: Content, answers: [String] = [], verify: VerifyRule? = nil, choices: [String] = [], gold: Int? = nil,
    extras: JSONObject = JSONObject()
  ) {
    self.content = content
    self.answers = answers
    self.verify = verify
    self.choices = choices
    self.gold = gold
    self.extras = extras
  }

  /// What the model is asked: a conversation up to its last assistant turn; nil for plain text.
  package var prompt: Utterance? {
    switch content {
    case .text: nil
    case .prompted(let prompt, _): prompt
    case .conversation(let messages): .messages(Array(messages.prefix(upTo: Self.lastAnswer(messages) ?? messages.count)))
    }
  }

  /// What should follow the prompt, where the record says it.
  package var completion: Utterance? {
    switch content {
    case .text: nil
    case .prompted(_, let completion): completion
    case .conversation(let messages): Self.lastAnswer(messages).map { .text(messages[$0].content) }
    }
  }

  private static func lastAnswer(_ messages: [ChatMessage]) -> Int? {
    messages.last?.role == "assistant" ? messages.count - 1 : nil
  }

  /// What makes two records the same question: the bytes of the prompt, of the conversation before its answer, or of the text.
  package var question: [UInt8] {
    switch content {
    case .text(let text): Array("t\0\(text)".utf8)
    case .conversation, .prompted: prompt.map { Array($0.json.encoded().utf8) } ?? []
    }
  }
}

extension Utterance {
  package var json: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .messages(let messages): .array(messages.map(\.json))
    }
  }
}

extension ChatMessage {
  package var json: JSONValue { .object(JSONObject([("role", .string(role)), ("content", .string(content))])) }
}

extension Record {
  /// The row as Heirloom writes it, members in one fixed order: prompt, completion (or messages, or text), choices, gold, answer, verify, then
  /// the other columns. `Record(row:)` reads it back as the same record.
  package var json: JSONValue {
    var row = JSONObject()
    switch content {
    case .text(let text): row.append("text", .string(text))
    case .conversation(let messages): row.append("messages", .array(messages.map(\.json)))
    case .prompted(let prompt, let completion):
      row.append("prompt", prompt.json)
      if let completion { row.append("completion", completion.json) }
    }
    if !choices.isEmpty { row.append("choices", .array(choices.map { .string($0) })) }
    if let gold { row.append("gold", .integer(gold)) }
    if answers.count == 1 { row.append("answer", .string(answers[0])) }
    if answers.count > 1 { row.append("answer", .array(answers.map { .string($0) })) }
    if let verify { row.append("verify", verify.json) }
    for member in extras.members { row.append(member.key, member.value) }
    return .object(row)
  }
}

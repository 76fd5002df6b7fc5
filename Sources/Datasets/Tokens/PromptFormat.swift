import Tokenization

/// How a record's prompt becomes the text a model reads. Training and evaluation both go through here, so they cannot drift apart.
package struct PromptFormat: Sendable, Equatable {
  package enum Layout: String, Sendable, CaseIterable {
    /// Conversations through the chat template, strings as they are.
    case auto
    /// Everything through the chat template: a string is a user's turn.
    case chat
    /// Nothing through it: strings as they are; a record of messages is an error.
    case plain
  }

  package var layout: Layout
  /// A system turn for conversations that begin without one.
  package var system: String?
  package var template: PromptTemplate
  /// Between a plain prompt and what follows it.
  package var delimiter: String

  package init(_ layout: Layout = .auto, system: String? = nil, template: String = "{prompt}", delimiter: String = "") throws(DatasetError)
  {
    self.layout = layout
    self.system = system
    self.template = try PromptTemplate(template)
    self.delimiter = delimiter
  }

  /// A prompt ready to be encoded.
  package enum Prepared: Sendable, Equatable {
    /// Text, the delimiter behind it.
    case plain(String)
    case chat([ChatMessage])
  }

  package func prepare(_ record: Record) throws(DatasetError) -> Prepared {
    switch (record.prompt, layout) {
    case (nil, _): throw DatasetError("the record has no prompt")
    case (.text(let text), .chat):
      return .chat(opened([ChatMessage(role: "user", content: try template.fill(prompt: text, record: record))]))
    case (.text(let text), _): return .plain(try template.fill(prompt: text, record: record) + delimiter)
    case (.messages, .plain): throw DatasetError("the record is a conversation, and the format is plain")
    case (.messages(let messages), _): return .chat(opened(try filled(messages, record)))
    }
  }

  /// The template goes into the last turn.
  private func filled(_ messages: [ChatMessage], _ record: Record) throws(DatasetError) -> [ChatMessage] {
    guard !template.isPlain, let last = messages.last else { return messages }
    return messages.dropLast() + [ChatMessage(role: last.role, content: try template.fill(prompt: last.content, record: record))]
  }

  func opened(_ messages: [ChatMessage]) -> [ChatMessage] {
    guard let system, messages.first?.role != "system" else { return messages }
    return [ChatMessage(role: "system", content: system)] + messages
  }

  /// The text in front of an answer. Spaces at the end of a plain prompt belong to what follows, as byte-level tokens begin with theirs.
  package func text(_ record: Record, _ codec: TextCodec) throws(DatasetError) -> String {
    switch try prepare(record) {
    case .plain(let text): return Self.withoutTrailingSpaces(text)
    case .chat(let messages): return try codec.rendered(messages, addGenerationPrompt: true)
    }
  }

  package static func withoutTrailingSpaces(_ text: String) -> String {
    let bytes = text.utf8
    let end = bytes.lastIndex { $0 != 0x20 }.map { bytes.index(after: $0) } ?? bytes.startIndex
    return String(text[..<end])
  }
}

extension TextCodec {
  func rendered(_ messages: [ChatMessage], addGenerationPrompt: Bool) throws(DatasetError) -> String {
    guard let render else { throw DatasetError("the record is to go through a chat template, and the tokenizer has none") }
    return try render(messages, addGenerationPrompt)
  }
}

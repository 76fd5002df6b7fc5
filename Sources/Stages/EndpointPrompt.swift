import Datasets
import Endpoint
import JSONValues
import StageInterface
import Tokenization

/// A record as a server is asked it: a text, or turns that the server puts through its own chat template.
struct EndpointPrompt {
  let prompt: CompletionQuestion.Prompt
  /// What the model reads, as far as it is known here: the text, or the turns as JSON.
  let text: String
  /// Where a tokenizer is there.
  let ids: [Int32]?

  /// - Throws: for a conversation that nothing makes a text of, and for a text that is to be none.
  init(_ record: Record, _ format: PromptFormat, isChat: Bool, _ codec: TextCodec?) throws(DatasetError) {
    let prepared = try format.prepare(record)
    if isChat {
      guard format.layout != .plain else {
        throw DatasetError("the format is plain, and the endpoint's api is chat, which puts everything through a template")
      }
      let turns = Self.turns(prepared, format)
      prompt = .messages(turns.map { ($0.role, $0.content) })
      let messages = turns.map { JSONValue.object(JSONObject([("role", .string($0.role)), ("content", .string($0.content))])) }
      text = JSONValue.array(messages).encoded()
      ids = try codec.flatMap { codec throws(DatasetError) -> [Int32]? in
        try codec.render.map { render throws(DatasetError) in codec.encode(try render(turns, true)) }
      }
    } else {
      let text = try Self.text(prepared, format, record, codec)
      prompt = .text(text)
      self.text = text
      ids = codec?.encode(text)
    }
  }

  private static func turns(_ prepared: PromptFormat.Prepared, _ format: PromptFormat) -> [ChatMessage] {
    switch prepared {
    case .chat(let messages): return messages
    case .plain(let text):
      let system = format.system.map { [ChatMessage(role: "system", content: $0)] } ?? []
      return system + [ChatMessage(role: "user", content: text)]
    }
  }

  private static func text(
    _ prepared: PromptFormat.Prepared, _ format: PromptFormat, _ record: Record, _ codec: TextCodec?
  ) throws(DatasetError) -> String {
    switch (prepared, codec) {
    case (.plain(let text), _): return PromptFormat.withoutTrailingSpaces(text)
    case (.chat, let codec?): return try format.text(record, codec)
    case (.chat, nil):
      throw DatasetError("the record is a conversation: give the input 'tokenizer', whose chat template makes it a text, or say api: chat")
    }
  }
}

extension StageContext {
  /// The tokenizer beside a server: the input of that name, or that of the model which is served.
  func endpointCodec() throws -> TextCodec? {
    guard let path = optionalInput("tokenizer") ?? optionalInput("model") else { return nil }
    return try TokenizerDirectory(path: path).codec()
  }
}

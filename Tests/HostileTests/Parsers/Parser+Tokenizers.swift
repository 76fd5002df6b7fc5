import JSONValues
import Tokenization

extension Parser {
  /// Tokenizers and chat templates.
  static let tokenizers: [Parser] = [tokenizer, tokenizerConfiguration, template]

  private static let texts = [
    "", "Hello world, it's 1234 o'clock!\r\n\n  \t¿Qué tal? ½ ﬃ e\u{301} 日本語 👩‍👩‍👧 <|im_start|>user<|im_end|>",
    String(repeating: "ab", count: 200),
  ]

  private static let tokenizer = Parser("tokenizer", longest: 16384) { bytes in
    let json = try JSONValue(parsing: bytes)
    let tokenizer = try Tokenizer(json: json)
    for text in texts {
      for special in [true, false] {
        let ids = tokenizer.encode(text, addSpecialTokens: special, parseSpecial: special)
        precondition(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize }, "an id lies outside of the vocabulary")
        _ = tokenizer.decode(ids)
        _ = tokenizer.decode(ids, skipSpecialTokens: true)
      }
    }
    _ = try TokenizerDefinition(json: json).json.encoded()
  }

  private static let messages = [
    ChatMessage(role: "system", content: "Be brief."), ChatMessage(role: "user", content: "Hi <b>'\"\n{{ x }}"),
    ChatMessage(role: "assistant", content: "é"),
  ]

  private static func render(_ template: ChatTemplate) throws {
    _ = try template.render(messages: messages, addGenerationPrompt: true)
    _ = try template.render(messages: [], addGenerationPrompt: false)
  }

  private static let tokenizerConfiguration = Parser("tokenizer-config") { bytes in
    let configuration = try TokenizerConfiguration(json: try JSONValue(parsing: bytes))
    guard let source = configuration.chatTemplate else { return }
    try render(try ChatTemplate(source: source, tokens: configuration))
  }

  private static let template = Parser("chat-template", longest: 4096) { bytes in
    let tokens = TokenizerConfiguration(bosToken: "<s>", eosToken: "</s>")
    try render(try ChatTemplate(source: String(decoding: bytes, as: UTF8.self), tokens: tokens))
  }
}

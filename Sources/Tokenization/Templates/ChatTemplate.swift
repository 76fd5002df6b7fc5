import JSONValues

/// How a model's makers write a conversation as one text: the Jinja template beside the model, run here.
///
/// ChatML in all its spellings (with a default system message or without) and other templates that keep to the supported part of Jinja
/// give the bytes that `transformers` gives. Anything else is refused when the template is loaded, by file and line. The clock is not
/// there: a template that asks whether `strftime_now` is defined takes its fixed date, so the same messages give the same text every day.
package struct ChatTemplate: Sendable {
  /// The template's own text.
  package let source: String
  /// Where it was read; nil when it was given as text.
  package let file: String?
  /// Set when chat_template.jinja and tokenizer_config.json hold different templates: the first one wins.
  package let warning: String?
  private let statements: [TemplateStatement]
  /// Statements take some thirty times as much memory as their text.
  private static let longest = 1 << 20
  private let specialTokens: [String: TemplateValue]

  /// - Parameter tokens: the special tokens that the template may name (`bos_token`, …).
  package init(source: String, tokens: TokenizerConfiguration = TokenizerConfiguration(), file: String? = nil) throws(TokenizerError) {
    try self.init(source: source, tokens: tokens, file: file, warning: nil)
  }

  private init(source: String, tokens: TokenizerConfiguration, file: String?, warning: String?) throws(TokenizerError) {
    self.source = source
    self.file = file
    self.warning = warning
    let named = [
      ("bos_token", tokens.bosToken), ("eos_token", tokens.eosToken), ("pad_token", tokens.padToken), ("unk_token", tokens.unknownToken),
    ]
    specialTokens = Dictionary(uniqueKeysWithValues: named.compactMap { name, token in token.map { (name, .string($0)) } })
    guard source.utf8.count <= Self.longest else {
      throw TokenizerError(file: file, path: "chat template", message: "has more than \(Self.longest) bytes")
    }
    do {
      statements = try TemplateParser.parse(source)
    } catch {
      throw Self.error(error, file)
    }
  }

  /// The template of a model directory: chat_template.jinja, else the one in tokenizer_config.json. Nil when it has none.
  package static func load(directory: String) throws(TokenizerError) -> ChatTemplate? {
    let configuration = try TokenizerConfiguration.load(directory: directory)
    let path = TokenizerFiles.path(TokenizerFiles.template, in: directory)
    let configurationPath = TokenizerFiles.path(TokenizerFiles.configuration, in: directory)
    if let bytes = try TokenizerFiles.read(path) {
      let differs = configuration.chatTemplate.map { !$0.utf8.elementsEqual(bytes) } ?? false
      let warning = differs ? "\(path) is used; the template in \(configurationPath) is another one" : nil
      return try ChatTemplate(source: String(decoding: bytes, as: UTF8.self), tokens: configuration, file: path, warning: warning)
    }
    guard let source = configuration.chatTemplate else { return nil }
    return try ChatTemplate(source: source, tokens: configuration, file: configurationPath)
  }

  /// The conversation as text, with the beginning of an assistant's turn at its end when asked for.
  package func render(messages: [ChatMessage], addGenerationPrompt: Bool) throws(TokenizerError) -> String {
    var variables = specialTokens
    variables["messages"] = .list(messages.map { .mapping([("role", .string($0.role)), ("content", .string($0.content))]) })
    variables["add_generation_prompt"] = .bool(addGenerationPrompt)
    variables["tools"] = TemplateValue.none
    variables["documents"] = TemplateValue.none
    do {
      return try TemplateRenderer.render(statements, variables)
    } catch {
      throw Self.error(error, file)
    }
  }

  private static func error(_ fault: TemplateFault, _ file: String?) -> TokenizerError {
    TokenizerError(file: file, path: "chat template, line \(fault.line)", message: fault.message)
  }
}

extension ChatTemplate {
  /// ChatML with no default system message, for tokenizers that are trained here.
  package static let chatML = """
    {%- for message in messages -%}
    {{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
    {%- endfor -%}
    {%- if add_generation_prompt -%}
    {{ '<|im_start|>assistant\\n' }}
    {%- endif -%}
    """
}

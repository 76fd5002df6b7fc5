import Tokenization

/// Text to tokens and back as one model wants it: its tokenizer, its chat template, its marks for the beginning and the end of a text.
package struct TextCodec: Sendable {
  package let encode: @Sendable (String) -> [Int32]
  /// Special tokens are left out.
  package let decode: @Sendable ([Int32]) -> String
  /// A conversation as the model's text, with the head of an answer behind it where asked; nil for a model without a chat template.
  package let render: (@Sendable ([ChatMessage], _ addGenerationPrompt: Bool) throws(DatasetError) -> String)?
  /// Begins a text (`bos`).
  package let beginning: Int32?
  /// Ends a text, and a turn (`eos`).
  package let end: Int32?

  package init(
    encode: @escaping @Sendable (String) -> [Int32], decode: @escaping @Sendable ([Int32]) -> String,
    render: (@Sendable ([ChatMessage], _ addGenerationPrompt: Bool) throws(DatasetError) -> String)? = nil, beginning: Int32? = nil,
    end: Int32? = nil
  ) {
    self.encode = encode
    self.decode = decode
    self.render = render
    self.beginning = beginning
    self.end = end
  }

  /// What stands before the first token of a text whose likelihood is measured: the beginning, or else the end, as in lm-eval.
  package var prefixToken: Int32? { beginning ?? end }
}

extension TextCodec {
  package init(
    _ tokenizer: Tokenizer, _ configuration: TokenizerConfiguration,
    render: (@Sendable ([ChatMessage], _ addGenerationPrompt: Bool) throws(DatasetError) -> String)? = nil
  ) {
    self.init(
      encode: { tokenizer.encode($0) }, decode: { tokenizer.decode($0, skipSpecialTokens: true) }, render: render,
      beginning: configuration.bosToken.flatMap { tokenizer.id($0) }, end: configuration.eosToken.flatMap { tokenizer.id($0) })
  }
}

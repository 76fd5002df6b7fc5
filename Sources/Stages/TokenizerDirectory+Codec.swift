import Datasets
import Tokenization

extension TokenizerDirectory {
  /// Texts to tokens and conversations to texts, as this tokenizer and its chat template do it.
  func codec() throws -> TextCodec {
    let tokenizer = try Tokenizer.load(directory: path)
    let configuration = try TokenizerConfiguration.load(directory: path)
    guard let template = try ChatTemplate.load(directory: path) else { return TextCodec(tokenizer, configuration) }
    return TextCodec(tokenizer, configuration) { messages, addGenerationPrompt throws(DatasetError) in
      do { return try template.render(messages: messages, addGenerationPrompt: addGenerationPrompt) } catch {
        throw DatasetError("\(error)")
      }
    }
  }
}

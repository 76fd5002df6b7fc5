import Datasets
import StageInterface
import Tokenization

/// `tokenizer/train`: byte-level BPE from the texts of datasets, with a ChatML template.
package struct TokenizerTrain: NativeStage {
  package static let name = "tokenizer/train"

  package struct Parameters: Decodable, Sendable {
    let vocabSize: Int
    let minFrequency: Int
    let preTokenizer: String
    let specialTokens: [String]
    let modelMaxLength: Int
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    var trainer = trainer(parameters.preTokenizer)
    for source in context.inputs("data") {
      try RecordFile(RecordsPath.of(source)).read { record, _ throws(DatasetError) in
        for text in record.texts { trainer.add(text) }
      }
    }
    let options = BytePairTrainer.Options(
      vocabularySize: parameters.vocabSize, minFrequency: parameters.minFrequency, specialTokens: parameters.specialTokens)
    let definition = try trainer.train(options) { context.progress(done: $0, of: $1) }
    try TokenizerDirectory.write(definition, configuration(parameters), to: try context.output("tokenizer"))
    context.log("\(definition.vocabulary.count) tokens from \(trainer.wordCount) different words")
  }

  private static func trainer(_ name: String) -> BytePairTrainer {
    switch name {
    case "gpt2": BytePairTrainer(preTokenizer: .gpt2)
    case "qwen2": BytePairTrainer(preTokenizer: .qwen2, normalizer: .nfc)
    case "llama3": BytePairTrainer(preTokenizer: .llama3)
    default: BytePairTrainer(preTokenizer: .gpt2Digits)
    }
  }

  /// The first special token begins and ends texts and pads; with ChatML's marks among them there is a chat template as well, whose end of
  /// a turn is then the end of everything.
  private static func configuration(_ parameters: Parameters) -> TokenizerConfiguration {
    let tokens = parameters.specialTokens
    let isChat = ["<|im_start|>", "<|im_end|>"].allSatisfy(tokens.contains)
    return TokenizerConfiguration(
      bosToken: tokens.first, eosToken: isChat ? "<|im_end|>" : tokens.first, padToken: tokens.first,
      chatTemplate: isChat ? chatML : nil, modelMaxLength: parameters.modelMaxLength)
  }

  private static let chatML =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
}

extension Record {
  /// Every text in it, as a tokenizer should learn them: prompt and completion as one.
  fileprivate var texts: [String] {
    switch content {
    case .text(let text): [text]
    case .conversation(let messages): messages.map(\.content)
    case .prompted(let prompt, let completion): [prompt.plainText + (completion?.plainText ?? "")]
    }
  }
}

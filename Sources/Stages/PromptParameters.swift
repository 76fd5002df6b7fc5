import Datasets
import Modeling
import Reinforcement
import StageInterface

/// How prompts are asked and answered: what `rollout` and `train/rft` share.
struct PromptParameters: Decodable, Sendable {
  let format: String
  let system: String?
  let template: String
  let delimiter: String
  let addBos: Bool
  let maxCompletionLength: Int

  func promptFormat() throws -> PromptFormat {
    try PromptFormat(PromptFormat.Layout(rawValue: format) ?? .auto, system: system, template: template, delimiter: delimiter)
  }

  func encoder(_ codec: TextCodec) throws -> PromptEncoder { PromptEncoder(codec, format: try promptFormat(), addsBeginning: addBos) }

  /// The prompts of all elements, in order; errors name file and line.
  func prompts(_ elements: [StageOrder.Element], _ codec: TextCodec, _ configuration: ModelConfiguration, limit: Int? = nil) throws
    -> [AskedPrompt]
  {
    let encoder = try encoder(codec)
    var prompts: [AskedPrompt] = []
    for element in elements {
      let file = RecordFile(RecordsPath.of(element))
      try file.read { record, line throws(DatasetError) in
        if let limit, prompts.count >= limit { return }
        prompts.append(try asked(record, at: (file.name, line), encoder, configuration))
      }
    }
    guard !prompts.isEmpty else { throw StageFailure("there is no prompt", file: elements.first?.path) }
    return prompts
  }

  /// One prompt.
  ///
  /// - Parameter form: what the model reads in the record's place.
  func asked(
    _ record: Record, as form: Record? = nil, at place: (file: String, line: Int), _ encoder: PromptEncoder,
    _ configuration: ModelConfiguration
  ) throws(DatasetError) -> AskedPrompt {
    do throws(DatasetError) {
      try Rollout.check(record)
      let encoded = try encoder.encode(form ?? record, newTokens: maxCompletionLength, contextLength: configuration.maxPositions)
      return AskedPrompt(record: record, text: encoded.text, ids: encoded.ids, place: "\(place.file):\(place.line)")
    } catch { throw error.located(file: place.file, line: place.line) }
  }
}

extension ModelConfiguration {
  /// Tokens that end a completion: the model's, and the tokenizer's own.
  func endTokens(_ codec: TextCodec) -> Set<Int32> { Set(eosTokens.map { Int32($0) } + [codec.end].compactMap { $0 }) }
}

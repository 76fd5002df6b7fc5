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

  /// The prompts of all elements, in order; errors name file and line.
  func prompts(_ elements: [StageOrder.Element], _ codec: TextCodec, _ configuration: ModelConfiguration, limit: Int? = nil) throws
    -> [AskedPrompt]
  {
    let encoder = PromptEncoder(
      codec,
      format: try PromptFormat(PromptFormat.Layout(rawValue: format) ?? .auto, system: system, template: template, delimiter: delimiter),
      addsBeginning: addBos)
    var prompts: [AskedPrompt] = []
    for element in elements {
      let file = RecordFile(RecordsPath.of(element))
      try file.read { record, line throws(DatasetError) in
        if let limit, prompts.count >= limit { return }
        try Rollout.check(record)
        let encoded = try encoder.encode(record, newTokens: maxCompletionLength, contextLength: configuration.maxPositions)
        prompts.append(AskedPrompt(record: record, text: encoded.text, ids: encoded.ids, place: "\(file.name):\(line)"))
      }
    }
    guard !prompts.isEmpty else { throw StageFailure("there is no prompt", file: elements.first?.path) }
    return prompts
  }
}

extension ModelConfiguration {
  /// Tokens that end a completion: the model's, and the tokenizer's own.
  func endTokens(_ codec: TextCodec) -> Set<Int32> { Set(eosTokens.map { Int32($0) } + [codec.end].compactMap { $0 }) }
}

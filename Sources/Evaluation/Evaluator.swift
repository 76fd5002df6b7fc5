import Datasets
import Tokenization

/// Asks a model the records of a suite. What is asked, and so every score, is a function of model, suite and the parameters below. How many
/// records go at once is the model's business and moves nothing.
package struct Evaluator {
  package let model: any LanguageModel
  package let codec: TextCodec
  package var layout = PromptFormat.Layout.auto
  package var system: String?
  /// Put the beginning mark before plain prompts.
  package var addsBeginning = false
  /// Sampling of generation suites; the suite sets length and stops.
  package var temperature = 0.0
  package var topK: Int?
  package var topP: Double?
  package var seed: UInt64 = 0
  /// Called with (done, all) as the model goes along; may throw to stop it.
  package var progress: (Int, Int) throws -> Void = { _, _ in }

  package init(_ model: any LanguageModel, _ codec: TextCodec) {
    self.model = model
    self.codec = codec
  }

  /// - Throws: `DatasetError` for a record that cannot be asked, with its place in the suite; whatever the model throws.
  package func evaluate(_ suite: Suite) throws -> SuiteResult {
    let format = try PromptFormat(layout, system: system, template: suite.promptTemplate, delimiter: suite.delimiter)
    switch suite.scoring {
    case .generation(_, let maxNewTokens, let stop): return try generate(suite, format, maxNewTokens, stop)
    case .multipleChoice: return try choose(suite, format)
    case .perplexity: return try measure(suite)
    }
  }

  // MARK: - Kinds

  private func generate(_ suite: Suite, _ format: PromptFormat, _ maxNewTokens: Int, _ stop: [String]) throws -> SuiteResult {
    let encoder = encoder(format)
    var prompts: [String] = []
    var requests: [[Int32]] = []
    for (index, record) in suite.records.enumerated() {
      try located(index) {
        let prompt = try encoder.encode(record, newTokens: maxNewTokens, contextLength: model.contextLength)
        prompts.append(prompt.text)
        requests.append(prompt.ids)
      }
    }
    let options = GenerationOptions(maxNewTokens: maxNewTokens, stop: stop, temperature: temperature, topK: topK, topP: topP, seed: seed)
    let answers = try model.generate(requests, options) { done in try progress(done, requests.count) }
    let completions = answers.map { answer in
      WrittenAnswer(text: Self.cut(codec.decode(answer.ids), at: stop), isComplete: answer.isComplete)
    }
    return try SuiteResult(scoring: completions, of: suite, prompts: prompts)
  }

  private func choose(_ suite: Suite, _ format: PromptFormat) throws -> SuiteResult {
    let encoder = encoder(format)
    var prompts: [String] = []
    var requests: [LikelihoodRequest] = []
    for (index, record) in suite.records.enumerated() {
      try located(index) {
        let context = try contextText(record, format)
        prompts.append(context)
        for choice in record.choices {
          let request = try Choice.request(
            context: context, continuation: choice, codec, addsBeginning: addsBeginning && !encoder.isChat(record))
          try fits(request.context.count + request.continuation.count)
          requests.append(request)
        }
      }
    }
    let sums = try logProbabilities(requests).map { $0.reduce(0, +) }
    var next = 0
    let own = suite.records.map { record in
      defer { next += record.choices.count }
      return Array(sums[next..<next + record.choices.count])
    }
    return SuiteResult(choosing: own, of: suite, prompts: prompts)
  }

  private func measure(_ suite: Suite) throws -> SuiteResult {
    guard let prefix = codec.prefixToken else { throw DatasetError("the tokenizer has no token that a text could begin with") }
    var requests: [LikelihoodRequest] = []
    var owners: [Int] = []
    var texts: [String] = []
    for (index, record) in suite.records.enumerated() {
      try located(index) {
        guard case .text(let text) = record.content else { throw DatasetError("a record of a perplexity suite needs 'text'") }
        let tokens = codec.encode(text)
        guard !tokens.isEmpty else { throw DatasetError("the text has no tokens") }
        let windows = RollingWindows.requests(tokens, prefix: prefix, contextLength: model.contextLength)
        requests += windows
        owners += windows.map { _ in index }
        texts.append(text)
      }
    }
    let logs = try logProbabilities(requests)
    var sums = [Double](repeating: 0, count: texts.count)
    var tokens = [Int](repeating: 0, count: texts.count)
    for (owner, values) in zip(owners, logs) {
      sums[owner] = values.reduce(sums[owner], +)
      tokens[owner] += values.count
    }
    let results = suite.records.enumerated().map { index, record in
      let outcome = RecordResult.Outcome.measured(
        logLikelihood: sums[index], tokens: tokens[index], bytes: texts[index].utf8.count, words: Perplexity.words(in: texts[index]))
      return RecordResult(index: index, record: record, prompt: "", outcome: outcome)
    }
    return SuiteResult(suite: suite, results: results)
  }

  private func logProbabilities(_ requests: [LikelihoodRequest]) throws -> [[Double]] {
    try model.logProbabilities(requests) { done in try progress(done, requests.count) }
  }

  // MARK: - Asking

  /// The prompt and the delimiter; a chat template needs none.
  private func contextText(_ record: Record, _ format: PromptFormat) throws(DatasetError) -> String {
    if case .plain(let text) = try format.prepare(record) { return text }
    return try format.text(record, codec)
  }

  private func encoder(_ format: PromptFormat) -> PromptEncoder { PromptEncoder(codec, format: format, addsBeginning: addsBeginning) }

  private func fits(_ count: Int) throws(DatasetError) {
    guard count <= model.contextLength else {
      throw DatasetError("\(count) tokens are needed, and the model's context has \(model.contextLength)")
    }
  }

  private func located(_ index: Int, _ body: () throws -> Void) throws {
    do { try body() } catch let error as DatasetError { throw error.located(file: Suite.recordsName, line: index + 1) }
  }

  /// The text before the first stop text in it.
  private static func cut(_ text: String, at stops: [String]) -> String {
    let bytes = Array(text.utf8)
    let end = stops.filter { !$0.isEmpty }.compactMap { bytes.firstRange(of: Array($0.utf8))?.lowerBound }.min()
    return end.map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? text
  }
}

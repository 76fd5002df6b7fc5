import Datasets
import Tokenization

/// Asks a model the records of a suite. What is asked, and so every score, is a function of model, suite and the parameters below; how many
/// records go at once is not among them.
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
  /// Sequences a call; for speed alone.
  package var batchSize = 32
  /// Called with (done, all) after each batch.
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
    var prompts: [String] = []
    var requests: [GenerationRequest] = []
    for (index, record) in suite.records.enumerated() {
      try located(index) {
        let text = try format.text(record, codec)
        let ids = try promptTokens(text, isChat: isChat(record))
        try fits(ids.count + 1)
        prompts.append(text)
        requests.append(GenerationRequest(prompt: ids, stream: index))
      }
    }
    let options = GenerationOptions(maxNewTokens: maxNewTokens, stop: stop, temperature: temperature, topK: topK, topP: topP, seed: seed)
    let answers = try batched(requests, length: { $0.prompt.count }) { try model.generate($0, options) }
    let completions = answers.map { answer in
      Completion(text: Self.cut(codec.decode(answer.ids), at: stop), isComplete: answer.isComplete)
    }
    return try SuiteResult(scoring: completions, of: suite, prompts: prompts)
  }

  private func choose(_ suite: Suite, _ format: PromptFormat) throws -> SuiteResult {
    var prompts: [String] = []
    var requests: [LikelihoodRequest] = []
    for (index, record) in suite.records.enumerated() {
      try located(index) {
        let context = try contextText(record, format)
        prompts.append(context)
        for choice in record.choices {
          let request = try Choice.request(
            context: context, continuation: choice, codec, addsBeginning: addsBeginning && !isChat(record))
          try fits(request.context.count + request.continuation.count)
          requests.append(request)
        }
      }
    }
    let sums = try batched(requests, length: Self.length) { try model.logProbabilities($0) }.map { $0.reduce(0, +) }
    var next = 0
    let results = suite.records.enumerated().map { index, record in
      defer { next += record.choices.count }
      let own = Array(sums[next..<next + record.choices.count])
      return RecordResult(index: index, record: record, prompt: prompts[index], outcome: .chosen(logLikelihoods: own))
    }
    return SuiteResult(suite: suite, results: results)
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
    let logs = try batched(requests, length: Self.length) { try model.logProbabilities($0) }
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

  // MARK: - Asking

  private func isChat(_ record: Record) -> Bool {
    if case .messages = record.prompt { return true }
    return layout == .chat
  }

  /// The prompt and the delimiter; a chat template needs none.
  private func contextText(_ record: Record, _ format: PromptFormat) throws(DatasetError) -> String {
    if case .plain(let text) = try format.prepare(record) { return text }
    return try format.text(record, codec)
  }

  private func promptTokens(_ text: String, isChat: Bool) throws(DatasetError) -> [Int32] {
    var ids = codec.encode(text)
    if addsBeginning, !isChat, let beginning = codec.beginning { ids.insert(beginning, at: 0) }
    if ids.isEmpty, let prefix = codec.prefixToken { ids = [prefix] }
    guard !ids.isEmpty else { throw DatasetError("the prompt is empty, and the tokenizer has no token to begin with") }
    return ids
  }

  private func fits(_ count: Int) throws(DatasetError) {
    guard count <= model.contextLength else {
      throw DatasetError("\(count) tokens are needed, and the model's context has \(model.contextLength)")
    }
  }

  private func located(_ index: Int, _ body: () throws -> Void) throws {
    do { try body() } catch let error as DatasetError { throw error.located(file: Suite.recordsName, line: index + 1) }
  }

  private static func length(_ request: LikelihoodRequest) -> Int { request.context.count + request.continuation.count }

  /// Answers in the order of the requests; asked longest first, so that a batch holds sequences of like length.
  private func batched<Request, Answer>(_ requests: [Request], length: (Request) -> Int, _ ask: ([Request]) throws -> [Answer]) throws -> [Answer] {
    let lengths = requests.map(length)
    let order = requests.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    var answers = [Answer?](repeating: nil, count: requests.count)
    for start in stride(from: 0, to: order.count, by: max(1, batchSize)) {
      let places = order[start..<min(start + max(1, batchSize), order.count)]
      let batch = try ask(places.map { requests[$0] })
      precondition(batch.count == places.count, "\(places.count) requests got \(batch.count) answers")
      for (place, answer) in zip(places, batch) { answers[place] = answer }
      try progress(min(start + max(1, batchSize), order.count), order.count)
    }
    return answers.compactMap { $0 }
  }

  /// The text before the first stop text in it.
  private static func cut(_ text: String, at stops: [String]) -> String {
    let bytes = Array(text.utf8)
    let end = stops.filter { !$0.isEmpty }.compactMap { bytes.firstRange(of: Array($0.utf8))?.lowerBound }.min()
    return end.map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? text
  }
}

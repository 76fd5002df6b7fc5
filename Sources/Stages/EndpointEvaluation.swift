import Datasets
import Endpoint
import Evaluation
import Foundation
import StageInterface

/// A suite asked of a server: generation by its texts, multiple choice by the log-probabilities of a prompt that it echoes.
struct EndpointEvaluation {
  let session: EndpointSession
  let parameters: Evaluate.Parameters

  func evaluate(_ suite: Suite, _ context: StageContext) throws -> SuiteResult {
    guard !parameters.addBos else { throw StageFailure("add_bos: a server puts the beginning mark by its own rules") }
    let format = try PromptFormat(
      PromptFormat.Layout(rawValue: parameters.format) ?? .auto, system: parameters.system, template: suite.promptTemplate,
      delimiter: suite.delimiter)
    let codec = try context.endpointCodec()
    switch suite.scoring {
    case .generation(_, let maxNewTokens, let stop):
      return try generate(suite, try prompts(suite, format, codec), maxNewTokens, stop, context)
    case .multipleChoice:
      guard !session.parameters.isChat else {
        throw cannot(suite, "api chat gives no log-probabilities of a prompt; say api: completions")
      }
      return try choose(suite, format, codec, context)
    case .perplexity: throw cannot(suite, "a server does not say them of a text from its first token on; give the stage the input 'model'")
    }
  }

  private func cannot(_ suite: Suite, _ why: String) -> StageFailure {
    StageFailure("suite '\(suite.name)' is scored by log-likelihood (\(suite.scoring.kind)), and \(why)")
  }

  private func prompts(_ suite: Suite, _ format: PromptFormat, _ codec: TextCodec?) throws -> [EndpointPrompt] {
    try suite.records.enumerated().map { index, record in
      do throws(DatasetError) { return try EndpointPrompt(record, format, isChat: session.parameters.isChat, codec) } catch {
        throw error.located(file: Suite.recordsName, line: index + 1)
      }
    }
  }

  // MARK: - Generation

  private func generate(
    _ suite: Suite, _ prompts: [EndpointPrompt], _ maxNewTokens: Int, _ stop: [String], _ context: StageContext
  ) throws -> SuiteResult {
    let asked = prompts.enumerated().map { index, prompt in
      var question = session.question(prompt.prompt, maxTokens: maxNewTokens)
      question.temperature = parameters.temperature
      question.topK = parameters.topK ?? 0
      question.topP = parameters.topP ?? 1
      question.stop = stop
      question.seed = StableHash.of([String(parameters.seed), String(index)])
      return EndpointSession.Asked(question: question, place: Self.place(index))
    }
    let completions = try session.answers(asked, context) { _, answer in
      WrittenAnswer(text: StopTexts.cut(answer.text, at: stop), isComplete: answer.finish == .stop)
    }
    return try SuiteResult(scoring: completions, of: suite, prompts: prompts.map(\.text))
  }

  private static func place(_ index: Int) -> String { "\(Suite.recordsName):\(index + 1)" }

  // MARK: - Multiple choice

  private func choose(_ suite: Suite, _ format: PromptFormat, _ codec: TextCodec?, _ context: StageContext) throws -> SuiteResult {
    var contexts: [String] = []
    var asked: [EndpointSession.Asked] = []
    var choices: [Choice] = []
    for (index, record) in suite.records.enumerated() {
      let text: String
      do throws(DatasetError) { text = try self.context(record, format, codec) } catch {
        throw error.located(file: Suite.recordsName, line: index + 1)
      }
      contexts.append(text)
      for choice in record.choices {
        let whole = text + choice
        // A token more, for servers that give none but with one; it is no part of the choice.
        var question = session.question(.text(whole), maxTokens: 1)
        question.echo = true
        asked.append(EndpointSession.Asked(question: question, place: Self.place(index)))
        choices.append(Choice(whole: whole, start: text.withoutTrailingWhitespace.unicodeScalars.count))
      }
    }
    var sums = try session.answers(asked, context) { index, answer in
      do throws(Choice.Fault) { return try choices[index].logLikelihood(answer) } catch {
        throw cannot(suite, "\(asked[index].place): the server \(error.what)")
      }
    }[...]
    let own = suite.records.map { record in
      defer { sums = sums.dropFirst(record.choices.count) }
      return Array(sums.prefix(record.choices.count))
    }
    return SuiteResult(choosing: own, of: suite, prompts: contexts)
  }

  /// The prompt and the delimiter; a chat template needs none.
  private func context(_ record: Record, _ format: PromptFormat, _ codec: TextCodec?) throws(DatasetError) -> String {
    if case .plain(let text) = try format.prepare(record) { return text }
    return try EndpointPrompt(record, format, isChat: false, codec).text
  }

  /// A choice behind its prompt, in code points: spaces at the prompt's end belong to the choice.
  private struct Choice {
    struct Fault: Error {
      let what: String
    }

    let whole: String
    let start: Int

    /// Σ log p of the tokens that reach into the choice.
    func logLikelihood(_ answer: CompletionAnswer) throws(Fault) -> Double {
      guard !answer.tokens.isEmpty else {
        throw Fault(what: "gave no log-probabilities; one that echoes a prompt with them is needed, as vllm serve and llama.cpp's are")
      }
      guard answer.text.hasPrefix(whole) else {
        throw Fault(what: "did not echo the prompt, so its log-probabilities are not those of the choice")
      }
      let offsets = answer.tokens.compactMap(\.offset)
      guard offsets.count == answer.tokens.count, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else {
        throw Fault(what: "does not say where its tokens stand ('text_offset')")
      }
      let end = whole.unicodeScalars.count
      var sum = 0.0
      var count = 0
      for (place, token) in answer.tokens.enumerated() where offsets[place] < end {
        let next = place + 1 < offsets.count ? offsets[place + 1] : answer.text.unicodeScalars.count
        guard min(next, end) > start else { continue }
        guard let value = token.logProbability else { throw Fault(what: "gave no log-probability of a choice's token") }
        sum += value
        count += 1
      }
      guard count > 0 else { throw Fault(what: "has no token for a choice") }
      return sum
    }
  }
}

import Datasets
import Endpoint
import Evaluation
import Foundation
import Generation
import Reinforcement
import StageInterface

/// Completions as a server gives them: one request each, with a seed of its own, so that what is asked does not depend on how often it was.
struct EndpointRollouts {
  let session: EndpointSession
  let prompting: PromptParameters
  let sampling: SamplingParameters
  let greedy: Bool

  private struct Asked {
    let prompt: AskedPrompt
    let form: EndpointPrompt
  }

  /// The rollouts, and the prompts with their places.
  func rollouts(limit: Int?, _ context: StageContext) throws -> (rollouts: [Rollout], prompts: [AskedPrompt]) {
    guard !prompting.addBos else { throw StageFailure("add_bos: a server puts the beginning mark by its own rules") }
    let codec = try context.endpointCodec()
    let asked = try prompts(limit, codec, context)
    let perPrompt = sampling.numGenerations + (greedy ? 1 : 0)
    let questions = asked.indices.flatMap { place in
      (0..<perPrompt).map {
        EndpointSession.Asked(question: question(asked[place].form, place, $0), place: asked[place].prompt.place ?? "")
      }
    }
    let answers = try session.answers(questions, context) { index, answer in
      let asked = asked[index / perPrompt]
      guard let prompt = answer.promptIDs ?? asked.form.ids else { throw noTokens(asked) }
      return (prompt: prompt, sample: try sample(answer, asked, codec))
    }
    let rollouts = asked.enumerated().map { place, asked in
      rollout(asked, Array(answers[place * perPrompt..<(place + 1) * perPrompt]))
    }
    let unknown = rollouts.count { !$0.samples.allSatisfy(\.hasLogProbabilities) }
    if unknown > 0 { context.log("\(unknown) of \(rollouts.count) prompts have completions without log-probabilities") }
    return (rollouts, asked.map(\.prompt))
  }

  private func prompts(_ limit: Int?, _ codec: TextCodec?, _ context: StageContext) throws -> [Asked] {
    let format = try prompting.promptFormat()
    var asked: [Asked] = []
    let elements = context.inputs("prompts")
    for element in elements {
      let file = RecordFile(RecordsPath.of(element))
      try file.read { record, line throws(DatasetError) in
        if let limit, asked.count >= limit { return }
        do throws(DatasetError) {
          try Rollout.check(record)
          let form = try EndpointPrompt(record, format, isChat: session.parameters.isChat, codec)
          let prompt = AskedPrompt(record: record, text: form.text, ids: form.ids ?? [], place: "\(file.name):\(line)")
          asked.append(Asked(prompt: prompt, form: form))
        } catch { throw error.located(file: file.name, line: line) }
      }
    }
    guard !asked.isEmpty else { throw StageFailure("there is no prompt", file: elements.first?.path) }
    return asked
  }

  /// The last of a prompt's completions is the greedy one, where there is one.
  private func question(_ form: EndpointPrompt, _ prompt: Int, _ sample: Int) -> CompletionQuestion {
    var question = session.question(form.prompt, maxTokens: prompting.maxCompletionLength)
    question.temperature = sample < sampling.numGenerations ? sampling.temperature : 0
    question.topP = sampling.topP
    question.topK = sampling.topK
    question.minP = sampling.minP
    question.minTokens = sampling.minCompletionLength
    question.stop = sampling.stop
    question.seed = StableHash.of([String(sampling.seed), String(prompt), String(sample)])
    question.wantsTokens = session.parameters.logProbabilities
    return question
  }

  // MARK: - Answers

  private func rollout(_ asked: Asked, _ answers: [(prompt: [Int32], sample: Rollout.Sample)]) -> Rollout {
    let samples = answers.map(\.sample)
    return Rollout(
      record: asked.prompt.record, promptText: asked.prompt.text, promptIDs: answers.first?.prompt ?? [], temperature: sampling.temperature,
      samples: Array(samples.prefix(sampling.numGenerations)), greedy: greedy ? samples.last : nil)
  }

  /// Tokens as the server gives them; else those of the text, without log-probabilities, for nobody knows how the server cut it.
  private func sample(_ answer: CompletionAnswer, _ asked: Asked, _ codec: TextCodec?) throws -> Rollout.Sample {
    let named = answer.tokens.compactMap(\.id)
    let given = answer.ids ?? (named.count == answer.tokens.count && !named.isEmpty ? named : nil)
    let text = StopTexts.cut(answer.text, at: sampling.stop)
    let finish: Completion.Finish = answer.finish == .stop ? .stop : .length
    if let given {
      let logs = answer.tokens.compactMap(\.logProbability).map { Float($0) }
      // Servers say them of the distribution at temperature 1, before anything is cut off, and so are ours.
      let isMeasured = sampling.temperature == 0 || sampling.temperature == 1
      return Rollout.Sample(
        text: text, ids: given, logProbabilities: isMeasured && logs.count == given.count ? logs : [], finish: finish)
    }
    guard let codec else { throw noTokens(asked) }
    let end = finish == .stop && sampling.stop.isEmpty ? [codec.end].compactMap { $0 } : []
    return Rollout.Sample(text: text, ids: codec.encode(text) + end, logProbabilities: [], finish: finish)
  }

  private func noTokens(_ asked: Asked) -> StageFailure {
    StageFailure(
      "\(asked.prompt.place ?? ""): the server gives no token ids (token_ids); give the stage the input 'tokenizer', which makes them")
  }
}

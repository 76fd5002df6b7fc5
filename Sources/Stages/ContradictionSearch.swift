import Datasets
import Evaluation
import Kernels
import Modeling
import Reinforcement
import StageInterface

/// Asks a model what it says to records by itself, and how likely it finds their targets.
struct ContradictionSearch {
  let directory: String
  let prompting: PromptParameters
  /// For all records; each one's own where nil.
  let rule: VerifyRule?
  let bounds: ContradictionSurvey.Bounds
  let stop: [String]
  let sequencesAtOnce: Int

  func survey(_ records: [Record], _ places: [String], _ context: StageContext) throws -> ContradictionSurvey {
    let codec = try TokenizerDirectory(path: directory).codec()
    let pool = ThreadPool(threads: context.threads)
    let model = try ModelDirectory.load(directory, pool: pool)
    let encoder = try prompting.encoder(codec)
    let targets = RecordEncoder(codec, format: try prompting.promptFormat(), addsBeginning: prompting.addBos)
    var asked: [Int] = []
    var prompts: [AskedPrompt] = []
    var requests: [LikelihoodRequest] = []
    var judges = RecordJudges(rule)
    for (index, record) in records.enumerated() where record.prompt != nil {
      guard try judges.isRight("", record) != nil else { continue }
      do throws(DatasetError) {
        let encoded = try targets.encode(record)
        let prompt = try encoder.encode(
          record, newTokens: max(prompting.maxCompletionLength, encoded.trained.count { $0 }),
          contextLength: model.configuration.maxPositions)
        try Rollout.check(record)
        prompts.append(AskedPrompt(record: record, text: prompt.text, ids: prompt.ids, place: places[index]))
        requests.append(Self.request(encoded))
      } catch { throw StageFailure("\(places[index]): \(error)") }
      asked.append(index)
    }

    let transformer = Transformer(ModelWeights.packed(model.configuration, model.arena, pool: pool, release: true), pool: pool)
    let endTokens = model.configuration.endTokens(codec)
    var sampler = RolloutSampler(
      codec, sampling: .init(temperature: 1), maxNewTokens: prompting.maxCompletionLength, endTokens: endTokens,
      sequencesAtOnce: sequencesAtOnce)
    sampler.stop = stop
    let rollouts = try JournaledRollouts(sampler: sampler, samples: 0, greedy: true, directory: directory)
      .rollouts(transformer, prompts, context)
    let likelihoods = try EngineModel(transformer, codec, endTokens: endTokens).logProbabilities(requests) { _ in
      if context.stopRequested { throw StageInterrupted() }
    }
    let readings = rollouts.enumerated().compactMap { place, rollout in
      rollout.greedy.map { answer in
        ContradictionSurvey.Reading(
          record: asked[place], answer: WrittenAnswer(text: answer.text, isComplete: answer.finish == .stop),
          answerLogProbabilities: answer.logProbabilities.map(Double.init), targetLogProbabilities: likelihoods[place])
      }
    }
    return try ContradictionSurvey(readings, of: records, rule: rule, bounds: bounds, unjudged: records.count - asked.count)
  }

  /// The last run of trained tokens, given everything before it.
  private static func request(_ encoded: RecordEncoder.Encoded) -> LikelihoodRequest {
    let end = (encoded.trained.lastIndex(of: true) ?? 0) + 1
    let start = (encoded.trained[..<end].lastIndex(of: false) ?? -1) + 1
    return LikelihoodRequest(context: Array(encoded.ids[..<start]), continuation: Array(encoded.ids[start..<end]))
  }
}

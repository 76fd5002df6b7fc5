import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import StageInterface

/// `rollout`: a model's answers to prompts, several for each, scored.
package struct RolloutStage: NativeStage {
  package static let name = "rollout"

  package struct Parameters: Decodable, Sendable {
    let prompting: PromptParameters
    let sampling: SamplingParameters
    let own: Own

    package init(from decoder: any Decoder) throws {
      prompting = try PromptParameters(from: decoder)
      sampling = try SamplingParameters(from: decoder)
      own = try Own(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let greedy: Bool
    let limit: Int?
    let rewards: [JSONValue]
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let directory = try context.input("model")
    let codec = try TokenizerDirectory(path: directory).codec()
    let rewards = try RewardSum(parameters.own.rewards, programPath: context.optionalInput("reward_program"), log: context.log)
    let pool = ThreadPool(threads: context.threads)
    let transformer = try ServedModel.load(directory, context, pool)
    let configuration = transformer.configuration
    let prompts = try parameters.prompting.prompts(context.inputs("prompts"), codec, configuration, limit: parameters.own.limit)
    let sampler = sampler(parameters, codec, configuration)

    let journal = try RolloutJournal(context.checkpointDirectory + "/rollouts.jsonl", prompts: prompts.count)
    let missing = prompts.indices.filter { journal[$0] == nil }
    let started = ContinuousClock.now
    let perPrompt = parameters.sampling.numGenerations + (parameters.own.greedy ? 1 : 0)
    let done = (prompts.count - missing.count) * perPrompt
    var failure: (any Error)?
    let isWhole = try sampler.sample(
      transformer, missing.map { prompts[$0] }, numbers: missing, samples: parameters.sampling.numGenerations,
      greedy: parameters.own.greedy,
      progress: { progress in
        context.progress(done: done + progress.finished, of: prompts.count * perPrompt)
        if progress.steps % 16 == 0 { report(progress.tokens, since: started, context) }
        return failure == nil && !context.stopRequested
      },
      onFinished: { place, rollout in
        guard rollout.isFinite else {
          failure = failure ?? StageFailure("the model's log-probabilities are not finite: its weights are spoilt", file: directory)
          return
        }
        do { try journal.append(missing[place], rollout) } catch { failure = error }
      })
    if let failure { throw failure }
    guard isWhole else {
      try journal.synchronize()
      throw StageInterrupted()
    }
    let scored = try context.scoring { try journal.rollouts().scored(by: rewards, of: prompts) }
    try rewards.close()
    try RolloutFile.write(scored, to: try context.output("rollouts"))
    let statistics = RolloutStatistics(scored, rewards: rewards.names)
    try Data((statistics.json.encoded() + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("statistics")))
    for (name, value) in statistics.named where !value.isNaN { context.metric(step: 0, name, value) }
  }

  private static func sampler(_ parameters: Parameters, _ codec: TextCodec, _ configuration: ModelConfiguration) -> RolloutSampler {
    var sampler = RolloutSampler(
      codec, sampling: parameters.sampling.settings, maxNewTokens: parameters.prompting.maxCompletionLength,
      endTokens: configuration.endTokens(codec), sequencesAtOnce: parameters.sampling.maxNumSeqs)
    sampler.minNewTokens = parameters.sampling.minCompletionLength
    sampler.stop = parameters.sampling.stop
    return sampler
  }

  private static func report(_ tokens: Int, since start: ContinuousClock.Instant, _ context: StageContext) {
    let seconds = start.duration(to: .now) / .seconds(1)
    if seconds > 0 { context.metric(step: 0, "tokens_per_second", Double(tokens) / seconds) }
  }
}

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
    let endpoint: EndpointParameters?
  }

  package static func notes(_ plan: PlannedStage) -> [String] { EndpointParameters.notes(plan.parameters) }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let rewards = try RewardSum(parameters.own.rewards, programPath: context.optionalInput("reward_program"), log: context.log)
    let (rollouts, prompts) = try answered(parameters, context)
    let scored = try context.scoring { try rollouts.scored(by: rewards, of: prompts) }
    try rewards.close()
    try RolloutFile.write(scored, to: try context.output("rollouts"))
    let statistics = RolloutStatistics(scored, rewards: rewards.names)
    try Data((statistics.json.encoded() + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("statistics")))
    for (name, value) in statistics.named where !value.isNaN { context.metric(step: 0, name, value) }
  }

  /// By the model, or by a server.
  private static func answered(
    _ parameters: Parameters, _ context: StageContext
  ) throws -> (rollouts: [Rollout], prompts: [AskedPrompt]) {
    if let endpoint = parameters.own.endpoint {
      let session = try EndpointSession(endpoint, context)
      return try EndpointRollouts(
        session: session, prompting: parameters.prompting, sampling: parameters.sampling, greedy: parameters.own.greedy
      ).rollouts(limit: parameters.own.limit, context)
    }
    let directory = try context.input("model")
    let codec = try TokenizerDirectory(path: directory).codec()
    let pool = ThreadPool(threads: context.threads)
    let transformer = try ServedModel.load(directory, context, pool)
    let configuration = transformer.configuration
    let prompts = try parameters.prompting.prompts(context.inputs("prompts"), codec, configuration, limit: parameters.own.limit)
    let sampler = RolloutSampler(codec, parameters.prompting, parameters.sampling, configuration)
    let rollouts = try JournaledRollouts(
      sampler: sampler, samples: parameters.sampling.numGenerations, greedy: parameters.own.greedy, directory: directory
    ).rollouts(transformer, prompts, context)
    return (rollouts, prompts)
  }
}

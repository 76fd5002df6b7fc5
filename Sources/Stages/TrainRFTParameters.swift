import JSONValues
import Reinforcement
import Training

/// What `train/rft` is told, in the groups that its parts take.
package struct TrainRFTParameters: Decodable, Sendable {
  let optimizer: OptimizerParameters
  let prompting: PromptParameters
  let sampling: SamplingParameters
  let loss: PolicyLossParameters
  let kl: KLParameters
  let weights: TrainedWeightsParameters
  let evaluation: EvaluationParameters
  let terms: TermParameters
  let own: Own

  package init(from decoder: any Decoder) throws {
    optimizer = try OptimizerParameters(from: decoder)
    prompting = try PromptParameters(from: decoder)
    sampling = try SamplingParameters(from: decoder)
    loss = try PolicyLossParameters(from: decoder)
    kl = try KLParameters(from: decoder)
    weights = try TrainedWeightsParameters(from: decoder)
    evaluation = try EvaluationParameters(from: decoder)
    terms = try TermParameters(from: decoder)
    own = try Own(from: decoder)
  }

  struct Own: Decodable, Sendable {
    let algorithm: String
    let rolloutBatchSize: Int
    let globalBatchSize: Int?
    let numIterations: Int
    let perDeviceTrainBatchSize: Int
    let maskTruncatedCompletions: Bool
    let dropZeroVariance: Bool
    let rewards: [JSONValue]
    let dataSeed: UInt64?
    let saveSteps: Int
    let saveOptimizer: Bool
  }

  struct PolicyLossParameters: Decodable, Sendable {
    let lossType: String
    let scaleRewards: String
    let advantageDelta: Double
    let epsilon: Double
    let epsilonHigh: Double?
    let delta: Double?
    let importanceSamplingLevel: String
  }

  struct KLParameters: Decodable, Sendable {
    let beta: Double
    let klEstimator: String?
    let klPlacement: String
    let klReference: String
    let klClip: Double
    let klValueClip: Double?
    let klTarget: Double?
    let klHorizon: Double
    let refModelMixupAlpha: Double
    let refModelSyncSteps: Int
  }

  func settings() throws -> ReinforcementSettings {
    var s = ReinforcementSettings()
    s.method = method
    s.generations = sampling.numGenerations
    s.promptsPerStep = own.rolloutBatchSize
    s.promptsPerUpdate = own.globalBatchSize
    s.iterations = own.numIterations
    s.promptsPerMicroBatch = own.perDeviceTrainBatchSize
    s.sequencesAtOnce = sampling.maxNumSeqs
    s.sampling = sampling.settings
    s.maxNewTokens = prompting.maxCompletionLength
    s.minNewTokens = sampling.minCompletionLength
    s.stop = sampling.stop
    s.loss = policyLoss
    s.klPlacement = .init(rawValue: kl.klPlacement) ?? .loss
    s.reference = .init(rawValue: kl.klReference) ?? .previous
    s.adaptiveKL = kl.klTarget.map { .init(target: $0, horizon: kl.klHorizon) }
    s.referenceMixupAlpha = kl.refModelMixupAlpha
    s.referenceSyncSteps = kl.refModelSyncSteps
    s.masksTruncated = own.maskTruncatedCompletions
    s.dropsEqualRewards = own.dropZeroVariance
    s.optimizer = optimizer.settings
    s.seed = own.dataSeed ?? sampling.seed
    return s
  }

  private var method: AdvantageMethod {
    switch own.algorithm {
    case "rloo": .rloo
    case "remax": .remax
    default: .grpo(scale: .init(rawValue: loss.scaleRewards) ?? .group, delta: loss.advantageDelta)
    }
  }

  private var policyLoss: PolicyLossSettings {
    var settings = PolicyLossSettings()
    settings.lossType = .init(rawValue: loss.lossType) ?? .dapo
    settings.epsilon = loss.epsilon
    settings.epsilonHigh = loss.epsilonHigh
    settings.delta = loss.delta
    settings.importanceSamplingLevel = .init(rawValue: loss.importanceSamplingLevel) ?? .token
    settings.maxCompletionLength = prompting.maxCompletionLength
    settings.beta = kl.beta
    settings.klEstimator = kl.klEstimator.flatMap(KLEstimator.init) ?? (kl.klPlacement == "reward" ? .k1 : .k3)
    settings.klClamps = KLEstimator.Clamps(difference: kl.klClip, value: kl.klValueClip)
    return settings
  }
}

import Generation
import Training

/// What reinforcement fine-tuning is told, under TRL's names in our spelling where TRL has one. Knows nothing of rewards and of the model.
///
/// A *step* is one batch of rollouts and the optimizer updates made on it: `iterations` passes over the batch, cut into parts of
/// `promptsPerUpdate`. Learning rate, checkpoints and metrics go by steps.
package struct ReinforcementSettings: Sendable, Equatable {
  package enum KLPlacement: String, Sendable, CaseIterable {
    /// β · KL is part of each token's loss.
    case loss
    /// β · Σₜ KLₜ of the policy that sampled is taken from a completion's reward before advantages are made.
    case reward
  }

  package struct AdaptiveKLTarget: Sendable, Equatable {
    package var target: Double
    /// In completions.
    package var horizon: Double

    package init(target: Double, horizon: Double) { (self.target, self.horizon) = (target, horizon) }
  }

  package enum Reference: String, Sendable, CaseIterable {
    /// The model that the stage was given: in a sequence, what the step before left.
    case previous
    /// A model given beside it: in a sequence, the first one.
    case base
    /// Begins as `previous` and follows the policy: θ_ref ← α·θ + (1 − α)·θ_ref every `referenceSyncSteps` steps.
    case movingAverage = "moving_average"
  }

  package var method = AdvantageMethod.grpo()
  /// Completions a prompt (G).
  package var generations = 8
  /// Prompts a step.
  package var promptsPerStep = 8
  /// Prompts an optimizer update; nil for all of the step.
  package var promptsPerUpdate: Int?
  /// Passes over a batch of rollouts (μ, `num_iterations`).
  package var iterations = 1
  /// Prompts, with all their completions, in one forward and backward pass.
  package var promptsPerMicroBatch = 4
  /// Sequences decoded at once; moves no byte.
  package var sequencesAtOnce = 256
  package var sampling = SamplingSettings()
  package var maxNewTokens = 256
  package var minNewTokens = 0
  /// Texts that end a completion.
  package var stop: [String] = []
  package var loss = PolicyLossSettings()
  /// β follows the KL where given: (target, horizon).
  package var adaptiveKL: AdaptiveKLTarget?
  package var klPlacement = KLPlacement.loss
  package var reference = Reference.previous
  package var referenceMixupAlpha = 0.6
  package var referenceSyncSteps = 512
  /// Completions that were cut off for length do not train.
  package var masksTruncated = false
  /// Groups without any advantage are left out of the loss's denominator, and of the KL.
  package var dropsEqualRewards = false
  /// Learning rate, schedule, clipping, AdamW; `epochs` and `maxSteps` count passes over the prompts and steps.
  package var optimizer = TrainingSettings()
  /// Of the prompts' order.
  package var seed: UInt64 = 42

  package init() {}

  /// ReMax compares with the greedy completion.
  package var needsGreedy: Bool { method == .remax }
  package var usesReference: Bool { loss.beta > 0 }
  var klInLoss: Bool { usesReference && klPlacement == .loss }
  var klInReward: Bool { usesReference && klPlacement == .reward }
}

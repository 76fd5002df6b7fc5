/// Which policy loss trains, under TRL's names in our spelling.
///
/// Of token t of completion i, with ρ = π_θ/π_old, A the completion's advantage and c₁ = min(ρ, δ) where δ is given:
///
///     ℓ = −min(c₁·A, clip(ρ, 1 − ε, 1 + ε_high)·A) + β·KL
///
/// The loss is their sum, each divided as `lossType` says.
package struct PolicyLossSettings: Sendable, Equatable {
  /// What each token's ℓ is divided by; S completions and N completion tokens in the optimizer step.
  package enum LossType: String, Sendable, CaseIterable, Decodable {
    /// S·|o_i|: the mean over completions of the mean over tokens.
    case grpo
    /// N: the mean over tokens.
    case dapo
    /// S·`maxCompletionLength`: a constant, so that no completion's length weighs.
    case drGRPO = "dr_grpo"
  }

  /// What ρ is the ratio of.
  package enum ImportanceSamplingLevel: String, Sendable, CaseIterable, Decodable {
    /// Each token.
    case token
    /// The whole completion, its length taken out: ρ = exp(mean_t log π_θ/π_old), one for all its tokens (GSPO, arXiv 2507.18071).
    case sequence
  }

  package var lossType = LossType.dapo
  /// ε: a ratio below 1 − ε does not fall further.
  package var epsilon = 0.2
  /// Above 1 + ε_high it does not rise further; `epsilon` when nil.
  package var epsilonHigh: Double?
  /// Dual clip: the most that a ratio counts for where A < 0.
  package var delta: Double?
  /// 0 for no KL in the loss.
  package var beta = 0.0
  package var klEstimator = KLEstimator.k3
  package var klClamps = KLEstimator.Clamps()
  package var importanceSamplingLevel = ImportanceSamplingLevel.token
  /// The constant of `dr_grpo`; no other loss reads it.
  package var maxCompletionLength = 256

  package init() {}
}

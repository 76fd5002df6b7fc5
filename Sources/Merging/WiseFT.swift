import Kernels
import Modeling

/// Weight-space ensembles of a model and its fine-tuned self: θ_α = (1 − α) θ₀ + α θ_ft (Wortsman et al., arXiv 2109.01903, equation 1).
///
/// Works on model directories. α = 0 gives the base's weight files and α = 1 the tuned model's, byte for byte; configuration, tokenizer and
/// generation files are always the base's.
package struct WiseFT {
  /// What an α outside of 0…1 does: weights beyond either end are easily asked for by mistake.
  package enum Outside: String, Sendable {
    case error
    case extrapolate
  }

  private let models: MergedModel

  /// Refuses models of different shapes or vocabularies.
  package init(base: String, tuned: String) throws(ModelError) {
    models = try MergedModel([.init("the base", base), .init("the tuned model", tuned)])
  }

  /// `directory` is created where it is missing. The weights have the wider of both models' types.
  package func write(
    alpha: Double, outside: Outside = .error, shardLimit: Int? = nil, to directory: String, pool: ThreadPool
  ) throws(ModelError) {
    guard alpha.isFinite, outside == .extrapolate || (0...1).contains(alpha) else {
      throw ModelError("alpha must lie between 0 and 1, not \(alpha)")
    }
    switch alpha {
    case 0: try models.copy(0, to: directory)
    case 1: try models.copy(1, to: directory)
    default: try models.write(.linear(weights: [1 - alpha, alpha]), .init(shardLimit: shardLimit), to: directory, pool: pool)
    }
  }
}

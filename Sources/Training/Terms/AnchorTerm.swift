import Kernels
import Modeling

/// L2 to an anchor (L2-SP, FLOW's L2-Reg): λ Σ (θ − θ₀)² over what trains, or λ times the mean of the squares.
package struct AnchorTerm: ParameterTerm {
  package enum Reduction: String, Sendable, CaseIterable {
    case sum
    /// Divided by the number of parameters that train.
    case mean
  }

  package let name = "l2"
  private let factor: Double
  private let anchor: ParameterArena
  package let identity: String

  /// - Parameters:
  ///   - anchor: θ₀, laid out as what is trained.
  ///   - trained: how many parameters train.
  package init(lambda: Double, reduction: Reduction, anchor: ParameterArena, trained: Int) {
    factor = reduction == .sum ? lambda : lambda / Double(max(1, trained))
    self.anchor = anchor
    identity = "l2 \(lambda) \(reduction)"
  }

  package func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double {
    factor
      * parts.reduce(0) { sum, part in
        sum
          + AnchorPenalty.squared(
            pool, count: part.count, parameters: part.parameters, anchor: anchor.pointer + part.offset, gradients: part.gradients,
            scale: Float(factor))
      }
  }
}

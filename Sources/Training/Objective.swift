import Kernels
import Modeling

/// Which loss trains: Σ w·ℓ / N over the step's N targets, ℓ = −log p, with a weight w of each target that the gradient takes for a
/// constant. A weight is the target's own (a record's, see `TokenizedRecord.weights`) times what `weighting` makes of the model's state.
package struct Objective: Sendable, Equatable {
  package enum Weighting: Sendable, Equatable {
    /// 1: plain fine-tuning, and FLOW, whose weights are the records'.
    case uniform
    /// max(floor, p^(1/τ)): TALR; with τ = 1 and no floor it is DFT.
    case likelihood(Temperature, floor: Double)
    /// (H / 3)^α, H the entropy of the 20 likeliest tokens among themselves: EAFT.
    case entropy(alpha: Double)
  }

  /// τ
  package enum Temperature: Sendable, Equatable {
    case fixed(Double)
    /// The median over the records of a micro-batch or of a whole step of the mean losses of their targets; of an even number of records
    /// the mean of the middle two.
    case median(Scope)
  }

  package enum Scope: String, Sendable, CaseIterable {
    case microBatch = "microbatch"
    /// Where a step has several micro-batches, each goes through the model once more, forward only, before the step.
    case step
  }

  package let name: String
  package let weighting: Weighting

  package static var negativeLogLikelihood: Objective { Objective(name: "nll", weighting: .uniform) }

  /// The records' weights are FLOW's: exp(−f/τ) of their losses f under the model that training begins with.
  package static var flow: Objective { Objective(name: "flow", weighting: .uniform) }

  /// arXiv 2509.20758, in the form without normalisation.
  package static func talr(_ temperature: Temperature = .median(.microBatch), floor: Double = 0.01) -> Objective {
    Objective(name: "talr", weighting: .likelihood(temperature, floor: floor))
  }

  package static var dft: Objective { Objective(name: "dft", weighting: .likelihood(.fixed(1), floor: 0)) }

  package static func eaft(alpha: Double = 1) -> Objective { Objective(name: "eaft", weighting: .entropy(alpha: alpha)) }

  var identity: String { weighting == .uniform ? name : "\(name): \(weighting)" }

  /// The head has to find the likeliest tokens.
  var needsTopEntropies: Bool { if case .entropy = weighting { true } else { false } }

  /// The whole micro-batch's losses come before any weight, unless τ is known already.
  var medianScope: Scope? { if case .likelihood(.median(let scope), _) = weighting { scope } else { nil } }

  /// τ where it is a number.
  var fixedTemperature: Double? { if case .likelihood(.fixed(let value), _) = weighting { value } else { nil } }

  /// Writes w of each target in the range to the same places of `weights`, without the targets' own. `temperature`: τ, where there is one.
  package func weigh(_ statistics: TargetStatistics, _ range: Range<Int>, temperature: Double?, _ weights: Floats) {
    switch weighting {
    case .uniform:
      for index in 0..<range.count { weights[index] = 1 }
    case .likelihood(_, let floor):
      let (inverse, floor) = (Float(1 / (temperature ?? 1)), Float(floor))
      for (index, target) in range.enumerated() {
        weights[index] = max(floor, VectorMath.exp(statistics.logProbabilities[target] * inverse))
      }
    case .entropy(let alpha):
      guard let entropies = statistics.topEntropies else { preconditionFailure("activations without top entropies") }
      for (index, target) in range.enumerated() {
        let share = entropies[target] / 3
        weights[index] = alpha == 1 ? share : VectorMath.exp(Float(alpha) * VectorMath.log(share))
      }
    }
  }

  /// The median of mean losses, never so small that 1/τ overflows.
  package static func medianTemperature(_ losses: [Double]) -> Double {
    let sorted = losses.sorted()
    guard let last = sorted.last else { return 1 }
    let middle = sorted.count / 2
    let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[min(middle, sorted.count - 1)]) / 2
    return last.isFinite ? max(median, 1e-6) : .nan
  }
}

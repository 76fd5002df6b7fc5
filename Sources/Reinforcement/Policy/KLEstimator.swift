import Kernels

/// What one sampled token says of KL(π_θ‖π_ref), from Δ = log π_ref − log π_θ (Schulman, "Approximating KL divergence").
package enum KLEstimator: String, Sendable, CaseIterable, Decodable {
  /// −Δ: without bias, of either sign. Its derivative is the same for every token, so in a loss it holds nothing back on average.
  case k1
  /// Δ² / 2.
  case k2
  /// e^Δ − Δ − 1: without bias and never negative.
  case k3

  /// Bounds beyond which an estimate no longer moves, so that one token cannot carry a step away.
  package struct Clamps: Sendable, Equatable {
    /// Of |Δ|.
    package var difference: Double
    /// Of |estimate|; nil for none.
    package var value: Double?

    package init(difference: Double = 20, value: Double? = nil) {
      self.difference = difference
      self.value = value
    }

    /// As veRL bounds both.
    package static var veRL: Clamps { Clamps(value: 10) }
  }

  package struct Estimate: Sendable, Equatable {
    package var value: Double
    /// d value / d log π_θ: 0 beyond a bound.
    package var slope: Double
  }

  package func estimate(policy: Double, reference: Double, _ clamps: Clamps = Clamps()) -> Estimate {
    let difference = reference - policy
    let delta = difference.clamped(to: clamps.difference)
    var estimate: Estimate
    switch self {
    case .k1: estimate = Estimate(value: -delta, slope: 1)
    case .k2: estimate = Estimate(value: 0.5 * delta * delta, slope: -delta)
    case .k3:
      let ratio = VectorMath.exp(delta)
      estimate = Estimate(value: ratio - delta - 1, slope: 1 - ratio)
    }
    if difference.magnitude > clamps.difference { estimate.slope = 0 }
    if let bound = clamps.value, estimate.value.magnitude > bound {
      estimate = Estimate(value: estimate.value.clamped(to: bound), slope: 0)
    }
    return estimate
  }

  /// The estimate summed over one completion: what KL in the reward takes off, times β.
  package func sum(
    policy: some Collection<Float>, reference: some Collection<Float>, _ clamps: Clamps = Clamps()
  ) -> Double {
    precondition(policy.count == reference.count, "\(policy.count) log-probabilities and \(reference.count) of the reference")
    return zip(policy, reference).reduce(0) { $0 + estimate(policy: Double($1.0), reference: Double($1.1), clamps).value }
  }
}

extension Double {
  /// Within ±bound. NaN stays NaN.
  func clamped(to bound: Double) -> Double { self > bound ? bound : self < -bound ? -bound : self }
}

/// How a completion's reward becomes its advantage A: what pulls the completion's tokens up or down.
package enum AdvantageMethod: Sendable, Equatable {
  /// What a group's distance from its mean is divided by (`scale_rewards`).
  package enum Scale: String, Sendable, CaseIterable, Decodable {
    /// The standard deviation of the group's own rewards.
    case group
    /// The standard deviation of all rewards of the batch.
    case batch
    /// Nothing (Dr. GRPO).
    case none
  }

  /// A = (r − mean) / (std + δ), with n − 1 in the standard deviation. TRL's δ is 1e-4, veRL's 1e-6.
  case grpo(scale: Scale = .group, delta: Double = 1e-4)
  /// A = r − the mean of the group's other rewards.
  case rloo
  /// A = r − the reward of the prompt's greedy completion.
  case remax

  /// Completions of one prompt without which there is no baseline.
  package var minimumSamples: Int {
    switch self {
    case .grpo, .rloo: 2
    case .remax: 1
    }
  }

  /// The first rule that `samples` completions a prompt (`num_generations`) break.
  package func check(samples: Int) throws(AdvantageError) {
    if samples < minimumSamples { throw .tooFewSamples(method: name, samples: samples, minimum: minimumSamples) }
  }

  package var name: String {
    switch self {
    case .grpo: "grpo"
    case .rloo: "rloo"
    case .remax: "remax"
    }
  }
}

/// Why rewards give no advantages. Where it was asked for is the caller's to say.
package enum AdvantageError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooFewSamples(method: String, samples: Int, minimum: Int)

  package var description: String {
    switch self {
    case .tooFewSamples(let method, let samples, let minimum):
      "\(method) compares the completions of one prompt with each other: num_generations is \(samples) and must be at least \(minimum)"
    }
  }
}

import Kernels

extension PolicyLossSettings {
  /// |log ρ| counts no further: e^±20 is finite, as is all that is made of it.
  package static let logRatioBound = 20.0

  /// The micro-batch's share of the step's loss, and d loss / d log π_θ of each target, which is written to `slopes`; a target of no
  /// completion, or of one left out, has slope 0. `counts` are those of the whole step. In Double, target after target.
  package func evaluate(
    _ batch: PolicyBatch, _ counts: PolicyCounts, logProbabilities: UnsafePointer<Float>, slopes: UnsafeMutablePointer<Float>
  ) -> PolicyLossStatistics {
    let targets = batch.old.count
    precondition(batch.sequences.allSatisfy { $0.targets.upperBound <= targets }, "a completion beyond the \(targets) targets")
    precondition(batch.reference.map { $0.count == targets } ?? true, "\(targets) targets, \(batch.reference?.count ?? 0) of the reference")
    slopes.update(repeating: 0, count: targets)
    var statistics = PolicyLossStatistics()
    for sequence in batch.sequences where sequence.weight != 0 && !sequence.targets.isEmpty {
      let share = Double(sequence.weight) / divisor(sequence.targets.count, counts)
      let logRatios = sequence.targets.map { Double(logProbabilities[$0]) - Double(batch.old[$0]) }
      surrogate(sequence, logRatios, share, slopes, &statistics)
      if let reference = batch.reference { penalty(sequence, reference, share, logProbabilities, slopes, &statistics) }
      statistics.tokens += sequence.targets.count
    }
    return statistics
  }

  /// What a token of a completion of `length` tokens is divided by.
  private func divisor(_ length: Int, _ counts: PolicyCounts) -> Double {
    switch lossType {
    case .grpo: Double(counts.sequences) * Double(length)
    case .dapo: Double(counts.tokens)
    case .drGRPO: Double(counts.sequences) * Double(maxCompletionLength)
    }
  }

  // MARK: - −min(c₁·A, clip(ρ)·A)

  private func surrogate(
    _ sequence: PolicyBatch.Sequence, _ logRatios: [Double], _ share: Double, _ slopes: UnsafeMutablePointer<Float>,
    _ statistics: inout PolicyLossStatistics
  ) {
    let advantage = Double(sequence.advantage)
    switch importanceSamplingLevel {
    case .token:
      for (target, logRatio) in zip(sequence.targets, logRatios) {
        let term = clipped(logRatio, advantage)
        statistics.add(term, share: share)
        slopes[target] = Float(share * term.slope)
      }
    case .sequence:
      // log ρ = (1/|o|) Σ_t log ρ_t, so d/d log π of each token is a 1/|o| of it; |o| equal terms of the loss undo that.
      let term = clipped(logRatios.reduce(0, +) / Double(logRatios.count), advantage)
      statistics.add(term, share: share * Double(logRatios.count))
      for target in sequence.targets { slopes[target] = Float(share * term.slope) }
    }
  }

  struct Term {
    let ratio: Double
    let value: Double
    /// d value / d log ρ.
    let slope: Double
    let clip: Clip?
  }

  enum Clip {
    /// ρ < 1 − ε, A < 0.
    case low
    /// ρ > 1 + ε_high, A > 0.
    case high
    /// ρ > δ, A < 0.
    case dual
  }

  /// Where both arms of the minimum are equal, each gives half of the slope, as in torch: inside the clip range they are one.
  func clipped(_ logRatio: Double, _ advantage: Double) -> Term {
    let ratio = VectorMath.exp(logRatio.clamped(to: Self.logRatioBound))
    let (low, high) = (1 - epsilon, 1 + (epsilonHigh ?? epsilon))
    let bound = delta ?? .infinity
    let capped = ratio > bound ? bound : ratio
    let inside = ratio < low ? low : ratio > high ? high : ratio
    let (free, bounded) = (capped * advantage, inside * advantage)
    let freeSlope = ratio > bound ? 0.0 : 1
    let boundedSlope = ratio < low || ratio > high ? 0.0 : 1
    let chosen = free < bounded ? freeSlope : bounded < free ? boundedSlope : 0.5 * (freeSlope + boundedSlope)
    let moves = logRatio.magnitude > Self.logRatioBound ? 0 : chosen
    let clip: Clip? =
      advantage < 0 ? (capped < low ? .low : ratio > bound ? .dual : nil) : advantage > 0 && capped > high ? .high : nil
    return Term(ratio: ratio, value: bounded < free ? -bounded : -free, slope: -moves * advantage * ratio, clip: clip)
  }

  // MARK: - β·KL

  private func penalty(
    _ sequence: PolicyBatch.Sequence, _ reference: [Float], _ share: Double, _ logProbabilities: UnsafePointer<Float>,
    _ slopes: UnsafeMutablePointer<Float>, _ statistics: inout PolicyLossStatistics
  ) {
    for target in sequence.targets {
      let kl = klEstimator.estimate(policy: Double(logProbabilities[target]), reference: Double(reference[target]), klClamps)
      statistics.klSum += kl.value
      statistics.klTokens += 1
      guard beta != 0 else { continue }
      statistics.loss += share * beta * kl.value
      slopes[target] = Float(Double(slopes[target]) + share * beta * kl.slope)
    }
  }
}

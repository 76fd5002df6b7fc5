/// Whether one method may be said to forget less than another.
package enum ForgettingClaim: String, Sendable {
  case holds = "forgets less"
  case doesNotHold = "does not forget less on every seed"
  case tooFewSeeds = "one seed"
  case didNotLearn = "did not learn"

  package static let seedsNeeded = 3

  /// - Parameters:
  ///   - forgetting: FM of both methods, by seed (nearer 0 is better).
  ///   - gain: mean gain of the method that makes the claim.
  ///   - referenceGain: that of plain supervised fine-tuning; under half of it nothing was learned.
  package init(forgetting: [Double], against other: [Double], gain: Double, referenceGain: Double) {
    self.init(forgetting: forgetting, against: other, hasLearned: Self.hasLearned(gain: gain, referenceGain: referenceGain))
  }

  /// - Parameter hasLearned: both methods, where both could have failed to.
  package init(forgetting: [Double], against other: [Double], hasLearned: Bool) {
    if !hasLearned {
      self = .didNotLearn
    } else if min(forgetting.count, other.count) < Self.seedsNeeded {
      self = .tooFewSeeds
    } else {
      self = zip(forgetting, other).allSatisfy { $0 > $1 } ? .holds : .doesNotHold
    }
  }

  /// At least half of the reference's gain, and a gain at all.
  package static func hasLearned(gain: Double, referenceGain: Double) -> Bool { gain > 0 && gain >= referenceGain / 2 }

  /// In words, with the number of seeds where they are too few.
  package func text(seeds: Int) -> String {
    self == .tooFewSeeds && seeds != 1 ? "\(seeds) seeds, \(Self.seedsNeeded) are needed" : rawValue
  }
}

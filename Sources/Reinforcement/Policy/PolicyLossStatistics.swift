/// What a policy loss saw, over a micro-batch or the sum of several. Completions left out are in none of it.
package struct PolicyLossStatistics: Sendable, Equatable {
  /// The share of the step's loss: shares add up to the loss.
  package var loss = 0.0
  package var tokens = 0
  package var klSum = 0.0
  package var klTokens = 0
  /// Ratios there were: one a token, or one a completion.
  package var ratios = 0
  package var ratioSum = 0.0
  package var ratioMinimum = Double.infinity
  package var ratioMaximum = -Double.infinity
  /// Ratios below 1 − ε with A < 0.
  package var clippedLow = 0
  /// Ratios above 1 + ε_high with A > 0.
  package var clippedHigh = 0
  /// Ratios above δ with A < 0.
  package var clippedDual = 0

  package init() {}

  package mutating func add(_ other: PolicyLossStatistics) {
    loss += other.loss
    tokens += other.tokens
    klSum += other.klSum
    klTokens += other.klTokens
    ratios += other.ratios
    ratioSum += other.ratioSum
    ratioMinimum = min(ratioMinimum, other.ratioMinimum)
    ratioMaximum = max(ratioMaximum, other.ratioMaximum)
    clippedLow += other.clippedLow
    clippedHigh += other.clippedHigh
    clippedDual += other.clippedDual
  }

  /// The mean over tokens; nil without a reference.
  package var kl: Double? { klTokens == 0 ? nil : klSum / Double(klTokens) }
  package var ratioMean: Double { ratios == 0 ? 1 : ratioSum / Double(ratios) }
  package var clipRatioLow: Double { ratios == 0 ? 0 : Double(clippedLow) / Double(ratios) }
  package var clipRatioHigh: Double { ratios == 0 ? 0 : Double(clippedHigh) / Double(ratios) }
  package var clipRatioRegion: Double { clipRatioLow + clipRatioHigh }

  /// Under TRL's names, where it has one.
  package var named: [(name: String, value: Double)] {
    var named = [
      ("loss", loss), ("clip_ratio/low_mean", clipRatioLow), ("clip_ratio/high_mean", clipRatioHigh),
      ("clip_ratio/region_mean", clipRatioRegion),
    ]
    if let kl { named.append(("kl", kl)) }
    if ratios > 0 { named += [("ratio/min", ratioMinimum), ("ratio/mean", ratioMean), ("ratio/max", ratioMaximum)] }
    return named
  }

  /// `share`: by what the term is multiplied in the step's loss.
  mutating func add(_ term: PolicyLossSettings.Term, share: Double) {
    loss += share * term.value
    ratios += 1
    ratioSum += term.ratio
    ratioMinimum = min(ratioMinimum, term.ratio)
    ratioMaximum = max(ratioMaximum, term.ratio)
    switch term.clip {
    case .low: clippedLow += 1
    case .high: clippedHigh += 1
    case .dual: clippedDual += 1
    case nil: break
    }
  }
}

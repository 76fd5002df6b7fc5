import Evaluation
import Testing

@Suite("Metrics of continual learning") struct ScoreMatrixTests {
  /// The golden matrix, with b as its row 0.
  let golden = ScoreMatrix([[0.25, 0.25, 0.2], [0.8, 0.3, 0.2], [0.7, 0.75, 0.25], [0.6, 0.72, 0.85]])

  func close(_ value: Double?, _ expected: Double) -> Bool { value.map { abs($0 - expected) < 5e-7 } ?? false }

  @Test("the golden values") func goldenValues() {
    #expect(close(golden[.averageAccuracy], 0.7233333))
    #expect(close(golden[.backwardTransfer], -0.115))
    #expect(close(golden[.forgetting], -0.0766667))
    #expect(close(golden[.priorForgetting], -0.115))
    #expect(close(golden[.chaudhryForgetting], 0.115))
    #expect(close(golden[.forwardTransfer], 0.05))
    #expect(close(golden[.averageIncrementalAccuracy], (0.8 + 0.725 + 0.7233333333) / 3))
    #expect(close(golden[.gain], (0.55 + 0.45 + 0.6) / 3))
  }

  @Test("beside a joint run: intransigence and the gap to the upper bound") func joint() {
    #expect(golden.intransigence(joint: [0.9, 0.75, 0.8]).compactMap { $0 }.elementsEqual([0.1, 0, -0.05]) { abs($0 - $1) < 1e-12 })
    #expect(close(golden.upperBoundGap(joint: [0.9, 0.9, 0.9]), 0.1766667))
  }

  @Test("one task has a gain and no transfer") func single() {
    let matrix = ScoreMatrix([[0.2], [0.7]])
    #expect(close(matrix[.gain], 0.5))
    #expect(
      matrix[.forgetting] == 0 && matrix[.backwardTransfer] == nil && matrix[.priorForgetting] == nil && matrix[.chaudhryForgetting] == nil)
  }

  @Test("an ability of the base that is lost counts as forgotten") func base() {
    #expect(close(ScoreMatrix([[0.9, 0.1], [0.5, 0.1], [0.5, 0.6]])[.forgetting], -0.2))
  }

  @Test(
    "severity follows its bounds",
    arguments: [
      (0.0, Severity.none), (3, .none), (-4.999, .mild), (-5, .moderate), (-15, .moderate), (-15.01, .severe),
    ]) func severity(points: Double, severity: Severity)
  {
    #expect(Severity(points: points) == severity)
  }

  @Test("general suites together: mean, worst, and catastrophe") func general() {
    let one = GeneralDelta(suite: "a", base: 0.5, score: 0.44, chance: 0.25)
    let other = GeneralDelta(suite: "b", base: 0.8, score: 0.82, chance: 0.5)
    let general = GeneralRetention([one, other])
    #expect(close(general.meanPoints, -2) && general.worst == one && general.severity == .moderate && close(one.percent, -12))
    let gone = [
      GeneralDelta(suite: "a", base: 0.6, score: 0.26, chance: 0.25), GeneralDelta(suite: "b", base: 0.9, score: 0.5, chance: 0.5),
    ]
    #expect(GeneralRetention(gone).severity == .catastrophic)
    #expect(GeneralRetention(gone + [other]).severity == .severe)
  }

  @Test("claims need learning, three seeds, and every one of them") func claims() {
    #expect(ForgettingClaim(forgetting: [-0.1, -0.1, -0.1], against: [-0.2, -0.2, -0.2], gain: 0.3, referenceGain: 0.5) == .holds)
    #expect(ForgettingClaim(forgetting: [-0.1, -0.3, -0.1], against: [-0.2, -0.2, -0.2], gain: 0.3, referenceGain: 0.5) == .doesNotHold)
    #expect(ForgettingClaim(forgetting: [-0.1], against: [-0.2], gain: 0.3, referenceGain: 0.5) == .tooFewSeeds)
    #expect(ForgettingClaim(forgetting: [0, 0, 0], against: [-0.2, -0.2, -0.2], gain: 0.2, referenceGain: 0.5) == .didNotLearn)
    #expect(
      SeedSummary([1, 2, 3]) == SeedSummary([1, 2, 3]) && SeedSummary([1, 2, 3]).standardDeviation == 1
        && SeedSummary([1]).standardDeviation == nil)
  }
}

import Evaluation
import Reinforcement
import Testing

@Suite("Instance filters") struct FilterTests {
  private func instance(_ values: [Double?], rewards: [Double?]? = nil, index: Int = 0) -> InstanceScores {
    InstanceScores(index: index, prompt: "q", values: values, rewards: rewards ?? values)
  }

  private func reason(_ values: [Double?], _ filter: InstanceFilter) -> InstanceFilter.Reason { filter.reason(instance(values)) }

  @Test("a record's own numbers: pass rate, and the variance that is at most a quarter")
  func numbers() {
    let eight = instance([1, 0, 0, 1, 0, 0, 0, 0])
    #expect(eight.passRate(1) == 0.25 && eight.rewardMean == 0.25 && eight.rewardVariance == 0.1875 && eight.varies)
    #expect(instance([1, 0]).rewardVariance == 0.25)
    let some = instance([1, nil, 0, nil], rewards: [nil, nil, 0.1, nil])
    #expect(some.scored == 2 && some.passRate(1) == 0.5 && some.rewardMean == 0.1 && some.rewardVariance == 0)
    let none = instance([nil, nil])
    #expect(none.passRate(1) == nil && none.rewardMean == nil && none.rewardVariance == nil && !none.varies)
  }

  @Test("what each criterion says of right, wrong, mixed and unscored completions")
  func reasons() {
    let any = InstanceFilter(.anyCorrect)
    #expect(reason([0, 0, 1, 0], any) == .correct && reason([1, 1], any) == .correct)
    #expect(reason([0, 0.99], any) == .noneCorrect && reason([nil, nil], any) == .notScored && reason([nil, 1], any) == .correct)
    let varied = InstanceFilter(.nonzeroVariance)
    #expect(reason([0, 1], varied) == .varied && reason([0, 0], varied) == .noneCorrect && reason([1, 1], varied) == .allCorrect)
    #expect(reason([0.5, 0.6], varied) == .varied && reason([0.5, 0.5, nil], varied) == .noneCorrect)
    #expect(reason([nil], varied) == .notScored)
    let band = InstanceFilter(.passRate, low: 0.25, high: 0.75)
    #expect(
      reason([1, 0, 0, 0], band) == .belowBand && reason([1, 1, 0, 0], band) == .inBand && reason([1, 1, 1, 0], band) == .aboveBand)
    #expect(reason([0, 0], band) == .belowBand && reason([1, 1], band) == .aboveBand && reason([nil], band) == .notScored)
  }

  @Test("floats are compared with a tolerance of 1e-6")
  func tolerance() {
    #expect(reason([1 - 5e-7], InstanceFilter(.anyCorrect)) == .correct)
    #expect(reason([1 - 2e-6], InstanceFilter(.anyCorrect)) == .noneCorrect)
    #expect(reason([0.3, 0.1 + 0.2], InstanceFilter(.nonzeroVariance, threshold: 0.3)) == .allCorrect)
    #expect(reason([1, 0, 0], InstanceFilter(.passRate, low: 1.0 / 3 - 5e-7)) == .belowBand)
  }

  @Test("the control draws as many as the criterion keeps, from all, by the seed alone")
  func control() {
    let instances = (0..<40).map { instance($0 % 4 == 0 ? [1, 0] : [0, 0], index: $0) }
    let drawn = (0..<4).map { seed in
      InstanceFilter(.anyCorrect, control: .randomSameSize, seed: UInt64(seed)).verdicts(instances).map(\.isKept)
    }
    for kept in drawn { #expect(kept.count { $0 } == 10) }
    #expect(Set(drawn).count == 4)
    #expect(drawn.contains { kept in zip(kept, instances).contains { $0 && $1.correct(1) == 0 } })
    #expect(InstanceFilter(.anyCorrect, control: .randomSameSize, seed: 2).verdicts(instances).map(\.isKept) == drawn[2])
  }

  @Test("the histogram of variances has a place for none, for a quarter and for more")
  func histogram() {
    let instances = [[1, 1], [1, 0], [1, 0.9], [3, 0], [0, 0.5]].enumerated().map { instance($1, index: $0) }
    let report = FilterReport(InstanceFilter(.anyCorrect), component: "accuracy", instances)
    let histogram = report.variances(instances)
    #expect(histogram.zero == 1 && histogram.beyond == 1)
    #expect(histogram.counts == [1, 0, 1, 0, 0, 0, 0, 0, 0, 1])
    #expect(report.passRates(instances).map(\.records) == [1, 3, 1])
  }
}

import Testing
import Training

/// Numbers from `get_scheduler` of transformers (their lambdas, evaluated by hand).
@Suite struct LearningRateScheduleTests {
  private func rates(_ kind: LearningRateSchedule.Kind, warmup: Int, total: Int) -> [Double] {
    let schedule = LearningRateSchedule(kind: kind, peak: 1, warmupSteps: warmup, totalSteps: total)
    return (0...total).map { schedule.rate($0) }
  }

  @Test func `linear warms up from zero and falls to zero`() {
    #expect(rates(.linear, warmup: 2, total: 6) == [0, 0.5, 1, 0.75, 0.5, 0.25, 0])
  }

  @Test func `cosine is half way down in the middle`() {
    let values = rates(.cosine, warmup: 1, total: 5)
    #expect(values[0] == 0)
    #expect(values[1] == 1)
    #expect((values[3] - 0.5).magnitude < 1e-15)
    #expect((values[2] - 0.853_553_390_593_273_8).magnitude < 1e-15)
    #expect(values[5].magnitude < 1e-15)
  }

  @Test func `constant has no warm-up unless its name says so`() {
    #expect(rates(.constant, warmup: 2, total: 3) == [1, 1, 1, 1])
    #expect(rates(.constantWithWarmup, warmup: 2, total: 3) == [0, 0.5, 1, 1])
  }
}

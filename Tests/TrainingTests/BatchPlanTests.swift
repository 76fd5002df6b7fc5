import Testing
import Training

@Suite struct BatchPlanTests {
  private func settings(_ microBatch: TrainingSettings.MicroBatch, accumulation: Int = 1, epochs: Double = 1) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.microBatch = microBatch
    settings.gradientAccumulationSteps = accumulation
    settings.epochs = epochs
    return settings
  }

  @Test func `every epoch sees every record once, in another order`() {
    var plan = BatchPlan(lengths: [Int](repeating: 5, count: 10), settings: settings(.records(3), accumulation: 2, epochs: 2))
    #expect(plan.totalSteps == 4)
    let steps = (0..<4).map { plan.step($0) }
    let first = steps[0...1].flatMap(\.microBatches).flatMap { $0 }
    let second = steps[2...3].flatMap(\.microBatches).flatMap { $0 }
    #expect(first.sorted() == Array(0..<10))
    #expect(second.sorted() == Array(0..<10))
    #expect(first != second)
    #expect(steps.map(\.epoch) == [0.5, 1, 1.5, 2])
    #expect(steps[1].microBatches.map(\.count) == [3, 1])
  }

  @Test func `a step can be asked for without those before it`() {
    let lengths = [Int](repeating: 5, count: 10)
    var walked = BatchPlan(lengths: lengths, settings: settings(.records(4), epochs: 5))
    let steps = (0..<walked.totalSteps).map { walked.step($0) }
    for index in steps.indices.reversed() {
      var fresh = BatchPlan(lengths: lengths, settings: settings(.records(4), epochs: 5))
      #expect(fresh.step(index) == steps[index])
      #expect(walked.step(index) == steps[index])
    }
  }

  @Test func `another seed is another order`() {
    var one = settings(.records(10))
    var plan = BatchPlan(lengths: [Int](repeating: 5, count: 10), settings: one)
    one.dataSeed = 7
    var other = BatchPlan(lengths: [Int](repeating: 5, count: 10), settings: one)
    #expect(plan.step(0) != other.step(0))
  }

  @Test func `a token budget is kept, and a longer record stands alone`() {
    var s = settings(.tokens(10))
    s.order = .asGiven
    var plan = BatchPlan(lengths: [4, 6, 1, 20, 5, 5, 1], settings: s)
    #expect((0..<plan.totalSteps).map { plan.step($0).microBatches[0] } == [[0, 1], [2], [3], [4, 5], [6]])
  }

  @Test func `a part of an epoch is rounded up, and max_steps wins`() {
    var s = settings(.records(2), epochs: 1.5)
    #expect(BatchPlan(lengths: [1, 1, 1, 1, 1], settings: s).totalSteps == 5)
    s.maxSteps = 7
    #expect(BatchPlan(lengths: [1, 1, 1, 1, 1], settings: s).totalSteps == 7)
  }
}

import Reinforcement
import Testing

@Suite("Advantages") struct PolicyAdvantagesTests {
  static let eight: [Double?] = [1, 0, 0, 1, 0, 0, 0, 0]
  static let weighted: [Double?] = [1, 0.1, 0, 1]

  static func values(_ rewards: [Double?], greedy: Double? = nil, _ method: AdvantageMethod) -> [Double] {
    Advantages([.init(rewards: rewards, greedy: greedy)], method).values[0]
  }

  /// The same numbers, to the last digit that is written down.
  static func expect(_ values: [Double], near wanted: [Double], within error: Double = 6e-7, _ location: SourceLocation = #_sourceLocation)
  {
    #expect(values.count == wanted.count, sourceLocation: location)
    for (value, wanted) in zip(values, wanted) { #expect(abs(value - wanted) < error, sourceLocation: location) }
  }

  static func two(_ one: Double, _ zero: Double) -> [Double] { eight.map { $0 == 1 ? one : zero } }

  @Test("mean and standard deviation of a group, with n - 1") func moments() {
    let group = Advantages([.init(rewards: Self.eight)], .grpo()).groups[0]
    Self.expect([group.mean, group.standardDeviation], near: [0.25, 0.4629100])
    #expect(group.scored == 8 && !group.isEqual && group.hasSignal)
  }

  @Test("GRPO, with either δ in use") func grpo() {
    Self.expect(Self.values(Self.eight, .grpo(delta: 1e-6)), near: Self.two(1.620182, -0.540061))
    Self.expect(Self.values(Self.eight, .grpo(delta: 1e-4)), near: Self.two(1.619835, -0.539945))
    #expect(Self.values(Self.eight, .grpo()) == Self.values(Self.eight, .grpo(scale: .group, delta: 1e-4)))
    Self.expect(Self.values(Self.weighted, .grpo(delta: 1e-6)), near: [0.863635, -0.772726, -0.954544, 0.863635])
  }

  @Test("Dr. GRPO divides by nothing") func withoutScale() {
    #expect(Self.values(Self.eight, .grpo(scale: .none)) == Self.two(0.75, -0.25))
  }

  @Test("the batch's standard deviation is that of all its rewards") func batchScale() {
    let groups = [Advantages.Group(rewards: [1, 0]), .init(rewards: [3, nil, 2])]
    let all = Advantages(groups, .grpo(scale: .batch, delta: 0))
    let deviation = (5.0 / 3).squareRoot()
    Self.expect(all.values[0], near: [0.5 / deviation, -0.5 / deviation])
    Self.expect(all.values[1], near: [0.5 / deviation, 0, -0.5 / deviation])
    Self.expect([all.mean, all.standardDeviation], near: [1.5, deviation])
  }

  @Test("RLOO compares with the mean of the others") func rloo() {
    Self.expect(Self.values(Self.eight, .rloo), near: Self.two(0.857143, -0.285714))
    Self.expect(Self.values([3, 1, 1], .rloo), near: [2, -1, -1])
  }

  @Test("ReMax compares with the greedy completion") func remax() {
    #expect(Self.values(Self.eight, greedy: 0, .remax) == Self.two(1, 0))
    #expect(Self.values(Self.eight, greedy: 1, .remax) == Self.two(0, -1))
  }

  @Test(
    "a reward that is not there stays outside and gets 0",
    arguments: [AdvantageMethod.grpo(delta: 1e-6), .grpo(scale: .batch), .grpo(scale: .none), .rloo, .remax])
  func missing(_ method: AdvantageMethod) {
    let without = Self.values([1, 0, 0.5], greedy: 0.25, method)
    let with = Self.values([nil, 1, 0, nil, 0.5], greedy: 0.25, method)
    #expect(with == [0, without[0], without[1], 0, without[2]])
  }

  @Test("a reward without anything to compare it with gets 0") func alone() {
    for method in [AdvantageMethod.grpo(), .rloo] {
      let one = Advantages([.init(rewards: [nil, 7]), .init(rewards: [nil, nil])], method)
      #expect(one.values == [[0, 0], [0, 0]])
      #expect(one.groups.map(\.hasSignal) == [false, false])
      #expect(one.groups.map(\.scored) == [1, 0])
      #expect(one.groups.map(\.isEqual) == [true, false])
    }
    #expect(Self.values([1, 0], greedy: nil, .remax) == [0, 0])
    #expect(Self.values([1, 0], greedy: 0.5, .remax) == [0.5, -0.5])
  }

  @Test("rewards that differ by rounding are equal, and pull on nothing") func equal() {
    let nearly: [Double?] = [0.9 + 0.1, 1, 1 - 4e-7, nil]
    for method in [AdvantageMethod.grpo(delta: 1e-6), .grpo(scale: .batch), .grpo(scale: .none), .rloo] {
      let made = Advantages([.init(rewards: nearly), .init(rewards: Self.weighted)], method)
      #expect(made.values[0] == [0, 0, 0, 0])
      #expect(made.groups.map(\.isEqual) == [true, false])
      #expect(made.groups.map(\.hasSignal) == [false, true])
      #expect(made.equalShare == 0.5)
    }
  }

  @Test("equal rewards still have signal under ReMax, unless the greedy one equals them too") func equalRemax() {
    let made = Advantages([.init(rewards: [1, 1], greedy: 0), .init(rewards: [1, 1], greedy: 1 + 1e-9)], .remax)
    #expect(made.values == [[1, 1], [0, 0]])
    #expect(made.groups.map(\.isEqual) == [true, true])
    #expect(made.groups.map(\.hasSignal) == [true, false])
  }

  @Test("the share of equal groups and the mean variance look at scored groups only") func summaries() {
    let made = Advantages([.init(rewards: [1, 1]), .init(rewards: [1, 0]), .init(rewards: [nil, nil])], .rloo)
    #expect(made.equalShare == 0.5)
    #expect(abs(made.meanGroupVariance - 0.25) < 1e-15)
    let none = Advantages([], .rloo)
    #expect(none.values.isEmpty && none.equalShare == 0 && none.meanGroupVariance == 0)
  }

  @Test("one completion a prompt is too few for GRPO and RLOO, not for ReMax") func tooFew() throws {
    let text = "compares the completions of one prompt with each other: num_generations is 1 and must be at least 2"
    for (method, name) in [(AdvantageMethod.grpo(), "grpo"), (.rloo, "rloo")] {
      let error = try #require(throws: AdvantageError.self) { try method.check(samples: 1) }
      #expect("\(error)" == "\(name) \(text)")
      try method.check(samples: 2)
    }
    try AdvantageMethod.remax.check(samples: 1)
  }
}

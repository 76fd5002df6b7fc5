import Plotting
import Testing

@Suite("Axes") struct ScaleTests {
  static func labels(_ scale: Axis.Scale, _ values: [Double], count: Int = 6) -> [String] {
    PlotScale(Axis("", scale: scale), values, count: count).ticks.map(\.label)
  }

  @Test("ticks are 1, 2 or 5 of a power of ten")
  func linear() {
    #expect(Self.labels(.linear, [0, 1]) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Self.labels(.linear, [0.13, 0.31]) == ["0.10", "0.15", "0.20", "0.25", "0.30", "0.35"])
    #expect(Self.labels(.linear, [-37, 92]) == ["-50", "0", "50", "100"])
    #expect(Self.labels(.linear, [0, 48_000]) == ["0", "10k", "20k", "30k", "40k", "50k"])
    #expect(Self.labels(.linear, [1e-5, 6e-5]) == ["1e-5", "2e-5", "3e-5", "4e-5", "5e-5", "6e-5"])
    #expect(Self.labels(.linearFromZero, [62, 97]) == ["0", "20", "40", "60", "80", "100"])
  }

  @Test("powers of ten on a logarithmic axis, with 2 and 5 where there is room")
  func logarithmic() {
    #expect(Self.labels(.logarithmic, [1e-6, 1e-2]) == ["1e-6", "1e-5", "0.0001", "0.001", "0.01"])
    #expect(Self.labels(.logarithmic, [3, 40]) == ["2", "5", "10", "20", "50"])
    #expect(Self.labels(.logarithmic, [1, 1e12]).count <= 7)
    #expect(Self.labels(.logarithmic, [0, -3, .nan]) == [])
    let scale = PlotScale(Axis("", scale: .logarithmic), [1, 100], count: 6)
    #expect(scale.share(10) == 0.5 && scale.share(0) == 0)
  }

  @Test(
    "every axis has ends, whatever the data",
    arguments: [
      [], [3], [0], [0, 0], [.nan], [1e300, -1e300], [.infinity, 2], [1e16, 1e16 + 2], [.leastNonzeroMagnitude], [-2, -1], [1e-300, 1e300],
    ] as [[Double]])
  func odd(_ values: [Double]) {
    for scale in [Axis.Scale.linear, .linearFromZero, .logarithmic, .named(["a", "b"]), .named([])] {
      let fitted = PlotScale(Axis("", scale: scale), values, count: 5)
      #expect(fitted.lower < fitted.upper && fitted.lower.isFinite && fitted.upper.isFinite)
      #expect(fitted.ticks.count <= 12)
      for value in values where value.isFinite { #expect((0...1).contains(fitted.share(value))) }
      for (tick, next) in zip(fitted.ticks, fitted.ticks.dropFirst()) {
        #expect(tick.value < next.value && tick.label != next.label, "\(scale) \(values)")
      }
    }
  }
}

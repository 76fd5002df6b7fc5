import Generation
import Kernels
import Testing

@Suite struct SamplerTests {
  private func draw(
    _ settings: SamplingSettings, _ logits: [Float], uniform: Double, greedy: Bool = false, excluding: [Int32] = []
  ) -> Sampler.Draw {
    var copy = logits
    let draw = copy.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return Sampler.Draw(token: -1, logProbability: 0) }
      return Sampler(settings: settings).draw(start, buffer.count, uniform: uniform, greedy: greedy, excluding: excluding)
    }
    #expect(copy.map(\.bitPattern) == logits.map(\.bitPattern), "logits are left as they were")
    return draw
  }

  /// The tokens that can be drawn at all, found by walking the uniform number.
  private func support(_ settings: SamplingSettings, _ logits: [Float]) -> Set<Int32> {
    Set((0..<5000).map { draw(settings, logits, uniform: (Double($0) + 0.5) / 5000).token })
  }

  private let logits: [Float] = [0.1, 2, -1, 1.5, 1.5, 0, 1.9, -3]

  @Test func `greedy takes the first of the largest`() {
    #expect(draw(.greedy, [1, 3, 2, 3], uniform: 0.9).token == 1)
    #expect((draw(.greedy, [0, 0], uniform: 0).logProbability + 0.693_147_2).magnitude < 1e-6)
  }

  @Test func `logits that are no numbers give no log-probability, whatever is cut off`() {
    let spoilt = [
      [Float](repeating: .nan, count: 70), [Float](repeating: -.nan, count: 70), logits + [.nan], logits + [.infinity],
      [Float](repeating: -.infinity, count: 3),
    ]
    for settings in [.greedy, SamplingSettings(), SamplingSettings(topK: 2), SamplingSettings(topP: 0.9), SamplingSettings(minP: 0.1)] {
      for row in spoilt {
        let draw = draw(settings, row, uniform: 0.5)
        #expect(draw.logProbability.isNaN && row.indices.contains(Int(draw.token)))
      }
    }
  }

  @Test func `top_k keeps k tokens and those that tie with the last`() {
    #expect(support(SamplingSettings(topK: 1), logits) == [1])
    #expect(support(SamplingSettings(topK: 2), logits) == [1, 6])
    #expect(support(SamplingSettings(topK: 3), logits) == [1, 3, 4, 6])
  }

  @Test func `top_p keeps the fewest tokens that reach it`() {
    // p = .5, .25, .125, .125
    let halves = [0.25, 0.125, 0.5, 0.125].map { VectorMath.log(Float($0)) }
    #expect(support(SamplingSettings(topP: 0.01), halves) == [2])
    #expect(support(SamplingSettings(topP: 0.49), halves) == [2])
    #expect(support(SamplingSettings(topP: 0.6), halves) == [0, 2])
    #expect(support(SamplingSettings(topP: 0.8), halves) == [0, 1, 2])
    #expect(support(SamplingSettings(topP: 0.9), halves) == [0, 1, 2, 3])
  }

  @Test func `top_p looks at what top_k left`() {
    // After top_k 2 the probabilities are 2/3 and 1/3.
    let thirds: [Float] = [0, VectorMath.log(Float(0.5)), -1, -1, -1, -1]
    #expect(support(SamplingSettings(topK: 2, topP: 0.6), thirds) == [0])
    #expect(support(SamplingSettings(topK: 2, topP: 0.7), thirds) == [0, 1])
  }

  @Test func `min_p is relative to the likeliest`() {
    #expect(support(SamplingSettings(minP: 0.9), logits) == [1, 6])
    #expect(support(SamplingSettings(minP: 0.6), logits) == [1, 3, 4, 6])
  }

  @Test func `draws come as often as their probabilities say`() {
    for settings in [SamplingSettings(temperature: 0.7), SamplingSettings(temperature: 0.7, topP: 0.9999)] {
      var counts = [Double](repeating: 0, count: logits.count)
      let number = 40_000
      for i in 0..<number { counts[Int(draw(settings, logits, uniform: Philox(seed: 1, stream: 2).uniformDouble(UInt64(i))).token)] += 1 }
      let weights = logits.map { VectorMath.exp(Double($0) / 0.7) }
      let total = weights.reduce(0, +)
      for (count, weight) in zip(counts, weights) {
        let p = weight / total
        let deviation = (Double(number) * p * (1 - p)).squareRoot()
        #expect((count - Double(number) * p).magnitude < 4.5 * deviation + 1)
      }
    }
  }

  @Test func `the log-prob is that of the tempered distribution before truncation`() {
    let all = draw(SamplingSettings(temperature: 2), logits, uniform: 0.4)
    let total = logits.reduce(0.0) { $0 + VectorMath.exp(Double($1) / 2) }
    #expect((Double(all.logProbability) - (Double(logits[Int(all.token)]) / 2 - VectorMath.log(total))).magnitude < 1e-5)
    let one = draw(SamplingSettings(temperature: 2, topK: 1), logits, uniform: 0.4)
    #expect((Double(one.logProbability) - (1 - VectorMath.log(total))).magnitude < 1e-5)
  }

  @Test func `a large vocabulary is truncated as a small one`() {
    let random = Philox(seed: 3, stream: 1)
    let large = (0..<20_000).map { Float(random.normal(UInt64($0)) * 3) }
    let order = large.indices.sorted { large[$0] > large[$1] }
    #expect(support(SamplingSettings(topK: 5), large) == Set(order.prefix(5).map { Int32($0) }))
    let weights = order.map { VectorMath.exp(Double(large[$0])) }
    let total = weights.reduce(0, +)
    var mass = 0.0
    var size = 0
    while mass < 0.2 * total {
      mass += weights[size]
      size += 1
    }
    #expect(support(SamplingSettings(topP: 0.2), large).isSubset(of: Set(order.prefix(size).map { Int32($0) })))
  }

  @Test func `excluded tokens are not drawn, and truncation looks at the others`() {
    func support(_ settings: SamplingSettings) -> Set<Int32> {
      Set((0..<2000).map { draw(settings, logits, uniform: (Double($0) + 0.5) / 2000, excluding: [1, 3]).token })
    }
    #expect(support(SamplingSettings()) == [0, 2, 4, 5, 6, 7])
    #expect(support(SamplingSettings(topK: 1)) == [6])
    #expect(support(SamplingSettings(topP: 0.01)) == [6])
    #expect(support(SamplingSettings(minP: 0.6)) == [4, 6])
    #expect(draw(.greedy, logits, uniform: 0, excluding: [1]).token == 6)
    #expect(draw(SamplingSettings(temperature: 2), logits, uniform: 0.9, greedy: true, excluding: [1]).token == 6)
  }

  @Test func `what is excluded does not move the log-prob`() {
    let free = draw(SamplingSettings(temperature: 0.5), logits, uniform: 0, greedy: true)
    #expect(free.token == 1)
    let total = logits.reduce(0.0) { $0 + VectorMath.exp(Double($1) * 2) }
    let kept = draw(SamplingSettings(temperature: 0.5), logits, uniform: 0, greedy: true, excluding: [1])
    #expect((Double(kept.logProbability) - (Double(logits[6]) * 2 - VectorMath.log(total))).magnitude < 1e-5)
  }

  @Test func `a token can be drawn though all others are excluded and it is unlikely`() {
    #expect(draw(SamplingSettings(), [0, 200, -200, 100], uniform: 0.7, excluding: [0, 1, 3]) == .init(token: 2, logProbability: -400))
  }
}

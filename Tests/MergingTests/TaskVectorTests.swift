import Kernels
import Merging
import Modeling
import Testing

@Suite("task vectors") struct TaskVectorTests {
  /// More than one span, and no whole number of slices.
  static let count = 2_300_001

  @Test("a weight of 1 gives the tuned model itself, 0 the base") func ends() throws {
    let tensors = try Tensors(models: 1, count: 5000)
    #expect(try tensors.merged(TaskVectors(name: "x", weights: [1]).method) == tensors.values[1])
    #expect(try tensors.merged(TaskVectors(name: "x", weights: [0]).method) == tensors.values[0])
  }

  @Test("TIES keeps exactly the k largest magnitudes of a tensor, whatever its size", arguments: [0.2, 0.5, 0.999])
  func trimming(density: Double) throws {
    let tensors = try Tensors(models: 1, count: Self.count)
    let merged = try tensors.merged(Self.ties(density: [density]).method)
    let delta = tensors.difference(1)
    let order = delta.indices.sorted { (-abs(delta[$0]), $0) < (-abs(delta[$1]), $1) }
    var expected = tensors.values[0]
    for i in order.prefix(Int(density * Double(Self.count))) { expected[i] = Float(Double(expected[i]) + Double(delta[i])) }
    #expect(merged == expected)
  }

  @Test("of equal magnitudes those that come first stay", arguments: [1, 2]) func equals(threads: Int) throws {
    let count = Self.count
    let delta = (0..<count).map { Float($0 % 4 - 1) }
    let tensors = try Tensors([[Float](repeating: 0, count: count), delta])
    let merged = try tensors.merged(Self.ties(density: [0.4]).method, threads: threads)
    // A quarter is 2; the rest of k comes from the −1 and 1, which are half of all.
    let twos = delta.filter { $0 == 2 }.count
    var room = Int(0.4 * Double(count)) - twos
    let expected = delta.map { value -> Float in
      if abs(value) == 1 { room -= 1 }
      return value == 2 || abs(value) == 1 && room >= 0 ? value : 0
    }
    #expect(merged == expected)
  }

  @Test("a density of 0 keeps nothing, one too small for an element keeps one") func extremes() throws {
    let tensors = try Tensors([[0, 0, 0], [1, -3, 2]])
    #expect(try tensors.merged(Self.ties(density: [0]).method) == [0, 0, 0])
    #expect(try tensors.merged(Self.ties(density: [0.001]).method) == [0, -3, 0])
    #expect(try tensors.merged(Self.ties(density: [1]).method) == [1, -3, 2])
  }

  @Test("the sign with the larger sum wins, and only its elements are averaged, by weight") func election() throws {
    let tensors = try Tensors([[10, 10, 10, 10], [11, 9, 12, 10], [12, 12, 9, 10], [7, 13, 8, 11]])
    let method = TaskVectors(
      name: "ties", weights: [1, 1, 0.5], densities: [1, 1, 1], sparsification: .magnitude, elects: true, normalizes: true, lambda: 2)
    // Sums 1+2−1.5, −1+2+1.5, 2−1−1, 0+0+0.5; at a sum of 0 the sign is +.
    let expected: [Double] = [10 + 2 * (3 / 2), 10 + 2 * (3.5 / 1.5), 10 + 2 * (2 / 1), 10 + 2 * (0.5 / 0.5)]
    #expect(try tensors.merged(method.method) == expected.map { Float($0) })
  }

  @Test("the bytes do not depend on the number of threads", arguments: ["ties", "dare", "slerp"]) func threads(name: String) throws {
    let tensors = try Tensors(models: name == "slerp" ? 1 : 2, count: Self.count)
    let method =
      switch name {
      case "ties": Self.ties(density: [0.3, 0.6]).method
      case "dare": Self.dare([0.3, 0.6], .l1).method
      default: MergeMethod.slerp(t: 0.4)
      }
    let once = try tensors.merged(method, threads: 1)
    for threads in [2, 5] { #expect(try tensors.merged(method, threads: threads) == once) }
  }

  // MARK: - DARE

  @Test("DARE keeps elements with the probability asked for, each model's by a draw of its own") func share() throws {
    let count = Self.count
    let zeros = [Float](repeating: 0, count: count)
    let ones = [Float](repeating: 1, count: count)
    let tensors = try Tensors([zeros, ones, ones])
    let first = try tensors.merged(Self.dare([0.3, 0.6], .none, weights: [1, 0]).method)
    let second = try tensors.merged(Self.dare([0.3, 0.6], .none, weights: [0, 1]).method)
    for (kept, density) in [(first, 0.3), (second, 0.6)] {
      let share = kept.reduce(0.0) { $0 + Double($1) } / Double(count)
      // Five standard deviations of a binomial share.
      #expect(abs(share - density) < 5 * (density * (1 - density) / Double(count)).squareRoot())
    }
    let both = zip(first, second).reduce(0.0) { $0 + Double($1.0 * $1.1) } / Double(count)
    #expect(abs(both - 0.18) < 5 * (0.18 * 0.82 / Double(count)).squareRoot())
    #expect(try tensors.merged(Self.dare([0.3, 0.6], .none, weights: [1, 0], seed: 1).method) != first)
  }

  @Test("what stays is rescaled by 1/density, or to the tensor's sum of magnitudes", arguments: [TaskVectors.Rescale.density, .l1, .none])
  func rescale(rescale: TaskVectors.Rescale) throws {
    let tensors = try Tensors(models: 1, count: Self.count)
    let kept = try tensors.merged(Self.dare([0.25], .none).method)
    let delta = tensors.difference(1)
    let stays = zip(kept, tensors.values[0]).map { $0 != $1 }
    let before = delta.reduce(0.0) { $0 + Double(abs($1)) }
    let after = zip(delta, stays).reduce(0.0) { $0 + ($1.1 ? Double(abs($1.0)) : 0) }
    let factor =
      switch rescale {
      case .density: 4.0
      case .l1: before / after
      case .none: 1.0
      }
    let merged = try tensors.merged(Self.dare([0.25], rescale).method)
    var worst = 0.0
    for i in merged.indices {
      let expected = Double(tensors.values[0][i]) + (stays[i] ? factor * Double(delta[i]) : 0)
      worst = max(worst, abs(Double(merged[i]) - expected))
    }
    #expect(worst < 1e-6)
  }

  @Test("DARE does not change the expected task vector") func unbiased() throws {
    let tensors = try Tensors(models: 1, count: Self.count)
    let delta = tensors.difference(1)
    let merged = try tensors.merged(Self.dare([0.1], .density).method)
    let mean = delta.reduce(0.0) { $0 + Double($1) } / Double(delta.count)
    let found = zip(merged, tensors.values[0]).reduce(0.0) { $0 + Double($1.0 - $1.1) } / Double(delta.count)
    let squares = delta.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(delta.count)
    #expect(abs(found - mean) < 5 * (squares * 9 / Double(delta.count)).squareRoot())
  }

  private static func ties(density: [Double]) -> TaskVectors {
    TaskVectors(
      name: "ties", weights: density.map { _ in 1 }, densities: density, sparsification: .magnitude, elects: true, normalizes: true)
  }

  private static func dare(
    _ density: [Double], _ rescale: TaskVectors.Rescale, weights: [Double]? = nil, seed: UInt64 = 7
  ) -> TaskVectors {
    TaskVectors(
      name: "dare", weights: weights ?? density.map { _ in 1 }, densities: density, sparsification: .random(seed: seed, rescale))
  }
}

/// Random numbers that are a function of (seed, stream, position): Philox 4×32 with 10 rounds (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011). Data drawn here is the same on every machine and in every version of the standard library.
package struct CounterRandom: Sendable {
  private let key: (UInt32, UInt32)
  private let stream: UInt64
  private var position: UInt64 = 0
  private var spare: UInt64?

  package init(seed: UInt64, stream: UInt64) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.stream = stream
  }

  /// A stream named by words: `CounterRandom(seed: 17, "heldout", "reverse")`.
  package init(seed: UInt64, _ names: String...) {
    self.init(seed: seed, stream: StableHash.of(names))
  }

  /// The next 64 bits; each position of the counter gives two.
  package mutating func next() -> UInt64 {
    if let value = spare {
      spare = nil
      return value
    }
    let block = Self.block(key: key, counter: (stream, position))
    position += 1
    spare = block.1
    return block.0
  }

  /// Uniform in 0..<bound, without bias (Lemire's method: multiply, reject the short remainder).
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a bound must be positive, it is \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  package mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  package mutating func coin() -> Bool { next() & 1 == 1 }

  package mutating func element<T>(of list: [T]) -> T { list[below(list.count)] }

  /// `count` elements of the list at different places, in random order.
  package mutating func sample<T>(_ count: Int, of list: [T]) -> [T] {
    precondition(count <= list.count, "cannot take \(count) of \(list.count)")
    var pool = list
    for index in 0..<count { pool.swapAt(index, index + below(pool.count - index)) }
    return Array(pool.prefix(count))
  }

  package mutating func shuffled<T>(_ list: [T]) -> [T] { sample(list.count, of: list) }

  // MARK: - Philox 4×32-10

  private static func block(key: (UInt32, UInt32), counter: (UInt64, UInt64)) -> (UInt64, UInt64) {
    var (k0, k1) = key
    var c0 = UInt32(truncatingIfNeeded: counter.1)
    var c1 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var c2 = UInt32(truncatingIfNeeded: counter.0)
    var c3 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    for _ in 0..<10 {
      let left = UInt64(c0) &* 0xD251_1F53
      let right = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(right >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: right), UInt32(left >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: left)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (UInt64(c0) | UInt64(c1) << 32, UInt64(c2) | UInt64(c3) << 32)
  }
}

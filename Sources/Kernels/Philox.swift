/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): random numbers as a function of a key and a counter.
/// There is no state to keep: the same (seed, stream, position) gives the same numbers on every machine, in any order, on any thread.
///
/// The key is the seed. The counter is (position, stream), 64 bits each; every position holds one block of four 32-bit words. Give every
/// use of randomness a stream of its own (an epoch's shuffle, a sample's draws), and it may use all positions.
@frozen
package struct Philox: Sendable {
  package let seed: UInt64
  package let stream: UInt64

  @inlinable
  package init(seed: UInt64, stream: UInt64) {
    self.seed = seed
    self.stream = stream
  }

  /// The four words of a block.
  @inlinable
  package func block(_ position: UInt64) -> SIMD4<UInt32> {
    Self.rounds(
      counter: [
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), UInt32(truncatingIfNeeded: stream),
        UInt32(truncatingIfNeeded: stream >> 32),
      ],
      key: [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)])
  }

  /// The ten rounds themselves, on raw counter and key words.
  @inlinable
  package static func rounds(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let a = UInt64(c0) &* 0xD251_1F53
      let b = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: b), UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1,
        UInt32(truncatingIfNeeded: a)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return [c0, c1, c2, c3]
  }

  /// 64 bits: the first two words of a block.
  @inlinable
  package func bits(_ position: UInt64) -> UInt64 {
    let words = block(position)
    return UInt64(words.y) << 32 | UInt64(words.x)
  }

  /// Uniform in [0, 1): a multiple of 2⁻²⁴.
  @inlinable
  package func uniformFloat(_ position: UInt64) -> Float { Float(block(position).x >> 8) * 0x1p-24 }

  /// Uniform in [0, 1): a multiple of 2⁻⁵³.
  @inlinable
  package func uniformDouble(_ position: UInt64) -> Double { Double(bits(position) >> 11) * 0x1p-53 }
}

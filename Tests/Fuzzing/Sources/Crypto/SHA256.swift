/// Stands in for swift-crypto, whose four hundred files would be built a second time: parsers compare digests and do not care how they
/// were made. Not a cryptographic hash.
public struct SHA256 {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 1, 2, 3)

  public init() {}

  public mutating func update(bufferPointer: UnsafeRawBufferPointer) {
    for byte in bufferPointer {
      words.0 = (words.0 ^ UInt64(byte)) &* 0x100_0000_01b3
      words.1 = words.1 &* 31 &+ words.0
    }
  }

  public mutating func update(data: some Sequence<UInt8>) {
    Array(data).withUnsafeBytes { update(bufferPointer: $0) }
  }

  public func finalize() -> [UInt8] {
    [words.0, words.1, words.0 ^ words.1, words.0 &+ words.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }
}

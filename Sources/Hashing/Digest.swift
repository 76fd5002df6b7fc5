/// A SHA-256 digest: the name of every object and the key of every result. It does not know what it is the digest of.
package struct Digest: Hashable, Sendable {
  /// The 32 bytes, most significant first, as four words.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// The digest made of exactly 32 bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for (index, byte) in bytes.enumerated() {
      switch index / 8 {
      case 0: words.0 = words.0 << 8 | UInt64(byte)
      case 1: words.1 = words.1 << 8 | UInt64(byte)
      case 2: words.2 = words.2 << 8 | UInt64(byte)
      default: words.3 = words.3 << 8 | UInt64(byte)
      }
    }
    self.words = words
  }

  /// Reads 64 hexadecimal digits, with or without `sha256:` before them, upper or lower case.
  package init?(_ text: String) {
    var digits = Substring(text).utf8
    if digits.starts(with: Self.prefix.utf8) { digits = digits.dropFirst(Self.prefix.utf8.count) }
    self.init(digits: digits)
  }

  /// Reads exactly 64 hexadecimal digits, upper or lower case.
  package init?(digits: some Collection<UInt8>) {
    // Other modules call this unspecialized, tens of thousands of times for a plan: so only the way to the bytes is generic.
    let found = digits.withContiguousStorageIfAvailable(Self.init(reading:)) ?? Array(digits).withUnsafeBufferPointer(Self.init(reading:))
    guard let found else { return nil }
    self = found
  }

  private init?(reading digits: UnsafeBufferPointer<UInt8>) {
    guard digits.count == 64 else { return nil }
    var place = 0
    func word() -> UInt64? {
      var word: UInt64 = 0
      for _ in 0..<16 {
        guard let value = Self.value(ofHexadecimal: digits[place]) else { return nil }
        word = word << 4 | UInt64(value)
        place += 1
      }
      return word
    }
    guard let first = word(), let second = word(), let third = word(), let fourth = word() else { return nil }
    words = (first, second, third, fourth)
  }

  /// The 32 bytes.
  package var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    String(unsafeUninitializedCapacity: 64) { digits in
      write(into: digits.baseAddress!, from: 0)
      return 64
    }
  }

  /// `sha256:` and the hexadecimal digits: how a digest is written in JSON and in manifests.
  package var text: String {
    let start = Self.prefix.utf8.count
    return String(unsafeUninitializedCapacity: start + 64) { digits in
      for (index, byte) in Self.prefix.utf8.enumerated() { digits[index] = byte }
      write(into: digits.baseAddress!, from: start)
      return start + 64
    }
  }

  private func write(into digits: UnsafeMutablePointer<UInt8>, from start: Int) {
    for (index, word) in [words.0, words.1, words.2, words.3].enumerated() {
      for nibble in 0..<16 {
        let value = UInt8(truncatingIfNeeded: word >> (60 - 4 * nibble)) & 15
        digits[start + 16 * index + nibble] = value < 10 ? 0x30 + value : 0x57 + value
      }
    }
  }

  private static let prefix = "sha256:"

  private static func value(ofHexadecimal digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }
}

extension Digest: CustomStringConvertible {
  package var description: String { text }
}

extension Digest: Comparable {
  package static func < (left: Digest, right: Digest) -> Bool { left.words < right.words }

  package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

/// Seeded changes of an input: bits flipped, parts cut out, doubled, put elsewhere, numbers made as large or small as they get.
struct Mutation {
  private var random: SplitMix

  init(seed: UInt64) { random = SplitMix(state: seed) }

  mutating func change(_ input: [UInt8]) -> [UInt8] {
    var bytes = input
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty { changeOnce(&bytes) }
    return bytes
  }

  private mutating func changeOnce(_ bytes: inout [UInt8]) {
    let at = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, at + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[at] = .random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(at..<end)
    case 3: bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
    case 4: bytes.removeLast(bytes.count - at)
    case 5: bytes.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: at)
    case 6: number(&bytes, at)
    default: word(&bytes, at)
    }
  }

  /// The decimal digits around a place become another number.
  private mutating func number(_ bytes: inout [UInt8], _ at: Int) {
    guard let start = bytes[at...].firstIndex(where: Self.isDigit) else { return }
    let end = bytes[start...].firstIndex { !Self.isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: Self.numbers.randomElement(using: &random) ?? [])
  }

  /// Eight bytes become a number as binary formats have them.
  private mutating func word(_ bytes: inout [UInt8], _ at: Int) {
    let values: [UInt64] = [
      0, 1, 0xFF, 1 << 31, 1 << 32, 1 << 40, 1 << 62, 1 << 63, .max, .max - 7, 0x7FF0_0000_0000_0000, 0x7FC0_0000_7F80_0000,
    ]
    let value = values.randomElement(using: &random) ?? 0
    for index in 0..<min(8, bytes.count - at) { bytes[at + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static let numbers = [
    "0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e308", "-1e308", "1e-320", "1e999",
    "16777217", "0.5",
  ].map { Array($0.utf8) }

  private static let words = [
    "\0", "\n", "\u{1B}[2J", "../../", "/etc/passwd", "null", "[[[[", "]]]]", "{\"a\":{\"a\":", "\u{FEFF}", "\u{301}", "\\u0000", "${",
    "*a", "&a ",
    "<<: ", "- ", "[*]", "{% for a in range(99999) %}", "{{ ", " ~ ", "|", "NaN", "true",
  ].map { Array($0.utf8) }
}

/// A generator of bits; the same every time.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}

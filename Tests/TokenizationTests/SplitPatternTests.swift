import Foundation
import Testing
import Tokenization

@Suite("Scanners against a regular expression engine")
struct SplitPatternTests {
  /// Pieces that patterns treat in different ways, chosen more often than plain random scalars.
  private static let pool = [
    "a", "B", "the", " ", " ", "  ", "\n", "\r\n", "\r", "\t", "\u{A0}", "\u{3000}", "\u{2028}", "\u{85}", "\u{B}", "½", "1", "23", "٣",
    "Ⅷ", "é",
    "e\u{301}", "中", "ش", "🙂", "👨‍👩‍👧", "'s", "'S", "'LL", "'re", "'", "!", "==", "_", "<|", "\u{301}", "\u{200D}", "\u{1C}", "\u{0}",
  ]

  static func text(_ random: inout SeededRandom) -> String {
    (0..<random.below(30) + 1).map { _ in
      if random.below(10) < 8 { return pool[random.below(pool.count)] }
      let limits: [UInt32] = [0x80, 0x800, 0xD800, 0x20000]
      return Unicode.Scalar(UInt32(random.below(Int(limits[random.below(4)])))).map { String($0) } ?? ""
    }.joined()
  }

  /// The engine knows fewer letters than the reference; texts are made of scalars that both know.
  private static func isKnownToBoth(_ scalar: Unicode.Scalar) -> Bool {
    guard let age = scalar.properties.age else { return false }
    return age.major <= 12
  }

  @Test("4,000 random texts are cut like NSRegularExpression cuts them", arguments: SplitPattern.allCases)
  func oracle(pattern: SplitPattern) throws {
    let expression = try NSRegularExpression(pattern: pattern.expression)
    var random = SeededRandom(seed: 20_250_117)
    for _ in 0..<4_000 {
      let text = String(String.UnicodeScalarView(Self.text(&random).unicodeScalars.filter(Self.isKnownToBoth)))
      let found = expression.matches(in: text, range: NSRange(location: 0, length: text.utf16.count))
      let units = Array(text.utf16)
      let expected = found.map { Array(String(decoding: units[$0.range.location..<NSMaxRange($0.range)], as: UTF16.self).utf8) }
      let bytes = Array(text.utf8)
      let pieces = pattern.pieces(of: bytes).map { Array(bytes[$0]) }
      if pieces != expected { Issue.record("\(pattern): \(text.debugDescription)") }
    }
  }

  @Test("an expression is known by its exact text")
  func recognition() {
    for pattern in SplitPattern.allCases { #expect(SplitPattern(expression: pattern.expression) == pattern) }
    #expect(SplitPattern(expression: #"\p{L}+"#) == nil)
  }
}

/// SplitMix64: the same numbers for a seed, everywhere.
struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

/// Decodes tokens as they come. A UTF-8 sequence whose end has not come yet is held back, so the texts given out, joined, are the
/// text that decoding all the ids at once gives.
package struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipSpecialTokens: Bool
  private var held: [UInt8] = []

  package init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = false) {
    self.tokenizer = tokenizer
    self.skipSpecialTokens = skipSpecialTokens
  }

  /// The text that is certain once `id` has come.
  package mutating func push(_ id: Int32) -> String {
    if skipSpecialTokens && tokenizer.isSpecial(id) { return "" }
    held += tokenizer.spelling.bytes(id)
    let keep = Self.incompleteSuffix(held)
    let text = String(decoding: held.dropLast(keep), as: UTF8.self)
    held.removeFirst(held.count - keep)
    return text
  }

  /// What was held back when no more ids come: it is ill-formed now.
  package mutating func finish() -> String {
    defer { held = [] }
    return String(decoding: held, as: UTF8.self)
  }

  /// How many bytes at the end begin a well-formed sequence without ending it: 0 to 3.
  static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let suffix = bytes.suffix(length)
      guard let lead = suffix.first, lead & 0xC0 != 0x80 else { continue }
      return isIncomplete(lead, Array(suffix.dropFirst())) ? length : 0
    }
    return 0
  }

  private static func isIncomplete(_ lead: UInt8, _ rest: [UInt8]) -> Bool {
    let second: ClosedRange<UInt8>
    switch lead {
    case 0xE0: second = 0xA0...0xBF
    case 0xED: second = 0x80...0x9F
    case 0xF0: second = 0x90...0xBF
    case 0xF4: second = 0x80...0x8F
    default: second = 0x80...0xBF
    }
    let length: Int
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF: length = 3
    case 0xF0...0xF4: length = 4
    default: return false
    }
    return rest.count < length - 1 && rest.first.map(second.contains) ?? true
  }
}

import Diagnostics

/// Refuses what no YAML reader should be handed: too many bytes, bytes that are no UTF-8, NUL and other control characters.
enum YAMLScreen {
  static func refusal(_ source: SourceFile, _ limits: YAMLLimits) -> Diagnostic? {
    let bytes = source.bytes
    guard bytes.count <= limits.bytes else {
      return Diagnostic(.error, YAMLText.tooLarge(limits.bytes), at: SourceLocation(source: source, line: 1, column: 1))
    }
    let offset = bytes.withUnsafeBufferPointer { firstBadByte($0) }
    guard let offset else { return nil }
    let message: String
    switch bytes[offset] {
    case 0: message = YAMLText.nul
    case 1..<0x20, 0x7F: message = YAMLText.control
    case 0xC2 where isControl(bytes, offset): message = YAMLText.control
    default: message = YAMLText.invalidUTF8
    }
    return Diagnostic(.error, message, at: source.location(ofByte: offset))
  }

  private static func isControl(_ bytes: [UInt8], _ offset: Int) -> Bool {
    offset + 1 < bytes.count && (0x80...0x9F).contains(bytes[offset + 1])
  }

  private static func firstBadByte(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      if byte < 0x80 {
        guard byte >= 0x20 && byte != 0x7F || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return place }
        place += 1
      } else if let length = sequenceLength(bytes, place) {
        place += length
      } else {
        return place
      }
    }
    return nil
  }

  /// The length of the well-formed multi-byte sequence at a place (Unicode, table 3-7); nil when it is none, or a C1 control.
  private static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
    let lead = bytes[place]
    let second = place + 1 < bytes.count ? bytes[place + 1] : 0
    let length: Int
    let range: ClosedRange<UInt8>
    switch lead {
    case 0xC2: (length, range) = (2, 0xA0...0xBF)
    case 0xC3...0xDF: (length, range) = (2, 0x80...0xBF)
    case 0xE0: (length, range) = (3, 0xA0...0xBF)
    case 0xED: (length, range) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, range) = (3, 0x80...0xBF)
    case 0xF0: (length, range) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, range) = (4, 0x80...0xBF)
    case 0xF4: (length, range) = (4, 0x80...0x8F)
    default: return nil
    }
    if lead == 0xC2, second == 0x85 { return 2 }
    guard range.contains(second), place + length <= bytes.count else { return nil }
    for index in place + 2..<max(place + 2, place + length) where bytes[index] & 0xC0 != 0x80 { return nil }
    return length
  }
}

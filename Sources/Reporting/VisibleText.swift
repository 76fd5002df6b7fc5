/// Text of any origin as a reader may be shown it: nothing in it moves a cursor, turns the writing direction or hides.
///
/// Control characters are shown as their pictures (␀ … ␡) or by number, as are direction marks and what breaks lines; a long text is cut and its
/// length said. Nothing is escaped for a language: that is the writer's.
package enum VisibleText {
  /// On one line; line breaks are shown as ⏎.
  ///
  /// - Parameter most: characters (scalars) that are shown of it.
  package static func line(_ text: String, most: Int = 200) -> String { visible(text, most: most, keepsBreaks: false) }

  /// With line breaks as they are; tabs become spaces.
  package static func block(_ text: String, most: Int = 4000) -> String { visible(text, most: most, keepsBreaks: true) }

  private static func visible(_ text: String, most: Int, keepsBreaks: Bool) -> String {
    if text.utf8.count <= most, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var result = String.UnicodeScalarView()
    var count = 0
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      guard count < most else {
        return String(result) + "… (\(text.unicodeScalars.count) characters)"
      }
      rest.removeFirst()
      count += 1
      if scalar == "\r", rest.first == "\n" { continue }
      if let mark = mark(scalar, keepsBreaks) { result.append(contentsOf: mark.unicodeScalars) } else { result.append(scalar) }
    }
    return String(result)
  }

  private static func mark(_ scalar: Unicode.Scalar, _ keepsBreaks: Bool) -> String? {
    switch scalar.value {
    case 0x0A: keepsBreaks ? nil : "⏎"
    case 0x0D: keepsBreaks ? "\n" : "⏎"
    case 0x09: keepsBreaks ? "  " : "␉"
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value).map { String($0) }
    case 0x7F: "␡"
    case 0x80...0x9F: number(scalar)
    // What sets a direction or breaks a line, and what is not seen at all: joiners, shy hyphens, tags, variation selectors' kin.
    case 0x00AD, 0x061C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE0FFF:
      number(scalar)
    default: nil
    }
  }

  private static func number(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "⟨U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)⟩"
  }
}

/// Text of any origin as one line of a terminal that is drawn anew again and again: nothing in it moves the cursor, turns the writing
/// direction or sets a colour, and every terminal gives it as many columns as `TerminalColumns` says.
///
/// So control characters are shown as their pictures (␀ … ␡), direction marks and other invisible ones by number; joiners, variation
/// selectors and skin tones are left out, for terminals differ in how wide they make what these join, and flags are shown as their letters.
package enum TerminalText {
  /// - Parameter most: characters (scalars) that are shown of it.
  package static func line(_ text: String, most: Int = 400) -> String {
    if text.utf8.count <= most, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var result = String.UnicodeScalarView()
    var count = 0
    var marks = 0
    for scalar in text.unicodeScalars {
      guard count < most else { return String(result) + "…" }
      count += 1
      switch shown(scalar) {
      case .itself:
        if DisplayWidth.columns(scalar) > 0 {
          marks = 0
        } else {
          marks += 1
          // A heap of marks on one letter reaches into other lines; one on none would stand on what is before the text.
          if marks > mostMarks { continue }
          if result.isEmpty { result.append(" ") }
        }
        result.append(scalar)
      case .instead(let text):
        marks = 0
        result.append(contentsOf: text.unicodeScalars)
      case .nothing: continue
      }
    }
    return String(result)
  }

  private static let mostMarks = 3

  private enum Shown {
    case itself
    case instead(String)
    case nothing
  }

  private static func shown(_ scalar: Unicode.Scalar) -> Shown {
    switch scalar.value {
    case 0x09: .instead(" ")
    case 0..<0x20: .instead(Unicode.Scalar(0x2400 + scalar.value).map { String($0) } ?? "?")
    case 0x20..<0x7F: .itself
    case 0x7F: .instead("␡")
    case 0x200D, 0xFE00...0xFE0F, 0x1F3FB...0x1F3FF, 0xE0100...0xE01EF: .nothing
    case 0x1F1E6...0x1F1FF: .instead(Unicode.Scalar(0x41 + scalar.value - 0x1F1E6).map { String($0) } ?? "?")
    case 0x80...0x9F, 0x00AD, 0x061C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF0...0xFFFB, 0xE0000...0xE0FFF:
      .instead(number(scalar))
    default: scalar.properties.generalCategory == .format ? .instead(number(scalar)) : .itself
    }
  }

  private static func number(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "⟨U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)⟩"
  }
}

/// Text of any origin as a reader may be shown it: nothing in it moves a cursor, turns the writing direction, sets a colour or hides.
///
/// Names, messages and completions come from manifests, programs and models, so they may hold anything. Control characters are shown as
/// their pictures (␀ … ␡), direction marks and what is not seen at all by number (⟨U+202E⟩), a heap of marks on one letter is cut, and a
/// long text ends where it is told to. Nothing is escaped for a language: that is the writer's.
package enum VisibleText {
  package enum Medium: Sendable {
    /// Shaped by who shows it: joiners and variation selectors make one picture of several characters.
    case page
    /// Every character has as many columns as `TerminalColumns` says: terminals differ in how wide they make what is joined, so joiners,
    /// selectors and skin tones are left out, and flags are shown as their letters.
    case terminal
  }

  /// On one line; line breaks are shown as ⏎.
  ///
  /// - Parameter most: characters (scalars) that are shown of it. On a page the length of a longer text is said.
  package static func line(_ text: String, most: Int = 200, on medium: Medium = .page) -> String {
    visible(text, most, medium, keepsBreaks: false)
  }

  /// With line breaks as they are; tabs become spaces.
  package static func block(_ text: String, most: Int = 4000) -> String { visible(text, most, .page, keepsBreaks: true) }

  /// More would be drawn over the lines above.
  private static let marksPerLetter = 4

  private static func visible(_ text: String, _ most: Int, _ medium: Medium, keepsBreaks: Bool) -> String {
    if text.utf8.count <= most, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var result = String.UnicodeScalarView()
    var count = 0
    var marks = 0
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      guard count < most else {
        return String(result) + (medium == .page ? "… (\(text.unicodeScalars.count) characters)" : "…")
      }
      rest.removeFirst()
      count += 1
      if scalar == "\r", rest.first == "\n" { continue }
      switch shown(scalar, after: result.last, medium, keepsBreaks) {
      case .itself:
        marks = isMark(scalar) ? marks + 1 : 0
        if marks > marksPerLetter { continue }
        // A mark on nothing would stand on what is before the text.
        if marks > 0, result.isEmpty { result.append(" ") }
        result.append(scalar)
      case .instead(let text):
        marks = 0
        result.append(contentsOf: text.unicodeScalars)
      case .nothing: continue
      }
    }
    return String(result)
  }

  private enum Shown {
    case itself
    case instead(String)
    case nothing
  }

  private static func shown(_ scalar: Unicode.Scalar, after before: Unicode.Scalar?, _ medium: Medium, _ keepsBreaks: Bool) -> Shown {
    let value = scalar.value
    switch value {
    case 0x20..<0x7F: return .itself
    case 0x0A: return keepsBreaks ? .itself : .instead("⏎")
    case 0x0D: return .instead(keepsBreaks ? "\n" : "⏎")
    case 0x09: return .instead(keepsBreaks ? "  " : medium == .page ? "␉" : " ")
    case 0..<0x20: return .instead(Unicode.Scalar(0x2400 + value).map { String($0) } ?? "?")
    case 0x7F: return .instead("␡")
    case 0x200D, 0xFE00...0xFE0F, 0x1F3FB...0x1F3FF, 0xE0100...0xE01EF:
      if medium == .terminal { return .nothing }
      // Pictures and the letters of some scripts are made with them; elsewhere they hide.
      return before.map { $0.value >= 0x900 } ?? false ? .itself : .instead(number(scalar))
    case 0x1F1E6...0x1F1FF where medium == .terminal:
      return .instead(Unicode.Scalar(0x41 + value - 0x1F1E6).map { String($0) } ?? "?")
    case 0x80...0x9F, 0x00AD, 0x061C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF0...0xFFFB, 0xE0000...0xE0FFF:
      return .instead(number(scalar))
    // XML has not these, and no text needs them.
    case _ where value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(value): return .instead("\u{FFFD}")
    default: return value > 0xFF && scalar.properties.generalCategory == .format ? .instead(number(scalar)) : .itself
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value >= 0x300 else { return false }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: return true
    default: return false
    }
  }

  private static func number(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "⟨U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)⟩"
  }
}

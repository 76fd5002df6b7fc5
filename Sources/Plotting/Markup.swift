/// Text put so that XML and HTML show it and cannot be led by it; the same for content and for the value of an attribute.
///
/// Names, messages and completions come from manifests, programs and models, so they may hold anything: markup, quotes, characters that
/// turn the direction of what follows, control characters that XML forbids, a megabyte on one line.
package enum Markup {
  /// So many Unicode scalars are shown unless told otherwise; what is cut off is said.
  package static let limit = 2_000

  /// Marks of a script that may follow one letter: more would be drawn over the lines above.
  private static let marksPerLetter = 4

  package static func escaped(_ text: String, limit: Int = Markup.limit) -> String {
    var result = ""
    for scalar in visible(text, limit: limit).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Everything as something that is seen: a line break as ␊, a character that turns direction as ⟨U+202E⟩.
  package static func visible(_ text: String, limit: Int = Markup.limit) -> String {
    var result = ""
    result.reserveCapacity(min(text.utf8.count, limit) + 32)
    var marks = 0
    for (place, scalar) in text.unicodeScalars.enumerated() {
      if place == limit { return result + "… (\(text.utf8.count) bytes)" }
      marks = scalar.value >= 0x300 && isMark(scalar) ? marks + 1 : 0
      if marks > marksPerLetter { continue }
      append(scalar, to: &result)
    }
    return result
  }

  /// At most so many Unicode scalars, with an ellipsis in the place of the middle: both ends of a name tell it apart.
  package static func shortened(_ text: String, to count: Int) -> String {
    let scalars = text.unicodeScalars
    guard scalars.prefix(count + 1).count > count else { return visible(text) }
    let tail = max(0, (count - 1) / 2)
    var (head, end) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    head.append(contentsOf: scalars.prefix(max(0, count - 1 - tail)))
    end.append(contentsOf: scalars.suffix(tail))
    return visible(String(head)) + "…" + visible(String(end))
  }

  // MARK: -

  private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar.value {
    case 0..<0x20: result.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
    case 0x7F: result += "\u{2421}"
    case 0x80...0x9F, 0x61C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE0FFF:
      result += "⟨U+\(String(scalar.value, radix: 16, uppercase: true))⟩"
    case _ where scalar.value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar.value): result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: true
    default: false
    }
  }
}

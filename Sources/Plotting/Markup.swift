import Diagnostics

/// Text put so that XML and HTML show it and cannot be led by it; the same for content and for the value of an attribute.
///
/// Names, messages and completions come from manifests, programs and models, so they may hold anything: markup, quotes, characters that
/// turn the direction of what follows, control characters that XML forbids, a megabyte on one line.
package enum Markup {
  /// So many Unicode scalars are shown unless told otherwise; what is cut off is said.
  package static let limit = 2_000

  package static func escaped(_ text: String, limit: Int = Markup.limit) -> String {
    var result = ""
    for scalar in VisibleText.line(text, most: limit).unicodeScalars {
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

  /// At most so many Unicode scalars, with an ellipsis in the place of the middle: both ends of a name tell it apart.
  package static func shortened(_ text: String, to count: Int) -> String {
    let scalars = text.unicodeScalars
    guard scalars.prefix(count + 1).count > count else { return VisibleText.line(text, most: limit) }
    let tail = max(0, (count - 1) / 2)
    var (head, end) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    head.append(contentsOf: scalars.prefix(max(0, count - 1 - tail)))
    end.append(contentsOf: scalars.suffix(tail))
    return VisibleText.line(String(head), most: limit) + "…" + VisibleText.line(String(end), most: limit)
  }
}

import Datasets
import Foundation

/// `TextNormalization` made ready: its patterns compiled.
struct Normalizer: Sendable {
  private let normalization: TextNormalization
  private let ignored: [Pattern]

  init(_ normalization: TextNormalization) throws(DatasetError) {
    self.normalization = normalization
    var ignored: [Pattern] = []
    for pattern in normalization.regexesToIgnore { ignored.append(try Pattern(pattern)) }
    self.ignored = ignored
  }

  /// lm-eval's order: patterns, case, punctuation, digits; then white space at both ends.
  func callAsFunction(_ text: String) -> String {
    var text = ignored.reduce(text) { text, pattern in pattern.removing(from: text) }
    if normalization.ignoreCase { text = text.lowercased() }
    if normalization.ignorePunctuation { text = text.without { Self.isPunctuation($0) } }
    if normalization.ignoreNumbers { text = text.without { ("0"..."9").contains($0) } }
    return normalization.strip ? text.trimmed : text
  }

  /// Python's `string.punctuation`: the 32 of ASCII.
  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "!"..."/", ":"..."@", "["..."`", "{"..."~": true
    default: false
    }
  }
}

extension String {
  func without(_ dropped: (Unicode.Scalar) -> Bool) -> String {
    var kept = String.UnicodeScalarView()
    for scalar in unicodeScalars where !dropped(scalar) { kept.append(scalar) }
    return String(kept)
  }

  /// Without white space at both ends.
  var trimmed: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }

  func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

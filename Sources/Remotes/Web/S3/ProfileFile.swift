/// One of AWS's configuration files: sections of `name = value`, some values being indented lists of more such (`s3.endpoint_url`). It does not
/// know what the names mean.
struct ProfileFile: Sendable {
  private(set) var sections: [String: [String: String]] = [:]

  init(_ text: String) {
    var section: String?
    var parent: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let isIndented = line.first == " " || line.first == "\t"
      let words = line.trimmed
      guard !words.isEmpty, words.first != "#", words.first != ";" else { continue }
      if words.first == "[" {
        section = words.firstIndex(of: "]").map { words[words.index(after: words.startIndex)..<$0].trimmed }.map(Self.name)
        parent = nil
        continue
      }
      guard let section, let equals = words.firstIndex(of: "=") else { continue }
      let name = words[..<equals].trimmed.lowercased()
      var value = words[words.index(after: equals)...].trimmed
      // A comment after a value has white space before it.
      if let comment = value.firstRange(of: " #") ?? value.firstRange(of: " ;") { value = value[..<comment.lowerBound].trimmed }
      if isIndented, let parent {
        sections[section, default: [:]]["\(parent).\(name)"] = String(value)
      } else {
        parent = value.isEmpty ? name : nil
        sections[section, default: [:]][name] = String(value)
      }
    }
  }

  /// `profile x` and `services y` with one space.
  private static func name(_ words: Substring) -> String { words.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

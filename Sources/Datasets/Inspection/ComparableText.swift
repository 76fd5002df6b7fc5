import Foundation

/// A text as comparisons see it: as it stands, and without what makes two writings of one thing differ.
package struct ComparableText: Sendable {
  package let text: String
  /// Lower case in canonical composition, words apart by one space, without the marks of a sentence at their ends. Signs stay, for "3 + 4" is not
  /// "3 - 4". The text itself where nothing is left.
  package let words: [String]

  package init(_ text: String) {
    self.text = text
    let plain = text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
    let words = plain.lowercased().unicodeScalars.split { $0.properties.isWhitespace }.compactMap { word -> String? in
      let begun = word.drop { Self.marks.contains($0) }
      guard let end = begun.lastIndex(where: { !Self.marks.contains($0) }) else { return nil }
      return String(Substring(begun[...end]))
    }
    self.words = words.isEmpty ? [text] : words
  }

  /// What a record asks, whoever is told to answer: system turns are left out. Plain text is its own question.
  package init(question record: Record) {
    switch record.prompt {
    case nil: if case .text(let text) = record.content { self.init(text) } else { self.init("") }
    case .text(let text)?: self.init(text)
    case .messages(let messages)?: self.init(messages.filter { $0.role != "system" }.map(\.content).joined(separator: "\n"))
    }
  }

  package var normalized: String { words.joined(separator: " ") }

  private static let marks = Set(".,;:!?\"'…“”‘’„«»".unicodeScalars)
}

import Diagnostics

/// A scalar's text taken apart at its `${…}`. It does not know what the names stand for.
package struct Template: Sendable, Equatable {
  package enum Piece: Sendable, Equatable {
    case text(String)
    /// `${a.b}` as `["a", "b"]`.
    case placeholder([String])
  }

  package let pieces: [Piece]

  package init(pieces: [Piece]) { self.pieces = pieces }

  /// The names when the text is one whole `${…}`: then the value keeps its type.
  package var whole: [String]? {
    if pieces.count == 1, case .placeholder(let names) = pieces[0] { names } else { nil }
  }

  /// The text, when there is nothing to replace.
  package var literal: String? {
    if pieces.isEmpty { return "" }
    if pieces.count == 1, case .text(let text) = pieces[0] { return text }
    return nil
  }

  /// Why a text is no template; `offset` counts Unicode scalars from its start.
  package struct Fault: Error, Equatable {
    package let message: String
    package let offset: Int
  }

  /// Whether a text has anything to take apart.
  package static func isNeeded(for text: String) -> Bool { text.utf8.contains(UInt8(ascii: "$")) }

  package init(parsing text: String) throws(Fault) {
    guard Self.isNeeded(for: text) else {
      pieces = text.isEmpty ? [] : [.text(text)]
      return
    }
    var pieces: [Piece] = []
    var plain = String.UnicodeScalarView()
    let scalars = Array(text.unicodeScalars)
    var place = 0
    while place < scalars.count {
      if scalars[place...].starts(with: "$${".unicodeScalars) {
        plain.append(contentsOf: "${".unicodeScalars)
        place += 3
      } else if scalars[place...].starts(with: "${".unicodeScalars) {
        guard let end = scalars[place...].firstIndex(of: "}") else {
          throw Fault(message: ManifestText.unclosedPlaceholder(), offset: place)
        }
        if !plain.isEmpty { pieces.append(.text(String(plain))) }
        plain = String.UnicodeScalarView()
        pieces.append(.placeholder(try Self.names(scalars[(place + 2)..<end], at: place)))
        place = end + 1
      } else {
        plain.append(scalars[place])
        place += 1
      }
    }
    if !plain.isEmpty { pieces.append(.text(String(plain))) }
    self.pieces = pieces
  }

  private static func names(_ scalars: ArraySlice<Unicode.Scalar>, at offset: Int) throws(Fault) -> [String] {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    let names = String(text).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard names.allSatisfy(Name.isValid) else { throw Fault(message: ManifestText.badPlaceholder(String(text)), offset: offset) }
    return names
  }
}

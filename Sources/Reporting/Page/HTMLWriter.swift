import Diagnostics
import Plotting

/// HTML text under construction. Whatever is said in it goes through `Markup`: there is no other way for a text to get in.
///
/// It knows elements and nothing of reports. Fragments that were written by it, and charts, may be put in as they are.
package struct HTMLWriter: Sendable {
  package typealias Attributes = KeyValuePairs<String, String?>

  package private(set) var text = ""
  private var names: [String] = []

  /// So many characters of one text are shown; what is cut off is said.
  package static let most = 2_000

  package init() {}

  /// - Parameter attributes: a nil value is an attribute that is not there, an empty one such as `hidden` stands alone.
  package mutating func open(_ name: String, _ attributes: Attributes = [:]) {
    begin(name, attributes)
    names.append(name)
  }

  package mutating func close() { text += "</\(names.removeLast())>" }

  /// An element around what `content` writes.
  package mutating func element(_ name: String, _ attributes: Attributes = [:], _ content: (inout HTMLWriter) -> Void) {
    open(name, attributes)
    content(&self)
    close()
  }

  /// An element with a text in it.
  package mutating func element(_ name: String, _ attributes: Attributes, _ text: String) {
    open(name, attributes)
    say(text)
    close()
  }

  package mutating func element(_ name: String, _ text: String) { element(name, [:], text) }

  /// One without content: `input`, `meta`, `br`.
  package mutating func void(_ name: String, _ attributes: Attributes = [:]) { begin(name, attributes) }

  package mutating func say(_ text: String) { self.text += Self.escaped(text) }

  /// Lines as they are, for an element that keeps white space.
  package mutating func sayBlock(_ text: String, most: Int = 4_000) {
    let visible = VisibleText.block(text, most: most)
    let lines = visible.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
    self.text += lines.map { Markup.escaped(String(decoding: $0, as: UTF8.self), limit: .max) }.joined(separator: "\n")
  }

  package mutating func add(_ fragment: HTMLFragment) { text += fragment.text }

  package mutating func lineBreak() { text += "\n" }

  package var fragment: HTMLFragment {
    precondition(names.isEmpty, "<\(names.last ?? "")> is open")
    return HTMLFragment(text: text)
  }

  package static func escaped(_ text: String) -> String {
    let isPlain = text.utf8.count <= most && text.utf8.allSatisfy(isHarmless)
    // Line breaks and tabs have marks there that the common fonts have.
    return isPlain ? text : Markup.escaped(VisibleText.line(text, most: most), limit: .max)
  }

  private static func isHarmless(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
    default: (0x20..<0x7F).contains(byte)
    }
  }

  private mutating func begin(_ name: String, _ attributes: Attributes) {
    text += "<" + name
    for case (let key, let value?) in attributes { text += value.isEmpty ? " \(key)" : " \(key)=\"\(Self.escaped(value))\"" }
    text += ">"
  }
}

/// A part of a page, whole and escaped. Only this module makes them, and only with `HTMLWriter`, charts and its own assets.
package struct HTMLFragment: Sendable, Equatable {
  package let text: String

  init(text: String) { self.text = text }

  package init(_ content: (inout HTMLWriter) -> Void) {
    var writer = HTMLWriter()
    content(&writer)
    self = writer.fragment
  }

  package static let empty = HTMLFragment(text: "")
  package var isEmpty: Bool { text.isEmpty }
}

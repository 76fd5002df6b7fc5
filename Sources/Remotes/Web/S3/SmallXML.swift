/// An XML element of the small kind that S3 servers answer with: names without their namespaces, text, children. Read with bounds on depth and
/// number; document types, and with them entities of one's own, are refused.
package struct SmallXML: Equatable, Sendable {
  package var name: String
  /// All text directly inside, entities resolved.
  package var text = ""
  package var children: [SmallXML] = []

  private static let mostDepth = 16
  private static let mostElements = 100_000

  package subscript(_ name: String) -> SmallXML? { children.first { $0.name == name } }
  package func all(_ name: String) -> [SmallXML] { children.filter { $0.name == name } }
  /// The text of a child.
  package func text(_ name: String) -> String? { self[name]?.text }

  package init(name: String) { self.name = name }

  /// Nil for what is no well-formed document within the bounds.
  package init?(parsing bytes: [UInt8]) {
    var parser = Parser(rest: bytes[...])
    guard let root = parser.document() else { return nil }
    self = root
  }

  private struct Parser {
    var rest: ArraySlice<UInt8>
    var open: [SmallXML] = []
    var elements = 0

    mutating func document() -> SmallXML? {
      while !rest.isEmpty {
        if let text = take(until: UInt8(ascii: "<")), !add(text) { return nil }
        guard rest.first == UInt8(ascii: "<") else { return nil }
        switch rest.dropFirst().first {
        case UInt8(ascii: "?"): guard skip("<?", "?>") != nil else { return nil }
        case UInt8(ascii: "!"): guard special() else { return nil }
        case UInt8(ascii: "/"):
          guard let tag = skip("</", ">"), let done = open.popLast(), Self.name(tag) == done.name else { return nil }
          guard !open.isEmpty else { return done }
          open[open.count - 1].children.append(done)
        default:
          guard let tag = skip("<", ">"), let root = begin(tag) else { return nil }
          if let root = root { return root }
        }
      }
      return nil
    }

    /// Comments and unparsed text; nothing else.
    private mutating func special() -> Bool {
      if rest.starts(with: "<!--".utf8) { return skip("<!--", "-->") != nil }
      guard rest.starts(with: "<![CDATA[".utf8), let text = skip("<![CDATA[", "]]>"), !open.isEmpty else { return false }
      open[open.count - 1].text += String(decoding: text, as: UTF8.self)
      return true
    }

    /// Nil when it cannot be; the root when it is empty and so the end; `.some(nil)` when it goes on.
    private mutating func begin(_ tag: ArraySlice<UInt8>) -> SmallXML?? {
      elements += 1
      guard elements <= SmallXML.mostElements, open.count < SmallXML.mostDepth else { return nil }
      let isEmpty = tag.last == UInt8(ascii: "/")
      let name = Self.name(tag.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") })
      guard !name.isEmpty else { return nil }
      let element = SmallXML(name: name)
      guard isEmpty else {
        open.append(element)
        return .some(nil)
      }
      if open.isEmpty { return element }
      open[open.count - 1].children.append(element)
      return .some(nil)
    }

    /// Without the namespace and the white space around it.
    private static func name(_ bytes: ArraySlice<UInt8>) -> String {
      let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
      return text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) } ?? text
    }

    private mutating func take(until end: UInt8) -> ArraySlice<UInt8>? {
      let text = rest.prefix { $0 != end }
      rest = rest.dropFirst(text.count)
      return text.isEmpty ? nil : text
    }

    private mutating func skip(_ start: String, _ end: String) -> ArraySlice<UInt8>? {
      let from = rest.startIndex + start.utf8.count
      guard from <= rest.endIndex else { return nil }
      let last = Array(end.utf8)
      var place = from
      while place + last.count <= rest.endIndex {
        if rest[place] == last[0], rest[place..<(place + last.count)].elementsEqual(last) {
          defer { rest = rest[(place + last.count)...] }
          return rest[from..<place]
        }
        place += 1
      }
      return nil
    }

    private mutating func add(_ text: ArraySlice<UInt8>) -> Bool {
      guard !open.isEmpty else { return text.allSatisfy { $0 <= 0x20 || $0 >= 0x80 } }
      guard let resolved = Self.resolved(text) else { return false }
      open[open.count - 1].text += resolved
      return true
    }

    private static func resolved(_ bytes: ArraySlice<UInt8>) -> String? {
      guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
      var result = ""
      var rest = bytes
      while !rest.isEmpty {
        let plain = rest.prefix { $0 != UInt8(ascii: "&") }
        result += String(decoding: plain, as: UTF8.self)
        rest = rest.dropFirst(plain.count)
        guard !rest.isEmpty else { break }
        let name = rest.dropFirst().prefix(10).prefix { $0 != UInt8(ascii: ";") }
        guard rest.dropFirst(1 + name.count).first == UInt8(ascii: ";"), let character = entity(String(decoding: name, as: UTF8.self))
        else {
          return nil
        }
        result.unicodeScalars.append(character)
        rest = rest.dropFirst(name.count + 2)
      }
      return result
    }

    private static func entity(_ name: String) -> Unicode.Scalar? {
      switch name {
      case "amp": return "&"
      case "lt": return "<"
      case "gt": return ">"
      case "quot": return "\""
      case "apos": return "'"
      default:
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        return (digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)).flatMap { Unicode.Scalar($0) }
      }
    }
  }
}

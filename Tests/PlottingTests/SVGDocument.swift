import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// An SVG text read back by an XML parser: its elements with their attributes, and their text.
final class SVGDocument: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    let isWhole = parser.parse()
    try #require(isWhole, "not well-formed in line \(parser.lineNumber): \(String(describing: parser.parserError)): \(text.prefix(300))")
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) { open.removeLast() }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let last = open.last { elements[last].text += string }
  }

  /// Those of a class.
  func of(_ name: String) -> [Element] {
    elements.filter { ($0.attributes["class"] ?? "").split(separator: " ").contains { $0 == name } }
  }

  var texts: [String] { elements.filter { $0.name == "text" }.map(\.text) }
}

extension SVGDocument.Element {
  func number(_ name: String) throws -> Double { try #require(attributes[name].flatMap(Double.init), "\(self.name) has no \(name)") }
}

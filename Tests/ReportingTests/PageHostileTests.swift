import Foundation
import JSONValues
import Reporting
import Testing

/// Whatever stands in a name, a message, a prompt or a completion, the page shows it as text.
@Suite("Hostile texts in a page") struct PageHostileTests {
  @Test("no text becomes an element, an attribute, an entity or a turn of direction")
  func texts() throws {
    // As many texts and as long, so that the page has the same parts.
    let harmless = HostileTextTests.texts.enumerated().map { "\($0)" + String(repeating: "x", count: $1.unicodeScalars.count) }
    let plain = try Self.names(HostileTextTests.run(harmless).report().page)
    let html = try HostileTextTests.run(HostileTextTests.texts).report().page
    // The reader fails on anything that our writer does not write.
    let more = try Self.names(html).subtracting(plain)
    #expect(more == [], "\(more)")
    #expect(html.utf8.count < 3_000_000)
    for scalar in html.unicodeScalars {
      let isControl = (scalar.value < 0x20 && scalar != "\n") || (0x7F...0x9F).contains(scalar.value)
      let isHidden = [0x202A...0x202E, 0x2066...0x2069, 0x2028...0x2029, 0x200B...0x200C, 0x200E...0x200F, 0xFEFF...0xFEFF].contains {
        $0.contains(scalar.value)
      }
      if isControl || isHidden { return #expect(Bool(false), "U+\(String(scalar.value, radix: 16)) is in the page") }
    }
    let page = try PageDocument(html)
    #expect(page.elements.filter { $0.name == "script" && $0.attributes["type"] == nil }.map(\.text) == [PageAssets.script])
    #expect(page.elements.contains { $0.name == "td" && $0.text == "<script>alert(1)</script>" }, "the text itself is shown")
  }

  /// Names of elements, and of their attributes.
  private static func names(_ html: String) throws -> Set<String> {
    let page = try PageDocument(html)
    return Set(page.elements.flatMap { element in [element.name] + element.attributes.keys.map { "\(element.name) \($0)" } })
  }

  @Test("data for the script reads back, and nothing in it ends its element")
  func data() throws {
    let page = try PageDocument(try HostileTextTests.run(HostileTextTests.texts).report().page)
    let scripts = page.elements.filter { $0.name == "script" && $0.attributes["type"] == "application/json" }
    #expect(scripts.count > 3)
    for script in scripts {
      #expect(!script.text.contains("<") && !script.text.contains("&"))
      #expect(throws: Never.self) { try JSONValue.parse(script.text) }
    }
  }
}

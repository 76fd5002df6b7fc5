import Foundation
import JSONValues
import Testing

/// A page read back as a browser's parser would: elements with attributes and text. It reads what `HTMLWriter` may write and nothing looser,
/// and fails on anything else, such as a tag that is not closed.
struct PageDocument {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// All that stands in it and its elements.
    var text = ""
    /// Places of elements around it, from the outside in.
    let parents: [Int]
  }

  private(set) var elements: [Element] = []
  private static let void: Set<String> = ["meta", "br", "input", "link"]
  private static let raw: Set<String> = ["script", "style"]

  init(_ html: String) throws {
    var rest = Substring(html)
    var open: [Int] = []
    try #require(rest.hasPrefix("<!DOCTYPE html>\n"))
    rest = rest.dropFirst("<!DOCTYPE html>\n".utf8.count)
    while let next = rest.firstIndex(of: "<") {
      try say(rest[..<next], open)
      rest = rest[next...]
      let end = try #require(rest.firstIndex(of: ">"), "a tag has no end: \(rest.prefix(80))")
      let tag = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        let popped = open.popLast()
        let last = try #require(popped)
        try #require(elements[last].name == tag.dropFirst(), "</\(tag.dropFirst())> closes <\(elements[last].name)>")
        continue
      }
      let isAlone = tag.hasSuffix("/")
      let (name, attributes) = try Self.parts(isAlone ? tag.dropLast() : tag)
      elements.append(Element(name: name, attributes: attributes, parents: open))
      if isAlone || Self.void.contains(name) { continue }
      open.append(elements.count - 1)
      guard Self.raw.contains(name), elements[elements.count - 1].parents.allSatisfy({ elements[$0].name != "svg" }) else { continue }
      let close = try #require(rest.firstRange(of: "</\(name)"))
      elements[elements.count - 1].text = String(rest[..<close.lowerBound])
      rest = rest[close.lowerBound...]
    }
    try #require(open.isEmpty)
  }

  private mutating func say(_ text: Substring, _ open: [Int]) throws {
    guard !text.isEmpty else { return }
    let plain = try Self.unescaped(text)
    for place in open { elements[place].text += plain }
  }

  private static func parts(_ tag: Substring) throws -> (String, [String: String]) {
    let name = tag.prefix { $0 != " " }
    var attributes: [String: String] = [:]
    var rest = tag.dropFirst(name.count)
    while !rest.isEmpty {
      rest = rest.drop { $0 == " " }
      let key = rest.prefix { $0 != "=" && $0 != " " }
      rest = rest.dropFirst(key.count)
      guard rest.first == "=" else {
        attributes[String(key)] = ""
        continue
      }
      rest = rest.dropFirst()
      try #require(rest.first == "\"", "an attribute without quotes: \(tag.prefix(200))")
      let value = rest.dropFirst().prefix { $0 != "\"" }
      rest = rest.dropFirst(value.count + 2)
      attributes[String(key)] = try unescaped(value)
    }
    return (String(name), attributes)
  }

  private static func unescaped(_ text: Substring) throws -> String {
    var result = ""
    var rest = text
    while let next = rest.firstIndex(of: "&") {
      result += rest[..<next]
      let end = try #require(rest[next...].firstIndex(of: ";"), "a bare &: \(rest[next...].prefix(40))")
      let names = ["&amp": "&", "&lt": "<", "&gt": ">", "&quot": "\"", "&#39": "'"]
      result += try #require(names[String(rest[next..<end])], "\(rest[next...end]) is none of ours")
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  // MARK: - Looking

  func element(_ id: String) -> Element? { elements.first { $0.attributes["id"] == id } }

  func inside(_ id: String) -> [Element] {
    guard let place = elements.firstIndex(where: { $0.attributes["id"] == id }) else { return [] }
    return elements.filter { $0.parents.contains(place) }
  }

  /// Rows of cells of the first table in a section whose head has a column of that name.
  func table(_ section: String, having column: String) -> [[String]] {
    guard let around = elements.firstIndex(where: { $0.attributes["id"] == section }) else { return [] }
    for (place, element) in elements.enumerated() where element.name == "table" && element.parents.contains(around) {
      let rows = elements.indices.filter { elements[$0].name == "tr" && elements[$0].parents.contains(place) }
      let cells = rows.map { row in elements.filter { ["td", "th"].contains($0.name) && $0.parents.contains(row) }.map(\.text) }
      if cells.first?.contains(column) == true { return cells }
    }
    return []
  }

  /// The data beside the chart with that id.
  func data(_ id: String) throws -> JSONValue {
    let svg = try #require(elements.first { $0.attributes["id"] == id })
    let figure = try #require(svg.parents.last { elements[$0].name == "figure" })
    let script = try #require(elements.first { $0.name == "script" && $0.parents.last == figure })
    return try JSONValue.parse(script.text)
  }
}

import JSONValues
import Manifests

/// Reads references. It does not know what they name.
struct ReferenceParser {
  /// The text with each placeholder as one token.
  private enum Token {
    case scalar(Unicode.Scalar)
    case placeholder([String])
  }

  private let tokens: [Token]
  private var place = 0

  /// The reference, or nil when the text is none. Placeholders stand in brackets only; others are replaced before.
  static func parse(_ template: Template, text: String) -> Reference? {
    var parser = ReferenceParser(template)
    return parser.reference(text)
  }

  /// `sft[2e-5]` or `rft[sort].train`, without placeholders and without an output.
  static func parse(target text: String) -> [Reference.Segment]? {
    var parser = ReferenceParser(Template(pieces: [.text(text)]))
    return parser.segments()
  }

  /// Whether placeholders stand outside brackets, so that the text must be put together before it can be read.
  static func isDynamic(_ template: Template) -> Bool {
    var depth = 0
    for piece in template.pieces {
      switch piece {
      case .placeholder: if depth == 0 { return true }
      case .text(let text):
        for byte in text.utf8 {
          if byte == UInt8(ascii: "[") { depth += 1 }
          if byte == UInt8(ascii: "]") { depth -= 1 }
        }
      }
    }
    return false
  }

  private init(_ template: Template) {
    tokens = template.pieces.flatMap { piece -> [Token] in
      switch piece {
      case .text(let text): text.unicodeScalars.map { .scalar($0) }
      case .placeholder(let path): [.placeholder(path)]
      }
    }
  }

  private mutating func reference(_ text: String) -> Reference? {
    guard let segments = segments(), segments.count > 1, let last = segments.last, case .none = last.selector else { return nil }
    return Reference(path: Array(segments.dropLast()), output: last.name, text: text)
  }

  private mutating func segments() -> [Reference.Segment]? {
    var segments: [Reference.Segment] = []
    while true {
      guard let name = name() else { return nil }
      guard skip("[") else {
        segments.append(Reference.Segment(name: name, selector: .none))
        if place == tokens.count { return segments }
        guard skip(".") else { return nil }
        continue
      }
      guard let selector = selector() else { return nil }
      segments.append(Reference.Segment(name: name, selector: selector))
      if place == tokens.count { return segments }
      guard skip(".") else { return nil }
    }
  }

  private mutating func name() -> String? {
    var name = String.UnicodeScalarView()
    while case .scalar(let scalar)? = peek, scalar != ".", scalar != "[", scalar != "]" {
      name.append(scalar)
      place += 1
    }
    let text = String(name)
    return Name.isValid(text) ? text : nil
  }

  // MARK: - Brackets

  private mutating func selector() -> Reference.Selector? {
    var items: [(axis: String?, item: Reference.Item)] = []
    while true {
      skipSpaces()
      let axis = axisName()
      guard let item = item() else { return nil }
      items.append((axis, item))
      if skip("]") { break }
      guard skip(",") else { return nil }
    }
    if items.count == 1, items[0].axis == nil, case .any = items[0].item { return .all }
    let named = items.compactMap { item in item.axis.map { (axis: $0, item: item.item) } }
    if named.isEmpty { return .positional(items.map(\.item)) }
    return named.count == items.count ? .named(named) : nil
  }

  /// `axis=`, if that comes next.
  private mutating func axisName() -> String? {
    let start = place
    var name = String.UnicodeScalarView()
    while case .scalar(let scalar)? = peek, scalar != "=", scalar != ",", scalar != "]" {
      name.append(scalar)
      place += 1
    }
    let text = String(name)
    if Name.isValid(text), skip("=") { return text }
    place = start
    return nil
  }

  private mutating func item() -> Reference.Item? {
    if case .scalar(let quote)? = peek, quote == "\"" || quote == "'" { return quoted(quote) }
    var pieces: [Template.Piece] = []
    var text = String.UnicodeScalarView()
    while let token = peek {
      switch token {
      case .scalar(","), .scalar("]"):
        return item(pieces, text)
      case .scalar("["): return nil
      case .scalar(let scalar): text.append(scalar)
      case .placeholder(let path):
        if !text.isEmpty { pieces.append(.text(String(text))) }
        text = String.UnicodeScalarView()
        pieces.append(.placeholder(path))
      }
      place += 1
    }
    return nil
  }

  private func item(_ pieces: [Template.Piece], _ rest: String.UnicodeScalarView) -> Reference.Item? {
    var rest = rest
    while rest.last == " " { rest.removeLast() }
    guard !pieces.isEmpty else {
      let text = String(rest)
      if text == "*" { return .any }
      return text.isEmpty ? nil : .value(Self.value(text))
    }
    return .template(Template(pieces: rest.isEmpty ? pieces : pieces + [.text(String(rest))]))
  }

  private mutating func quoted(_ quote: Unicode.Scalar) -> Reference.Item? {
    place += 1
    var text = String.UnicodeScalarView()
    while let token = peek {
      guard case .scalar(let scalar) = token else { return nil }
      place += 1
      if scalar == quote {
        skipSpaces()
        return .value(.string(String(text)))
      }
      text.append(scalar)
    }
    return nil
  }

  /// What YAML reads in the text of an item: `1e-5` is a number, `sort` a string.
  static func value(_ text: String) -> JSONValue {
    switch CoreSchema.value(of: text) {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .unrepresentable, .string: .string(text)
    }
  }

  // MARK: - Tokens

  private var peek: Token? { place < tokens.count ? tokens[place] : nil }

  private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard case .scalar(scalar)? = peek else { return false }
    place += 1
    return true
  }

  private mutating func skipSpaces() { while skip(" ") {} }
}

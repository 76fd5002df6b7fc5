import JSONValues

/// The filters, tests and string methods that templates may use, as Jinja and Python define them.
enum TemplateFunctions {
  static let filters: Set<String> = [
    "trim", "length", "count", "upper", "lower", "capitalize", "string", "int", "list", "first", "last", "join", "default", "d", "replace",
    "items", "tojson", "safe", "select", "reject", "selectattr", "rejectattr",
  ]
  static let testsWithOperand: Set<String> = ["equalto", "eq", "ne", "in"]
  static let tests: Set<String> = testsWithOperand.union([
    "defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "boolean", "true", "false", "odd",
    "even",
  ])

  /// Nil when the values are not what the filter takes.
  static func filter(_ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ named: [String: TemplateValue])
    -> TemplateValue?
  {
    switch (name, value) {
    case ("default", _), ("d", _):
      let alsoFalse = (arguments.count > 1 ? arguments[1] : named["boolean"] ?? .bool(false)).isTrue
      if case .undefined = value { return arguments.first ?? .string("") }
      return alsoFalse && !value.isTrue ? arguments.first ?? .string("") : value
    case ("safe", _): return value
    case ("trim", _): return value.text.flatMap { method("strip", $0, arguments) }
    case ("upper", _), ("lower", _), ("capitalize", _), ("replace", _): return value.text.flatMap { method(name, $0, arguments) }
    case ("string", _): return value.text.map { .string($0) }
    case ("int", .string(let text)): return .integer(Int(text) ?? 0)
    case ("int", .integer), ("int", .bool): return .integer(value.integer ?? 0)
    case ("length", .string(let text)), ("count", .string(let text)): return .integer(text.unicodeScalars.count)
    case ("length", _), ("count", _): return value.elements.map { .integer($0.count) }
    case ("list", _): return value.elements.map { .list($0) }
    case ("first", _): return value.elements.map { $0.first ?? .undefined }
    case ("last", _): return value.elements.map { $0.last ?? .undefined }
    case ("items", .mapping(let members)): return .list(members.map { .list([.string($0.key), $0.value]) })
    case ("join", _):
      let texts = value.elements?.compactMap(\.text)
      guard let texts, texts.count == value.elements?.count else { return nil }
      return joined(texts, arguments.first?.text ?? "")
    case ("select", _), ("selectattr", _): return chosen(value, arguments, byMember: name == "selectattr", wanted: true)
    case ("reject", _), ("rejectattr", _): return chosen(value, arguments, byMember: name == "rejectattr", wanted: false)
    case ("tojson", _): return arguments.isEmpty && named.isEmpty ? value.json.map { .string($0) } : nil
    default: return nil
    }
  }

  /// The elements which, or a member of which, a test finds true or false: `members | rejectattr('role', 'equalto', 'system')`.
  private static func chosen(_ value: TemplateValue, _ arguments: [TemplateValue], byMember: Bool, wanted: Bool) -> TemplateValue? {
    var rest = arguments[...]
    var member: String?
    if byMember {
      guard case .string(let name) = rest.popFirst() else { return nil }
      member = name
    }
    guard let elements = value.elements else { return nil }
    var chosen: [TemplateValue] = []
    for element in elements {
      var subject = element
      if let member {
        guard case .mapping(let members) = element else { return nil }
        subject = TemplateValue.member(members, member)
      }
      guard let holds = holds(rest, subject) else { return nil }
      if holds == wanted { chosen.append(element) }
    }
    return .list(chosen)
  }

  /// A test's name and operand; without them the value's own truth.
  private static func holds(_ arguments: ArraySlice<TemplateValue>, _ subject: TemplateValue) -> Bool? {
    guard let first = arguments.first else { return subject.isTrue }
    guard case .string(let name) = first, tests.contains(name) else { return nil }
    return test(name, subject, arguments.dropFirst().first)
  }

  static func test(_ name: String, _ value: TemplateValue, _ operand: TemplateValue?) -> Bool? {
    switch (name, value) {
    case ("defined", .undefined): return false
    case ("defined", _): return true
    case ("undefined", .undefined): return true
    case ("undefined", _): return false
    case ("none", .none): return true
    case ("string", .string), ("mapping", .mapping), ("boolean", .bool), ("integer", .integer): return true
    case ("number", .integer), ("number", .bool): return true
    case ("iterable", .string), ("iterable", .list), ("iterable", .mapping), ("iterable", .undefined): return true
    case ("sequence", .string), ("sequence", .list), ("sequence", .mapping), ("sequence", .undefined): return true
    case ("true", .bool(let value)): return value
    case ("false", .bool(let value)): return !value
    case ("odd", .integer(let value)): return value % 2 != 0
    case ("even", .integer(let value)): return value % 2 == 0
    case ("odd", _), ("even", _): return nil
    case ("equalto", _), ("eq", _): return operand.map { value == $0 }
    case ("ne", _): return operand.map { !(value == $0) }
    case ("in", _): return operand.flatMap { contains($0, value) }
    default: return false
    }
  }

  /// `needle in haystack`
  static func contains(_ haystack: TemplateValue, _ needle: TemplateValue) -> Bool? {
    switch (haystack, needle) {
    case (.string(let text), .string(let part)): return part.isEmpty || ranges(of: part, in: text).first != nil
    case (.list(let values), _): return values.contains { $0 == needle }
    case (.mapping(let members), .string(let key)): return members.contains { $0.key.utf8.elementsEqual(key.utf8) }
    case (.mapping, _), (.undefined, _): return false
    default: return nil
    }
  }

  /// Python's methods of strings. Nil when there is none of that name or it takes no such arguments.
  static func method(_ name: String, _ text: String, _ arguments: [TemplateValue]) -> TemplateValue? {
    let texts = arguments.compactMap { if case .string(let text) = $0 { text } else { nil } }
    switch (name, texts.count, arguments.count - texts.count) {
    case ("strip", 0...1, 0): return .string(stripped(text, texts.first, left: true, right: true))
    case ("lstrip", 0...1, 0): return .string(stripped(text, texts.first, left: true, right: false))
    case ("rstrip", 0...1, 0): return .string(stripped(text, texts.first, left: false, right: true))
    case ("upper", 0, 0): return .string(text.uppercased())
    case ("lower", 0, 0): return .string(text.lowercased())
    case ("capitalize", 0, 0): return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
    case ("startswith", 1, 0): return .bool(text.utf8.starts(with: texts[0].utf8))
    case ("endswith", 1, 0): return .bool(text.utf8.reversed().starts(with: texts[0].utf8.reversed()))
    case ("replace", 2, 0) where !texts[0].isEmpty: return joined(pieces(of: text, between: texts[0]), texts[1])
    case ("split", 1, 0) where !texts[0].isEmpty: return .list(pieces(of: text, between: texts[0]).map { .string($0) })
    case ("split", 0, 0): return .list(text.unicodeScalars.split(whereSeparator: isSpace).map { .string(String(Substring($0))) })
    default: return nil
    }
  }

  // MARK: - Strings as Python has them

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  private static func stripped(_ text: String, _ set: String?, left: Bool, right: Bool) -> String {
    let letters = set.map { Set($0.unicodeScalars) }
    func drops(_ scalar: Unicode.Scalar) -> Bool { letters?.contains(scalar) ?? isSpace(scalar) }
    var scalars = Substring(text).unicodeScalars
    while left, let first = scalars.first, drops(first) { scalars.removeFirst() }
    while right, let last = scalars.last, drops(last) { scalars.removeLast() }
    return String(Substring(scalars))
  }

  /// Where `part`, which is not empty, stands in `text`, in bytes, none overlapping another.
  private static func ranges(of part: String, in text: String) -> [Range<Int>] {
    let (part, text) = (Array(part.utf8), Array(text.utf8))
    var ranges: [Range<Int>] = []
    let borders = borders(of: part)
    var matched = 0
    for (at, byte) in text.enumerated() {
      while matched > 0, part[matched] != byte { matched = borders[matched - 1] }
      if part[matched] == byte { matched += 1 }
      guard matched == part.count else { continue }
      ranges.append(at + 1 - part.count..<at + 1)
      matched = 0
    }
    return ranges
  }

  /// Of each beginning of a text, how much of its beginning is its end, too (Knuth, Morris and Pratt): so a search takes time in proportion
  /// to the text, whatever the two are.
  private static func borders(of part: [UInt8]) -> [Int] {
    var borders = [0]
    for byte in part.dropFirst() {
      var border = borders[borders.count - 1]
      while border > 0, part[border] != byte { border = borders[border - 1] }
      borders.append(part[border] == byte ? border + 1 : 0)
    }
    return borders
  }

  /// Nil where the text would be longer than any conversation: a short template can ask for that.
  private static func joined(_ texts: [String], _ separator: String) -> TemplateValue? {
    let count = texts.reduce(0) { $0 + $1.utf8.count } + texts.count * separator.utf8.count
    return count <= 1 << 25 ? .string(texts.joined(separator: separator)) : nil
  }

  private static func pieces(of text: String, between separator: String) -> [String] {
    let bytes = Array(text.utf8)
    var pieces: [String] = []
    var start = 0
    for range in ranges(of: separator, in: text) {
      pieces.append(String(decoding: bytes[start..<range.lowerBound], as: UTF8.self))
      start = range.upperBound
    }
    return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
  }
}

extension TemplateValue {
  /// What a loop over the value goes through: a string's scalars, a mapping's keys. Nothing for an undefined value.
  var elements: [TemplateValue]? {
    switch self {
    case .list(let values): values
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    case .mapping(let members): members.map { .string($0.key) }
    case .undefined: []
    default: nil
    }
  }

  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// As Python's `json.dumps` writes it, letters beyond ASCII left as they are.
  fileprivate var json: String? {
    switch self {
    case .none: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .string(let text): return JSONValue.string(text).encoded()
    case .list(let values):
      let parts = values.compactMap(\.json)
      return parts.count == values.count ? "[" + parts.joined(separator: ", ") + "]" : nil
    case .mapping(let members):
      let parts = members.compactMap { member in member.value.json.map { JSONValue.string(member.key).encoded() + ": " + $0 } }
      return parts.count == members.count ? "{" + parts.joined(separator: ", ") + "}" : nil
    case .undefined, .namespace: return nil
    }
  }
}

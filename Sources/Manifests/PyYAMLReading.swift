/// What PyYAML, which follows YAML 1.1, makes of a plain scalar: many people's other tools read the same file through it.
///
/// Source of the patterns: the implicit resolvers of PyYAML's `resolver.py`.
enum PyYAMLReading: Equatable {
  case null
  case bool(Bool)
  case integer(Int?)
  case number(Double?)
  case date
  case string

  init(of text: String) {
    self = Self.word(text) ?? Self.number(text) ?? (Self.isDate(text) ? .date : .string)
  }

  /// Whether it is the value that the core schema of YAML 1.2 reads.
  func agrees(with value: Scalar.Value) -> Bool {
    switch (self, value) {
    case (.null, .null), (.string, .string): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.integer, .unrepresentable), (.number, .unrepresentable): true
    default: false
    }
  }

  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): "the boolean \(value)"
    case .integer(let value): value.map { "the integer \($0)" } ?? "an integer"
    case .number(let value): value.map { "the number \($0)" } ?? "a number"
    case .date: "a date"
    case .string: "a string"
    }
  }

  // MARK: - Patterns

  private static func word(_ text: String) -> PyYAMLReading? {
    switch text {
    case "", "~", "null", "Null", "NULL": .null
    case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": .bool(true)
    case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": .bool(false)
    default: nil
    }
  }

  private static func number(_ text: String) -> PyYAMLReading? {
    guard let first = text.utf8.first, first < 0x3A else { return nil }
    if let match = text.wholeMatch(of: #/([-+]?)0b([01_]+)/#) { return integer(match.1, match.2, 2) }
    if let match = text.wholeMatch(of: #/([-+]?)0x([0-9a-fA-F_]+)/#) { return integer(match.1, match.2, 16) }
    if let match = text.wholeMatch(of: #/([-+]?)0([0-7_]+)/#) { return integer(match.1, match.2, 8) }
    if let match = text.wholeMatch(of: #/([-+]?)(0|[1-9][0-9_]*)/#) { return integer(match.1, match.2, 10) }
    if text.wholeMatch(of: #/[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+/#) != nil { return .integer(nil) }
    let plain = #/[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?/#
    if text.wholeMatch(of: plain) != nil || text.wholeMatch(of: #/\.[0-9][0-9_]*([eE][-+][0-9]+)?/#) != nil {
      return .number(Double(text.filter { $0 != "_" }))
    }
    if text.wholeMatch(of: #/[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*/#) != nil { return .number(nil) }
    if text.wholeMatch(of: #/[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/#) != nil { return .number(nil) }
    return nil
  }

  private static func integer(_ sign: Substring, _ digits: Substring, _ radix: Int) -> PyYAMLReading {
    .integer(Int((sign == "-" ? "-" : "") + digits.filter { $0 != "_" }, radix: radix))
  }

  private static func isDate(_ text: String) -> Bool {
    guard let first = text.utf8.first, first >= 0x30, first <= 0x39 else { return false }
    let day = #/[0-9]{4}-[0-9]{2}-[0-9]{2}/#
    let time = #/[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?/#
    return text.wholeMatch(of: day) != nil || text.wholeMatch(of: time) != nil
  }
}

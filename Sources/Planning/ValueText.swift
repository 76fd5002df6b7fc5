import Hashing
import JSONValues
import Manifests

/// How values are shown to people: in instance names, in reasons, inside interpolated text. Numbers below 1e-4 are written with an
/// exponent (`1e-5`), others as RFC 8785 writes them.
package enum ValueText {
  /// A scalar's text; canonical JSON of anything else.
  package static func plain(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): number(value)
    case .string(let value): value
    case .array, .object: CanonicalJSON.text(value)
    }
  }

  /// The same number always gives the same text, and that text reads back as the number.
  package static func number(_ value: Double) -> String {
    let text = JSONText.number(value)
    guard value.magnitude < 1e-4, value != 0, !text.utf8.contains(UInt8(ascii: "e")) else { return text }
    // 0.00001234 -> 1.234e-5
    let digits = text.drop { $0 == "-" || $0 == "0" || $0 == "." }
    let exponent = text.utf8.count - digits.utf8.count - (value < 0 ? 1 : 0) - 1
    let mantissa = digits.count == 1 ? String(digits) : "\(digits.prefix(1)).\(digits.dropFirst())"
    return "\(value < 0 ? "-" : "")\(mantissa)e-\(exponent)"
  }

  /// What stands for a value in the brackets of an instance name: a scalar's text; for a list, a record and a string that would not
  /// read well, its field `name` or `#` and 8 hexadecimal digits of its digest.
  package static func label(_ value: JSONValue) -> String {
    switch value {
    case .null, .bool, .integer, .number: plain(value)
    case .string(let text): isShort(text) ? text : hash(value)
    case .array: hash(value)
    case .object(let object): object["name"]?.stringValue.flatMap { isShort($0) ? $0 : nil } ?? hash(value)
    }
  }

  /// Whether the label is the value's own text, so that it can be read back.
  static func isLiteral(_ value: JSONValue) -> Bool {
    switch value {
    case .string(let text): isShort(text)
    case .array, .object: false
    default: true
    }
  }

  private static func hash(_ value: JSONValue) -> String { "#" + CanonicalJSON.digest(value).hex.prefix(8) }

  private static func isShort(_ text: String) -> Bool {
    let utf8 = text.utf8
    guard utf8.count <= 40, let first = utf8.first, let last = utf8.last else { return false }
    guard first != UInt8(ascii: "#"), first != UInt8(ascii: " "), last != UInt8(ascii: " "), text != "*" else { return false }
    return utf8.allSatisfy { byte in
      switch byte {
      case 0..<0x20, 0x7F, UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "="), UInt8(ascii: "/"): false
      case UInt8(ascii: "\""), UInt8(ascii: "'"): false
      default: true
      }
    }
  }

  /// What a message calls a value that is not what was expected.
  package static func described(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): "the boolean \(value)"
    case .integer(let value): "the integer \(value)"
    case .number(let value): "the number \(number(value))"
    case .string(let text): "the string '\(Scalar.shortened(text))'"
    case .array: "a list"
    case .object: "a mapping"
    }
  }

  /// A value in a reason: strings in quotes only where they are empty or hold spaces, anything long cut short.
  package static func short(_ value: JSONValue) -> String {
    let text: String
    if case .string(let string) = value {
      text = string.isEmpty || string.contains(where: \.isWhitespace) ? "'\(string)'" : string
    } else {
      text = plain(value)
    }
    return text.count <= 60
      ? String(text.map { $0.isNewline ? " " : $0 })
      : String(text.prefix(28)).replacingBreaks + "…" + String(text.suffix(28)).replacingBreaks
  }
}

extension String {
  fileprivate var replacingBreaks: String { String(map { $0.isNewline ? " " : $0 }) }
}

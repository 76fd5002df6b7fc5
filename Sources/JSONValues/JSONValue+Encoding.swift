extension JSONValue {
  /// JSON text with members in their order; `pretty` puts each on a line of its own, indented by two spaces.
  package func encoded(pretty: Bool = false) -> String {
    String(decoding: encodedBytes(pretty: pretty), as: UTF8.self)
  }

  package func encodedBytes(pretty: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes, indent: pretty ? 0 : nil)
    return bytes
  }

  /// Adds the JSON text, on one line.
  package func append(to bytes: inout [UInt8]) { append(to: &bytes, indent: nil) }

  private func append(to bytes: inout [UInt8], indent: Int?) {
    switch self {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): bytes.append(contentsOf: String(value).utf8)
    case .number(let value): bytes.append(contentsOf: JSONText.number(value).utf8)
    case .string(let value): JSONText.append(quoted: value, to: &bytes)
    case .array(let elements):
      Self.list(elements.count, open: "[", close: "]", indent, &bytes) { index, inner, bytes in
        elements[index].append(to: &bytes, indent: inner)
      }
    case .object(let object):
      Self.list(object.count, open: "{", close: "}", indent, &bytes) { index, inner, bytes in
        let member = object.members[index]
        JSONText.append(quoted: member.key, to: &bytes)
        bytes.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
        member.value.append(to: &bytes, indent: inner)
      }
    }
  }

  private static func list(
    _ count: Int, open: Unicode.Scalar, close: Unicode.Scalar, _ indent: Int?, _ bytes: inout [UInt8],
    _ element: (Int, Int?, inout [UInt8]) -> Void
  ) {
    bytes.append(UInt8(ascii: open))
    let inner = indent.map { $0 + 2 }
    for index in 0..<count {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      newLine(inner, &bytes)
      element(index, inner, &bytes)
    }
    if count > 0 { newLine(indent, &bytes) }
    bytes.append(UInt8(ascii: close))
  }

  private static func newLine(_ indent: Int?, _ bytes: inout [UInt8]) {
    guard let indent else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: indent))
  }
}

/// How JSON spells numbers and strings.
package enum JSONText {
  /// The shortest digits that read back as the same number, laid out as ECMAScript does (and so RFC 8785): `1e-7`, `0.00001`, `1e+21`.
  ///
  /// JSON has no spelling for NaN and infinities; they become `null`.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == 0 { return "0" }
    let (digits, exponent) = shortestDigits(value.magnitude)
    let sign = value < 0 ? "-" : ""
    let count = digits.count
    switch exponent {
    case count...21: return sign + digits + String(repeating: "0", count: exponent - count)
    case 1...21: return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
    case -5...0: return sign + "0." + String(repeating: "0", count: -exponent) + digits
    default:
      let power = exponent - 1
      let mantissa = count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
      return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(power.magnitude)"
    }
  }

  /// value = 0.DIGITS × 10^exponent, no zero at either end of DIGITS.
  private static func shortestDigits(_ value: Double) -> (digits: String, exponent: Int) {
    let text = value.description
    let parts = text.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = mantissa[0] + fraction
    let leading = all.prefix { $0 == "0" }.count
    var digits = all.dropFirst(leading)
    while digits.last == "0" { digits.removeLast() }
    return (String(digits), mantissa[0].count + power - leading)
  }

  private static let hexadecimal = Array("0123456789abcdef".utf8)

  /// Appends the string in quotes; only `"`, `\` and control characters are escaped.
  package static func append(quoted text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 8: bytes.append(contentsOf: "\\b".utf8)
      case 9: bytes.append(contentsOf: "\\t".utf8)
      case 10: bytes.append(contentsOf: "\\n".utf8)
      case 12: bytes.append(contentsOf: "\\f".utf8)
      case 13: bytes.append(contentsOf: "\\r".utf8)
      case 0..<0x20:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(hexadecimal[Int(byte >> 4)])
        bytes.append(hexadecimal[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

/// A YAML scalar: its text, how it was written, and what the core schema of YAML 1.2 reads in it.
package struct Scalar: Sendable {
  package enum Style: Sendable {
    /// Without quotes: may be a number, a boolean, null.
    case plain
    /// In quotes or as a block: a string.
    case string
  }

  package enum Value: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    /// Looks like a number, but neither 64 bits nor a finite double hold it (`.inf` and `.nan` too).
    case unrepresentable
    case string(String)
  }

  package let text: String
  package let style: Style
  package let value: Value

  package init(text: String, style: Style) {
    self.text = text
    self.style = style
    value = style == .plain ? CoreSchema.value(of: text) : .string(text)
  }

  /// With a value that a tag such as `!!str` forces.
  init(text: String, style: Style, value: Value) {
    self.text = text
    self.style = style
    self.value = value
  }

  var description: String {
    switch value {
    case .null: "nothing"
    case .bool: "the boolean \(text)"
    case .integer: "the integer \(Self.shortened(text))"
    case .number, .unrepresentable: "the number \(Self.shortened(text))"
    case .string: "the string '\(Self.shortened(text))'"
    }
  }

  /// At most `limit` characters on one line.
  package static func shortened(_ text: String, to limit: Int = 40) -> String {
    var scalars = String.UnicodeScalarView()
    for (count, scalar) in text.unicodeScalars.enumerated() {
      if count == limit { return String(scalars) + "…" }
      scalars.append(scalar.value < 0x20 ? " " : scalar)
    }
    return String(scalars)
  }
}

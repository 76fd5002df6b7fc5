import JSONValues

/// What values a parameter takes.
package indirect enum ParameterType: Sendable {
  case number(Bounds)
  case integer(Bounds)
  case string
  case boolean
  /// One of the values given, strings as a rule.
  case choice([JSONValue])
  /// A list whose elements are all of one type; `count` bounds how many there are.
  case list(of: ParameterType, count: Bounds)
  /// A mapping with these fields; nil takes any mapping.
  case record([ParameterDeclaration]?)

  /// `min`/`max` include the bound, `above`/`below` do not.
  package struct Bounds: Sendable, Equatable {
    package var min: Double?
    package var max: Double?
    package var above: Double?
    package var below: Double?

    package init(min: Double? = nil, max: Double? = nil, above: Double? = nil, below: Double? = nil) {
      (self.min, self.max, self.above, self.below) = (min, max, above, below)
    }
  }

  /// How a contract spells it.
  package var name: String {
    switch self {
    case .number: "number"
    case .integer: "integer"
    case .string: "string"
    case .boolean: "boolean"
    case .choice: "choice"
    case .list: "list"
    case .record: "record"
    }
  }
}

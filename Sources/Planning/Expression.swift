import Diagnostics
import JSONValues
import Manifests

/// A value of a manifest made ready once and evaluated for each instance: what holds no `${…}` is a constant.
indirect enum Expression {
  case constant(JSONValue)
  case template(Template, SourceLocation)
  case list([Expression])
  case record([(key: String, value: Expression)])

  /// Reports numbers that nothing can hold and malformed `${…}`.
  init(_ node: Node, _ findings: inout Findings) {
    switch node.content {
    case .scalar(let scalar): self = Self.scalar(scalar, node.location, &findings)
    case .sequence(let elements):
      let parts = elements.map { Expression($0, &findings) }
      let constants = parts.compactMap(\.constant)
      self = constants.count == parts.count ? .constant(.array(constants)) : .list(parts)
    case .mapping(let members):
      let parts = members.map { (key: $0.key, value: Expression($0.value, &findings)) }
      let constants = parts.compactMap { part in part.value.constant.map { (part.key, $0) } }
      self = constants.count == parts.count ? .constant(.object(JSONObject(constants))) : .record(parts)
    }
  }

  var constant: JSONValue? { if case .constant(let value) = self { value } else { nil } }

  func evaluate(_ scope: Scope) throws(Diagnostic) -> JSONValue {
    switch self {
    case .constant(let value): return value
    case .template(let template, let location): return try scope.value(template, at: location)
    case .list(let elements):
      var values: [JSONValue] = []
      for element in elements { values.append(try element.evaluate(scope)) }
      return .array(values)
    case .record(let members):
      var object = JSONObject()
      for member in members { object.append(member.key, try member.value.evaluate(scope)) }
      return .object(object)
    }
  }

  private static func scalar(_ scalar: Scalar, _ location: SourceLocation, _ findings: inout Findings) -> Expression {
    switch scalar.value {
    case .null: return .constant(.null)
    case .bool(let value): return .constant(.bool(value))
    case .integer(let value): return .constant(.integer(value))
    case .number(let value): return .constant(.number(value))
    case .unrepresentable:
      findings.error(PlanningText.unrepresentable(scalar.text), at: location)
      return .constant(.null)
    case .string(let text):
      guard Template.isNeeded(for: text) else { return .constant(.string(text)) }
      guard let template = Template.reading(text, at: location, &findings) else { return .constant(.string(text)) }
      return template.literal.map { .constant(.string($0)) } ?? .template(template, location)
    }
  }
}

extension Template {
  /// The template of a text, its faults reported.
  static func reading(_ text: String, at location: SourceLocation, _ findings: inout Findings) -> Template? {
    do {
      return try Template(parsing: text)
    } catch {
      findings.error(error.message, at: location)
      return nil
    }
  }
}

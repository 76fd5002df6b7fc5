import Diagnostics
import JSONValues
import Manifests

/// Checks a value against a parameter's type, and completes it: numbers become doubles, records get their defaults.
struct ParameterCheck {
  /// What is wrong, and where inside the value.
  struct Fault: Error {
    enum Step {
      case field(String)
      case element(Int)
    }

    let message: String
    /// From the value inwards.
    let path: [Step]
    /// Whether the key of the last field is meant, not its value.
    let isAtKey: Bool
    let suggestion: String?
  }

  private let name: String
  private var path: [Fault.Step] = []

  /// `name` is how messages call the parameter: `learning_rate of train/sft`.
  init(_ name: String) { self.name = name }

  mutating func complete(_ value: JSONValue, _ declaration: ParameterDeclaration) throws(Fault) -> JSONValue {
    if value.isNull, declaration.isNullable { return .null }
    return try complete(value, declaration.type)
  }

  mutating func complete(_ value: JSONValue, _ type: ParameterType) throws(Fault) -> JSONValue {
    switch type {
    case .number(let bounds): return .number(try number(value, bounds))
    case .integer(let bounds): return .integer(try integer(value, bounds))
    case .string:
      guard case .string = value else { throw string(value) }
      return value
    case .boolean:
      guard case .bool = value else { throw fault(PlanningText.expected("true or false", for: place, value)) }
      return value
    case .choice(let choices): return try choice(value, choices)
    case .list(let element, let count): return try list(value, element, count)
    case .record(let fields): return try record(value, fields)
    }
  }

  // MARK: - Scalars

  private func number(_ value: JSONValue, _ bounds: ParameterType.Bounds) throws(Fault) -> Double {
    guard let number = value.numberValue, number.isFinite else { throw fault(PlanningText.expected("a number", for: place, value)) }
    if let broken = bounds.broken(by: number) { throw fault(PlanningText.outOfBounds(place, broken, value)) }
    return number
  }

  /// A number without a fraction, such as 1e3, is an integer too.
  private func integer(_ value: JSONValue, _ bounds: ParameterType.Bounds) throws(Fault) -> Int {
    guard let integer = value.integerValue else { throw fault(PlanningText.expected("an integer", for: place, value)) }
    if let broken = bounds.broken(by: Double(integer)) { throw fault(PlanningText.outOfBounds(place, broken, value)) }
    return integer
  }

  private func string(_ value: JSONValue) -> Fault {
    let message = PlanningText.expected("a string", for: place, value)
    return switch value {
    case .bool, .integer, .number: fault(PlanningText.quoteIt(message))
    default: fault(message)
    }
  }

  private func choice(_ value: JSONValue, _ choices: [JSONValue]) throws(Fault) -> JSONValue {
    if let choice = choices.first(where: { $0 == value }) { return choice }
    let near = value.stringValue.flatMap { NearestName.find($0, among: choices.compactMap(\.stringValue)) }
    throw fault(PlanningText.notAChoice(place, choices, value), suggestion: near)
  }

  // MARK: - Lists and records

  private mutating func list(_ value: JSONValue, _ type: ParameterType, _ count: ParameterType.Bounds) throws(Fault) -> JSONValue {
    guard case .array(let elements) = value else { throw fault(PlanningText.expected("a list", for: place, value)) }
    if let broken = count.broken(by: Double(elements.count)) { throw fault(PlanningText.elementCount(place, broken, elements.count)) }
    var complete: [JSONValue] = []
    for (index, element) in elements.enumerated() {
      path.append(.element(index))
      complete.append(try self.complete(element, type))
      path.removeLast()
    }
    return .array(complete)
  }

  private mutating func record(_ value: JSONValue, _ fields: [ParameterDeclaration]?) throws(Fault) -> JSONValue {
    guard case .object(let object) = value else { throw fault(PlanningText.expected("a mapping", for: place, value)) }
    guard let fields else { return value }
    for key in object.keys where !fields.contains(where: { $0.name.hasSameBytes(as: key) }) {
      let message = PlanningText.unknownField(key, place)
      path.append(.field(key))
      throw Fault(message: message, path: path, isAtKey: true, suggestion: NearestName.find(key, among: fields.map(\.name)))
    }
    var complete = JSONObject()
    for field in fields {
      if let value = object[field.name] {
        path.append(.field(field.name))
        complete.append(field.name, try self.complete(value, field))
        path.removeLast()
      } else if case .value(let value) = field.initial {
        complete.append(field.name, value)
      } else {
        throw fault(PlanningText.missingField(field.name, place))
      }
    }
    return .object(complete)
  }

  // MARK: - Faults

  /// `rewards[0].weight of train/rft`.
  private var place: String {
    guard !path.isEmpty else { return name }
    let inner = path.reduce(into: "") { text, step in
      switch step {
      case .field(let name): text += ".\(name)"
      case .element(let index): text += "[\(index)]"
      }
    }
    guard let space = name.firstIndex(of: " ") else { return name + inner }
    return name[..<space] + inner + name[space...]
  }

  private func fault(_ message: String, suggestion: String? = nil) -> Fault {
    Fault(message: message, path: path, isAtKey: false, suggestion: suggestion)
  }
}

extension ParameterType.Bounds {
  /// The bound that a value breaks, in words.
  func broken(by value: Double) -> String? {
    if let min, value < min { return "at least \(ValueText.number(min))" }
    if let max, value > max { return "at most \(ValueText.number(max))" }
    if let above, value <= above { return "above \(ValueText.number(above))" }
    if let below, value >= below { return "below \(ValueText.number(below))" }
    return nil
  }
}

extension ParameterCheck.Fault {
  /// The fault as a diagnostic in the value's own place, as far as the text goes into the value.
  func diagnostic(in node: Node, notes: [Diagnostic.Note] = []) -> Diagnostic {
    var node = node
    for (index, step) in path.enumerated() {
      switch step {
      case .field(let name):
        guard let member = node.members?.first(where: { $0.key.hasSameBytes(as: name) }) else { return at(node.location, notes) }
        if isAtKey, index == path.count - 1 { return at(member.keyLocation, notes) }
        node = member.value
      case .element(let place):
        guard let elements = node.elements, elements.indices.contains(place) else { return at(node.location, notes) }
        node = elements[place]
      }
    }
    return at(node.location, notes)
  }

  private func at(_ location: SourceLocation, _ notes: [Diagnostic.Note]) -> Diagnostic {
    Diagnostic(.error, message, at: location, suggestion: suggestion, notes: notes)
  }
}

import Diagnostics
import JSONValues
import Manifests

/// What the names in `${…}` stand for at one point of a recipe: the variables of matrices and scans from the inside out, then params.
struct Scope {
  private let params: [ByteString: JSONValue]
  private let names: [String]
  /// From the inside out.
  private var variables: [AxisValue] = []

  init(params: JSONObject) {
    self.params = Dictionary(params.members.map { (ByteString($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    names = params.keys
  }

  /// The same, with these variables before everything else.
  func adding(_ variables: [AxisValue]) -> Scope {
    guard !variables.isEmpty else { return self }
    var scope = self
    scope.variables = self.variables.isEmpty ? variables : variables + self.variables
    return scope
  }

  /// The value of `${a.b}`; `params.a` is `a` unless something else is called `params`.
  func value(_ path: [String], at location: SourceLocation) throws(Diagnostic) -> JSONValue {
    if let first = lookup(path[0]) { return try fields(path.dropFirst(), of: first, path[0], location) }
    if path.count > 1, path[0] == "params", let param = params[ByteString(path[1])] {
      return try fields(path.dropFirst(2), of: param, path[1], location)
    }
    let known = variables.map(\.axis) + names
    throw Diagnostic(.error, PlanningText.unknownName(path[0]), at: location, suggestion: NearestName.find(path[0], among: known))
  }

  /// The text that a template gives.
  func text(_ template: Template, at location: SourceLocation) throws(Diagnostic) -> String {
    var text = ""
    for piece in template.pieces {
      switch piece {
      case .text(let plain): text += plain
      case .placeholder(let path):
        let value = try value(path, at: location)
        switch value {
        case .null, .array, .object:
          throw Diagnostic(.error, PlanningText.cannotJoin(path.joined(separator: "."), ValueText.described(value)), at: location)
        default: text += ValueText.plain(value)
        }
      }
    }
    return text
  }

  /// What a template gives: the value itself when it is one whole `${…}`, else text.
  func value(_ template: Template, at location: SourceLocation) throws(Diagnostic) -> JSONValue {
    if let path = template.whole { return try value(path, at: location) }
    return .string(try text(template, at: location))
  }

  private func lookup(_ name: String) -> JSONValue? {
    variables.first { $0.axis.hasSameBytes(as: name) }?.value ?? params[ByteString(name)]
  }

  private func fields(_ path: ArraySlice<String>, of value: JSONValue, _ name: String, _ location: SourceLocation) throws(Diagnostic)
    -> JSONValue
  {
    var (value, name) = (value, name)
    for field in path {
      guard let next = value[field] else {
        let near = NearestName.find(field, among: value.objectValue?.keys ?? [])
        throw Diagnostic(.error, PlanningText.noField(field, of: name), at: location, suggestion: near)
      }
      (value, name) = (next, "\(name).\(field)")
    }
    return value
  }
}

import JSONValues

/// JSON Schemas (draft 2020-12) for the editors that check YAML while it is written. The manifest's is made from the contracts, so it
/// knows the parameters and inputs of every stage.
package enum Schema {
  private static let dialect: JSONValue = "https://json-schema.org/draft/2020-12/schema"

  // MARK: - Manifests

  package static func manifest(_ contracts: [StageContract]) -> JSONValue {
    object([
      ("$schema", dialect), ("title", "Heirloom manifest"), ("type", "object"), ("required", ["heirloom", "stages"]),
      ("additionalProperties", false),
      (
        "properties",
        object([
          ("heirloom", object([("const", 1)])), ("name", name), ("description", text), ("numerics", numerics), ("hermetic", hermetic),
          ("params", params),
          ("profiles", object([("type", "object"), ("propertyNames", name), ("additionalProperties", params)])),
          ("inputs", map(declaredInput)), ("stages", object([("$ref", "#/$defs/stages")])), ("outputs", references),
        ])
      ),
      (
        "$defs",
        object([
          ("stages", stages), ("stage", stage(contracts)), ("group", group), ("manifest", usedManifest), ("placeholder", placeholder),
          ("reference", reference),
        ])
      ),
    ])
  }

  // MARK: - Entries

  /// What stands under `stages`. Which of the three an entry is, is told by what it has, so that an editor says what is wrong with it
  /// and not only that it is none of the three.
  private static var stages: JSONValue {
    func reference(_ name: String) -> JSONValue { object([("$ref", .string("#/$defs/\(name)"))]) }
    let isManifest = object([
      ("required", ["uses"]), ("properties", object([("uses", object([("type", "string"), ("pattern", .string(path))]))])),
    ])
    let used = object([("if", isManifest), ("then", reference("manifest")), ("else", reference("stage"))])
    let entry = object([("if", object([("required", ["stages"])])), ("then", reference("group")), ("else", used)])
    return object([("type", "object"), ("minProperties", 1), ("propertyNames", name), ("additionalProperties", entry)])
  }

  private static var group: JSONValue {
    closed([("stages", object([("$ref", "#/$defs/stages")])), ("description", text)] + repetition, required: ["stages"])
  }

  /// `uses: ./other.yaml`; what it takes, this file does not know.
  private static var usedManifest: JSONValue {
    closed(
      [
        ("uses", object([("type", "string"), ("pattern", .string(path))])), ("description", text), ("with", params), ("inputs", references),
      ] + repetition, required: ["uses"])
  }

  private static var repetition: [(String, JSONValue)] {
    let steps = object([("type", "array"), ("minItems", 1)])
    let scan = object([
      ("type", "object"), ("minProperties", 1), ("maxProperties", 1), ("propertyNames", name),
      ("additionalProperties", orPlaceholder(steps)),
    ])
    return [("matrix", matrix), ("scan", scan), ("carry", references), ("then", references)]
  }

  /// Names that stand for references.
  private static var references: JSONValue {
    let one = object([("$ref", "#/$defs/reference")])
    return map(object([("anyOf", [one, object([("type", "array"), ("items", one)]), object([("type", "null")])])]))
  }

  private static let path = "^\\.{0,2}/"

  private static func stage(_ contracts: [StageContract]) -> JSONValue {
    object([
      ("type", "object"), ("required", ["uses"]), ("additionalProperties", false),
      (
        "properties",
        object([
          ("uses", object([("enum", .array(contracts.map { .string($0.name) }))])), ("description", text),
          ("with", object([("type", "object")])),
          ("inputs", object([("type", "object")])), ("matrix", matrix), ("resources", resources),
          ("retries", orPlaceholder(integer(atLeast: 0))),
          ("timeout", object([("type", ["string", "number"])])), ("hermetic", hermetic), ("executor", text),
          (
            "expect",
            object([("type", "object"), ("additionalProperties", orPlaceholder(object([("pattern", "^sha256:[0-9a-fA-F]{64}$")])))])
          ),
        ])
      ),
      ("allOf", .array(contracts.map(rule))),
    ])
  }

  /// If a stage uses this contract, its `with` and `inputs` are these.
  private static func rule(_ contract: StageContract) -> JSONValue {
    let required = contract.parameters.filter { if case .required = $0.initial { true } else { false } }.map(\.name)
    let needed = contract.inputs.filter { !$0.isOptional }.map(\.name)
    var missing: [JSONValue] = []
    if !required.isEmpty { missing.append("with") }
    if !needed.isEmpty { missing.append("inputs") }
    let then = object([
      ("required", .array(missing)),
      (
        "properties",
        object([
          ("uses", object([("description", .string(contract.summary))])),
          ("with", closed(contract.parameters.map { ($0.name, parameter($0, mayBePlaceholder: true)) }, required: required)),
          ("inputs", closed(contract.inputs.map { ($0.name, input($0)) }, required: needed)),
        ])
      ),
    ])
    return object([("if", object([("properties", object([("uses", object([("const", .string(contract.name))]))]))])), ("then", then)])
  }

  private static func input(_ input: InputDeclaration) -> JSONValue {
    let one = object([("$ref", "#/$defs/reference")])
    let shape = input.isList ? object([("anyOf", [one, object([("type", "array"), ("items", one)])])]) : one
    return described(input.isOptional ? object([("anyOf", [shape, object([("type", "null")])])]) : shape, input.doc)
  }

  // MARK: - Parameters

  static func parameter(_ declaration: ParameterDeclaration, mayBePlaceholder: Bool) -> JSONValue {
    var schema = type(declaration.type, mayBePlaceholder: mayBePlaceholder)
    if declaration.isNullable { schema = object([("anyOf", [schema, object([("type", "null")])])]) }
    guard case .object(var members) = mayBePlaceholder ? orPlaceholder(schema) : schema else { return schema }
    if case .value(let value) = declaration.initial { members.append("default", value) }
    return described(.object(members), declaration.doc)
  }

  private static func type(_ type: ParameterType, mayBePlaceholder: Bool) -> JSONValue {
    switch type {
    case .number(let limits): return object([("type", "number")] + bounds(limits))
    case .integer(let limits): return object([("type", "integer")] + bounds(limits))
    case .string: return object([("type", "string")])
    case .boolean: return object([("type", "boolean")])
    case .choice(let values): return object([("enum", .array(values))])
    case .list(let element, let count):
      let items = self.type(element, mayBePlaceholder: mayBePlaceholder)
      let limits: [(String, JSONValue)] = [("minItems", count.min), ("maxItems", count.max)].compactMap { name, limit in
        limit.map { (name, .integer(Int($0))) }
      }
      return object([("type", "array"), ("items", mayBePlaceholder ? orPlaceholder(items) : items)] + limits)
    case .record(let fields):
      guard let fields else { return object([("type", "object")]) }
      let required = fields.filter { if case .required = $0.initial { true } else { false } }.map(\.name)
      return closed(fields.map { ($0.name, parameter($0, mayBePlaceholder: mayBePlaceholder)) }, required: required)
    }
  }

  private static func bounds(_ bounds: ParameterType.Bounds) -> [(String, JSONValue)] {
    [("minimum", bounds.min), ("maximum", bounds.max), ("exclusiveMinimum", bounds.above), ("exclusiveMaximum", bounds.below)].compactMap {
      name, limit in
      limit.map { (name, .number($0)) }
    }
  }

  // MARK: - Contracts

  package static func contract() -> JSONValue {
    let strings = object([("type", "array"), ("items", text)])
    let input = closed(inputMembers + [("labels", flag)], required: ["type"])
    let output = closed([("type", types), ("keep", flag), ("records", text), ("when", text), ("doc", text)], required: ["type"])
    let run = object([
      (
        "oneOf",
        [
          closed([("native", text)], required: ["native"]),
          closed(
            [
              ("command", strings), ("sources", strings), ("versions", object([("type", "array"), ("items", strings)])),
              ("environment", strings),
              ("keyed_environment", strings), ("visible", strings),
            ], required: ["command"]),
        ]
      )
    ])
    guard
      case .object(var schema) = closed(
        [
          ("stage", text), ("version", integer(atLeast: 1)), ("summary", text), ("inputs", map(input)), ("outputs", map(output)),
          ("params", map(object([("$ref", "#/$defs/parameter")]))), ("resources", resources), ("checkpoints", flag), ("numeric", flag),
          ("hermetic", hermetic),
          ("run", run),
        ], required: ["stage", "version", "outputs", "run"])
    else { return .null }
    schema.append("$schema", dialect)
    schema.append("title", "Heirloom stage contract")
    schema.append("$defs", object([("parameter", parameterDeclaration), ("placeholder", placeholder)]))
    return .object(schema)
  }

  private static var parameterDeclaration: JSONValue {
    let number = object([("type", "number")])
    let itself = object([("$ref", "#/$defs/parameter")])
    return closed(
      [
        ("type", object([("enum", .array(ParameterType.names.map { .string($0) }))])), ("default", object([])), ("min", number),
        ("max", number),
        ("above", number), ("below", number), ("of", object([])), ("fields", map(itself)), ("affects", object([("const", "speed")])),
        ("doc", text),
      ], required: ["type"])
  }

  // MARK: - Pieces

  private static let types = object([("enum", .array(ArtifactType.allCases.map { .string($0.rawValue) }))])
  private static let flag = object([("type", "boolean")])
  private static var inputMembers: [(String, JSONValue)] {
    let type = object([("anyOf", [types, object([("type", "array"), ("items", types)])])])
    return [("type", type), ("list", flag), ("optional", flag), ("doc", text)]
  }
  private static var declaredInput: JSONValue { closed(inputMembers, required: ["type"]) }
  private static let text = object([("type", "string")])
  private static let name = object([("type", "string"), ("pattern", "^[A-Za-z][A-Za-z0-9_-]*$")])
  private static let numerics = object([("enum", .array(NumericsClass.allCases.map { .string($0.rawValue) }))])
  private static let hermetic = object([("enum", .array(Hermetic.allCases.map { .string($0.rawValue) }))])
  private static let params = object([("type", "object"), ("propertyNames", name)])
  private static let placeholder = object([("type", "string"), ("pattern", "\\$\\{[A-Za-z]")])
  private static let reference = object([("type", "string"), ("pattern", "^(\\.{0,2}/|[A-Za-z]|\\$\\{)")])
  private static let resources = closed(
    [
      ("cpus", orPlaceholder(integer(atLeast: 1))), ("memory", object([("type", ["string", "integer"])])),
      ("gpus", orPlaceholder(integer(atLeast: 0))),
    ], required: [])
  private static let matrix = object([
    ("type", "object"),
    (
      "properties",
      object([
        ("include", object([("type", "array"), ("items", object([("type", "object")]))])),
        ("exclude", object([("type", "array"), ("items", object([("type", "object")]))])),
      ])
    ), ("additionalProperties", orPlaceholder(object([("type", "array"), ("minItems", 1)]))),
  ])

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue { .object(JSONObject(members)) }

  private static func integer(atLeast least: Int) -> JSONValue { object([("type", "integer"), ("minimum", .integer(least))]) }

  private static func orPlaceholder(_ schema: JSONValue) -> JSONValue {
    object([("anyOf", [schema, object([("$ref", "#/$defs/placeholder")])])])
  }

  private static func map(_ value: JSONValue) -> JSONValue {
    object([("type", "object"), ("propertyNames", name), ("additionalProperties", value)])
  }

  private static func closed(_ properties: [(String, JSONValue)], required: [String]) -> JSONValue {
    object(
      [("type", "object"), ("additionalProperties", false), ("properties", object(properties))]
        + (required.isEmpty ? [] : [("required", .array(required.map { .string($0) }))]))
  }

  private static func described(_ schema: JSONValue, _ doc: String?) -> JSONValue {
    guard let doc, case .object(var members) = schema else { return schema }
    members.append("description", .string(doc))
    return .object(members)
  }
}

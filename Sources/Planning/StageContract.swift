import Hashing
import JSONValues

/// What a stage takes, gives and is: the single source of truth behind checks, reference pages, the editors' schema and keys. It
/// does not know of instances or of how processes start.
///
/// A class, because thousands of instances share one; it never changes.
package final class StageContract: Sendable {
  /// What does the work.
  package enum Run: Sendable {
    /// A stage compiled into this program.
    case native(String)
    case command(Command)
  }

  /// Any other program.
  package struct Command: Sendable {
    /// The words before `${…}` is replaced; these are in the key.
    package let words: [CommandWord]
    /// Files whose contents are in the key, as written: relative to the contract's directory.
    package let sources: [String]
    /// Commands whose printed output is in the key.
    package let versions: [[String]]
    /// Names of variables passed on, not in the key.
    package let environment: [String]
    /// Names of variables passed on, values in the key.
    package let keyedEnvironment: [String]
    /// Paths of the machine that a hermetic stage sees besides, read-only; `~` is the home directory, what is not there is passed over.
    package let visible: [String]

    package init(
      words: [CommandWord], sources: [String] = [], versions: [[String]] = [], environment: [String] = [], keyedEnvironment: [String] = [],
      visible: [String] = []
    ) {
      self.words = words
      self.sources = sources
      self.versions = versions
      self.environment = environment
      self.keyedEnvironment = keyedEnvironment
      self.visible = visible
    }
  }

  /// `train/sft`.
  package let name: String
  package let version: Int
  package let summary: String
  package let inputs: [InputDeclaration]
  package let outputs: [OutputDeclaration]
  package let parameters: [ParameterDeclaration]
  package let resources: Resources
  package let checkpoints: Bool
  /// Whether the numerics class is part of its key.
  package let isNumeric: Bool
  /// What the contract asks for; nil leaves it to the manifest.
  package let hermetic: Hermetic?
  package let run: Run
  /// The file it was read from, absolute, and that file's directory: `${stage.dir}`.
  package let path: String
  package let directory: String

  /// The parameters that are in the key, in the canonical order of their names.
  let keyedParameters: [KeyedParameter]
  /// All parameters with their defaults, null where a value is required.
  let defaults: JSONObject
  /// Places of the parameters without a default.
  let requiredParameters: [Int]
  /// Places of the inputs in the canonical order of their names.
  let sortedInputs: [Int]

  package init(
    name: String, version: Int, summary: String = "", inputs: [InputDeclaration] = [], outputs: [OutputDeclaration] = [],
    parameters: [ParameterDeclaration] = [], resources: Resources = Resources(), checkpoints: Bool = false, isNumeric: Bool = false,
    hermetic: Hermetic? = nil, run: Run, path: String, directory: String
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.resources = resources
    self.checkpoints = checkpoints
    self.isNumeric = isNumeric
    self.hermetic = hermetic
    self.run = run
    self.path = path
    self.directory = directory
    let keyed = KeyBuilder.order(parameters.map(\.name)).filter { parameters[$0].affects != .speed }
    keyedParameters = keyed.map { KeyedParameter(parameters[$0], place: $0) }
    defaults = JSONObject(parameters.map { ($0.name, $0.initial.value ?? .null) })
    requiredParameters = parameters.indices.filter { parameters[$0].initial.value == nil }
    sortedInputs = KeyBuilder.order(inputs.map(\.name))
  }

  /// The environment variables that these parameters name, fields of records included.
  package func namedVariables(_ parameters: JSONObject) -> [String] { Self.variables(self.parameters, parameters) }

  private static func variables(_ declarations: [ParameterDeclaration], _ values: JSONObject) -> [String] {
    declarations.flatMap { declaration -> [String] in
      guard let value = values[declaration.name] else { return [] }
      if declaration.namesVariable { return [value.stringValue].compactMap { $0 } }
      guard case .record(let fields?) = declaration.type, let record = value.objectValue else { return [] }
      return variables(fields, record)
    }
  }

  package func input(_ name: String) -> InputDeclaration? { inputs.first { $0.name.utf8.elementsEqual(name.utf8) } }

  package func output(_ name: String) -> OutputDeclaration? { outputs.first { $0.name.utf8.elementsEqual(name.utf8) } }

  package func parameter(_ name: String) -> ParameterDeclaration? { parameters.first { $0.name.utf8.elementsEqual(name.utf8) } }
}

extension StageContract {
  /// A parameter as keys write it: encoded once, for most instances leave most parameters at their defaults.
  struct KeyedParameter: Sendable {
    let place: Int
    /// `"learning_rate":`
    let name: [UInt8]
    let initial: JSONValue?
    let encodedInitial: [UInt8]
    /// Left out where it is null.
    let isOnlyKeyedWhenSet: Bool
    /// Nil where the whole value is in the key, as of nearly all.
    let fields: [ParameterDeclaration]?

    init(_ declaration: ParameterDeclaration, place: Int) {
      self.place = place
      var name: [UInt8] = []
      JSONText.append(quoted: declaration.name, to: &name)
      self.name = name + [UInt8(ascii: ":")]
      initial = declaration.initial.value
      isOnlyKeyedWhenSet = declaration.affects == .bytesWhenSet
      var differing: [ParameterDeclaration]?
      if case .record(let fields?) = declaration.type, fields.contains(where: { $0.affects != .bytes }) { differing = fields }
      fields = differing
      encodedInitial = declaration.initial.value.map { CanonicalJSON.bytes(Self.keyed($0, differing)) } ?? []
    }

    func keyed(_ value: JSONValue) -> JSONValue { Self.keyed(value, fields) }

    /// A record without the fields that move no byte.
    private static func keyed(_ value: JSONValue, _ fields: [ParameterDeclaration]?) -> JSONValue {
      guard let fields, let record = value.objectValue else { return value }
      return .object(
        JSONObject(
          record.members.filter { member in
            switch fields.first(where: { $0.name.utf8.elementsEqual(member.key.utf8) })?.affects {
            case .speed: false
            case .bytesWhenSet: !member.value.isNull
            case .bytes, nil: true
            }
          }.map { ($0.key, $0.value) }))
    }
  }
}

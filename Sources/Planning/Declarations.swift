import Diagnostics
import JSONValues

/// One parameter of a stage, or one field of a record.
package struct ParameterDeclaration: Sendable {
  package enum Default: Sendable {
    /// No default: the manifest must give a value.
    case required
    /// Complete (fields of records filled in). `null` makes the parameter optional: null is then a value it takes.
    case value(JSONValue)

    /// Nil when there is none.
    package var value: JSONValue? { if case .value(let value) = self { value } else { nil } }
  }

  /// What a change of the value touches.
  package enum Effect: Sendable {
    /// The bytes of the outputs: the value is part of the key.
    case bytes
    /// Only how fast they are made: not in the key.
    case speed
    /// The bytes, where it has a value: null leaves it out of the key. So a contract can be given a parameter without new keys for the results
    /// of all who do not use it.
    case bytesWhenSet
  }

  package let name: String
  package let type: ParameterType
  package let initial: Default
  package let affects: Effect
  /// Its value is the name of an environment variable, which is passed on to the stage and kept out of all that is written.
  package let namesVariable: Bool
  package let doc: String?
  package let location: SourceLocation?

  package init(
    name: String, type: ParameterType, initial: Default = .required, affects: Effect = .bytes, namesVariable: Bool = false,
    doc: String? = nil, location: SourceLocation? = nil
  ) {
    self.name = name
    self.type = type
    self.initial = initial
    self.affects = affects
    self.namesVariable = namesVariable
    self.doc = doc
    self.location = location
  }

  /// Whether null is a value of it.
  package var isNullable: Bool { if case .value(.null) = initial { true } else { false } }
}

/// One input of a stage, or of a manifest that others use.
package struct InputDeclaration: Sendable {
  package let name: String
  /// What it takes, one or several types (`type: [file, directory]`); the first is the one its elements are handed over as.
  package let types: [ArtifactType]
  package let isList: Bool
  package let isOptional: Bool
  /// The parameter that may stand in its place: where that has no value, the input is needed.
  package let unless: String?
  /// Whether the elements' axis values are handed over, and so are part of the key.
  package let labels: Bool
  package let doc: String?

  package init(
    name: String, types: [ArtifactType], isList: Bool = false, isOptional: Bool = false, unless: String? = nil, labels: Bool = false,
    doc: String? = nil
  ) {
    self.name = name
    self.types = types
    self.isList = isList
    self.isOptional = isOptional
    self.unless = unless
    self.labels = labels
    self.doc = doc
  }

  /// Whether a stage with these parameters, complete after defaults, cannot do without it.
  func isNeeded(_ parameters: JSONObject) -> Bool { unless.map { parameters[$0]?.isNull ?? true } ?? !isOptional }

  package func accepts(_ type: ArtifactType) -> Bool { types.contains { $0.accepts(type) } }
}

/// One output of a stage.
package struct OutputDeclaration: Sendable {
  package let name: String
  package let type: ArtifactType
  /// False: the bytes may go once the consumers are done.
  package let keep: Bool
  /// The integer parameter that says how many records it holds.
  package let records: String?
  /// The parameter that asks for it: where that is null or false the stage does not give it. Nil for an output that is always given.
  package let when: String?
  package let doc: String?

  package init(
    name: String, type: ArtifactType, keep: Bool = true, records: String? = nil, when: String? = nil, doc: String? = nil
  ) {
    self.name = name
    self.type = type
    self.keep = keep
    self.records = records
    self.when = when
    self.doc = doc
  }

  /// Whether a stage with these parameters, complete after defaults, gives it.
  package func isGiven(_ parameters: JSONObject) -> Bool {
    guard let when else { return true }
    return switch parameters[when] {
    case nil, .null, .bool(false): false
    default: true
    }
  }
}

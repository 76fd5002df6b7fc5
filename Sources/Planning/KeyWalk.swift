import Hashing
import JSONValues

/// The one walk over what a key is made of: writes it as canonical JSON, members in canonical order by construction.
struct KeyWalk {
  private(set) var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(1024) }

  mutating func append(_ instance: StageInstance, inputs: [[Digest]], environment: KeyEnvironment) {
    let contract = instance.contract
    raw(#"{"format":"#)
    string(KeyBuilder.format)
    raw(#","inputs":{"#)
    self.inputs(instance, inputs)
    raw("}")
    if contract.isNumeric {
      raw(#","numerics":"#)
      string(environment.numerics.rawValue)
    }
    raw(#","outputs":"#)
    strings(instance.outputs.map(\.name))
    raw(#","parameters":{"#)
    parameters(instance)
    raw(#"},"run":"#)
    run(contract.run, environment)
    raw(#","stage":"#)
    string(contract.name)
    raw(#","version":"#)
    CanonicalJSON.append(.integer(contract.version), to: &bytes)
    raw("}")
  }

  // MARK: - Parts

  private mutating func inputs(_ instance: StageInstance, _ digests: [[Digest]]) {
    precondition(digests.count == instance.inputs.count, "\(digests.count) lists of digests for \(instance.inputs.count) inputs")
    var isFirst = true
    for place in instance.contract.sortedInputs {
      let input = instance.inputs[place]
      guard !input.elements.isEmpty || input.declaration.isList && !input.declaration.isOptional else { continue }
      precondition(digests[place].count == input.elements.count, "input \(input.declaration.name) has \(input.elements.count) elements")
      member(input.declaration.name, &isFirst)
      if input.declaration.isList {
        elements(input, digests[place])
      } else {
        element(input.elements[0], digests[place][0], input.declaration)
      }
    }
  }

  private mutating func elements(_ input: InstanceInput, _ digests: [Digest]) {
    raw("[")
    for (index, element) in input.elements.enumerated() {
      if index > 0 { raw(",") }
      self.element(element, digests[index], input.declaration)
    }
    raw("]")
  }

  private mutating func element(_ element: InputElement, _ digest: Digest, _ declaration: InputDeclaration) {
    guard declaration.labels else { return self.digest(digest) }
    raw(#"{"digest":"#)
    self.digest(digest)
    raw(#","labels":["#)
    for (index, label) in element.labels.enumerated() {
      raw(index > 0 ? ",[" : "[")
      string(label.axis)
      raw(",")
      CanonicalJSON.append(label.value, to: &bytes)
      raw("]")
    }
    raw("]}")
  }

  private mutating func parameters(_ instance: StageInstance) {
    let members = instance.parameters.members
    precondition(members.count == instance.contract.parameters.count, "the parameters of \(instance.name) are not complete")
    var isFirst = true
    for parameter in instance.contract.keyedParameters {
      let value = members[parameter.place].value
      if parameter.isOnlyKeyedWhenSet, value.isNull { continue }
      if !isFirst { raw(",") }
      isFirst = false
      bytes.append(contentsOf: parameter.name)
      if value == parameter.initial {
        bytes.append(contentsOf: parameter.encodedInitial)
      } else {
        CanonicalJSON.append(parameter.keyed(value), to: &bytes)
      }
    }
  }

  private mutating func run(_ run: StageContract.Run, _ environment: KeyEnvironment) {
    switch run {
    case .native(let name):
      raw(#"{"native":"#)
      string(name)
      raw("}")
    case .command(let command):
      CanonicalJSON.append(value(command, environment), to: &bytes)
    }
  }

  private func value(_ command: StageContract.Command, _ environment: KeyEnvironment) -> JSONValue {
    precondition(environment.sourceDigests.count == command.sources.count, "a digest for each source")
    precondition(environment.versionOutputs.count == command.versions.count, "an output for each version command")
    precondition(environment.keyedEnvironment.count == command.keyedEnvironment.count, "a value for each keyed variable")
    let sources = zip(command.sources, environment.sourceDigests).map { ($0, JSONValue.string($1.text)) }
    let versions = zip(command.versions, environment.versionOutputs).map { words, printed in
      JSONValue.object(JSONObject([("command", .array(words.map { .string($0) })), ("prints", .string(printed))]))
    }
    let keyed = zip(command.keyedEnvironment, environment.keyedEnvironment).map { ($0, $1.map { .string($0) } ?? JSONValue.null) }
    return .object(
      JSONObject([
        ("command", .array(command.words.map { .string($0.written) })), ("keyed_environment", .object(JSONObject(keyed))),
        ("sources", .object(JSONObject(sources))), ("versions", .array(versions)),
      ]))
  }

  // MARK: - Writing

  private mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func digest(_ digest: Digest) {
    raw("\"")
    var text = digest.text
    text.withUTF8 { bytes.append(contentsOf: $0) }
    raw("\"")
  }

  private mutating func string(_ text: String) { JSONText.append(quoted: text, to: &bytes) }

  private mutating func strings(_ texts: [String]) { CanonicalJSON.append(.array(texts.map { .string($0) }), to: &bytes) }

  private mutating func member(_ name: String, _ isFirst: inout Bool) {
    if !isFirst { raw(",") }
    isFirst = false
    string(name)
    raw(":")
  }
}

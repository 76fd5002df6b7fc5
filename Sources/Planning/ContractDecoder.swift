import Diagnostics
import JSONValues
import Manifests

/// Reads a stage's contract from its file, reporting everything in it that is unknown, missing, of the wrong kind or contradictory.
package struct ContractDecoder {
  var findings: Findings
  let path: String
  let files: ProjectFiles

  /// The contract, unless its file has errors. `name` is what the place of the file says: `train/sft`.
  package static func decode(_ source: SourceFile, name: String, path: String, files: ProjectFiles) -> (
    contract: StageContract?, findings: Findings
  ) {
    let (node, findings) = YAMLParser.parse(source)
    guard let node else { return (nil, findings) }
    var decoder = ContractDecoder(findings: findings, path: path, files: files)
    let contract = decoder.contract(node, name)
    return (decoder.findings.hasErrors ? nil : contract, decoder.findings)
  }

  private mutating func contract(_ node: Node, _ name: String) -> StageContract? {
    guard var reader = MappingReader(node, "the contract", &findings) else { return nil }
    checkName(reader.string("stage", &findings), name, node)
    let version = required(reader.integer("version", atLeast: 1, &findings), "version", &reader, node)
    let summary = reader.string("summary", &findings)?.value ?? ""
    let inputs = inputs(reader.take("inputs"))
    let outputs = outputs(reader.take("outputs"), node)
    let parameters = parameters(reader.take("params"), "'params'")
    checkRecords(node["outputs"], parameters)
    checkConditions(node["outputs"], parameters)
    checkSubstitutes(node["inputs"], parameters)
    var resources = resources(reader.take("resources"))
    let checkpoints = reader.boolean("checkpoints", &findings) ?? false
    let numeric = reader.boolean("numeric", &findings) ?? false
    let hermetic = reader.onOrOff("hermetic", &findings)
    let runNode = reader.take("run")
    reader.finish(&findings)
    guard let runNode else {
      findings.error(ManifestText.missing("run", in: "the contract"), at: node.location)
      return nil
    }
    let names = CommandNames(inputs: inputs, outputs: outputs, parameters: parameters)
    guard let run = run(runNode, names), let version else { return nil }
    if case .native = run {
      if let hermetic { findings.error(PlanningText.hermeticNative(name), at: hermetic.location) }
      // What this program needs depends on the model: a contract's figure is for planning, a manifest's is a limit.
      resources.isMemoryStated = false
    }
    return StageContract(
      name: name, version: version, summary: summary, inputs: inputs, outputs: outputs, parameters: parameters, resources: resources,
      checkpoints: checkpoints, isNumeric: numeric, hermetic: hermetic.flatMap { Hermetic(rawValue: $0.value) }, run: run, path: path,
      directory: Paths.parent(path))
  }

  // MARK: - Head

  private mutating func checkName(_ said: Located<String>?, _ name: String, _ node: Node) {
    guard let said else {
      if node["stage"] == nil { findings.error(ManifestText.missing("stage", in: "the contract"), at: node.location) }
      return
    }
    if !said.value.hasSameBytes(as: name) { findings.error(PlanningText.otherName(said.value, name), at: said.location) }
  }

  private mutating func required(_ value: Located<Int>?, _ key: String, _ reader: inout MappingReader, _ node: Node) -> Int? {
    if value == nil, reader.take(key) == nil { findings.error(ManifestText.missing(key, in: "the contract"), at: node.location) }
    return value?.value
  }

  private mutating func resources(_ node: Node?) -> Resources {
    guard let node else { return Resources() }
    let reading = ResourceReader.read(node, Scope(params: JSONObject()), over: Resources(), &findings)
    return reading ?? Resources()
  }

  // MARK: - Inputs and outputs

  private mutating func inputs(_ node: Node?) -> [InputDeclaration] {
    named(node, "'inputs'").compactMap { InputDeclaration.read($0, labels: true, &findings) }
  }

  private mutating func outputs(_ node: Node?, _ contract: Node) -> [OutputDeclaration] {
    let members = named(node, "'outputs'")
    if members.isEmpty { findings.error(PlanningText.noOutputs, at: node?.location ?? contract.location) }
    return members.compactMap { output($0) }
  }

  private mutating func output(_ member: Node.Member) -> OutputDeclaration? {
    let what = "output '\(member.key)'"
    guard var reader = MappingReader(member.value, what, &findings) else { return nil }
    let type = reader.take("type")
    let keep = reader.boolean("keep", &findings) ?? true
    let records = reader.string("records", &findings)?.value
    let when = reader.string("when", &findings)?.value
    let doc = reader.string("doc", &findings)?.value
    reader.finish(&findings)
    guard let known = ArtifactType.read(type, member, what, &findings).first else { return nil }
    if known == .any, let type { findings.error(PlanningText.anyOutput, at: type.location) }
    return OutputDeclaration(name: member.key, type: known, keep: keep, records: records, when: when, doc: doc)
  }

  /// `records` names an integer parameter.
  private mutating func checkRecords(_ outputs: Node?, _ parameters: [ParameterDeclaration]) {
    for member in outputs?.members ?? [] {
      guard let node = member.value["records"], case .string(let name)? = node.scalar?.value else { continue }
      guard let parameter = parameters.first(where: { $0.name.hasSameBytes(as: name) }) else {
        let integers = parameters.filter { if case .integer = $0.type { true } else { false } }.map(\.name)
        let near = NearestName.find(name, among: integers)
        findings.error(PlanningText.unknownRecords(name), at: node.location, suggestion: near)
        continue
      }
      if case .integer = parameter.type { continue }
      findings.error(PlanningText.recordsIsNoInteger(name, parameter.type.name), at: node.location)
    }
  }

  /// `when` names a parameter that is in the key and can be null or false: what a key answers must follow from it.
  private mutating func checkConditions(_ outputs: Node?, _ parameters: [ParameterDeclaration]) {
    for member in outputs?.members ?? [] {
      guard let node = member.value["when"], case .string(let name)? = node.scalar?.value else { continue }
      let usable = parameters.filter { parameter in
        if case .boolean = parameter.type { return parameter.affects == .bytes }
        return parameter.isNullable && parameter.affects == .bytes
      }
      if usable.contains(where: { $0.name.hasSameBytes(as: name) }) { continue }
      let near = NearestName.find(name, among: usable.map(\.name))
      findings.error(PlanningText.badCondition(name), at: node.location, suggestion: near)
    }
  }

  /// `unless` names a parameter that is in the key and may be null.
  private mutating func checkSubstitutes(_ inputs: Node?, _ parameters: [ParameterDeclaration]) {
    for member in inputs?.members ?? [] {
      guard let node = member.value["unless"], case .string(let name)? = node.scalar?.value else { continue }
      let usable = parameters.filter { $0.isNullable && $0.affects != .speed }
      if usable.contains(where: { $0.name.hasSameBytes(as: name) }) { continue }
      let near = NearestName.find(name, among: usable.map(\.name))
      findings.error(PlanningText.badSubstitute(name), at: node.location, suggestion: near)
    }
  }

  // MARK: - Helpers of all parts

  /// The members of a mapping of names; nothing is empty.
  mutating func named(_ node: Node?, _ what: String) -> [Node.Member] {
    guard let node, !node.isNull else { return [] }
    guard let members = node.members else {
      findings.error(ManifestText.expected("a mapping", for: what, found: node), at: node.location)
      return []
    }
    for member in members where !Name.isValid(member.key) {
      findings.error(ManifestText.badName(member.key), at: member.keyLocation)
    }
    return members
  }
}

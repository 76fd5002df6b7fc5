import Diagnostics

extension ManifestDecoder {
  /// What stands under `stages`, of the manifest or of a group.
  mutating func entries(_ node: Node, _ none: String) -> [ManifestEntry] {
    let members = named(node, "'stages'")
    if members.isEmpty, node.members != nil || node.isNull { findings.error(none, at: node.location) }
    return members.map { ManifestEntry(name: $0.key, location: $0.keyLocation, kind: kind($0)) }
  }

  private mutating func kind(_ member: Node.Member) -> ManifestEntry.Kind {
    checkIsFree(member)
    guard let members = member.value.members else {
      findings.error(ManifestText.expected("a mapping", for: "stage '\(member.key)'", found: member.value), at: member.value.location)
      return .broken
    }
    let isGroup = members.contains { $0.key.hasSameBytes(as: "stages") }
    let what = "\(isGroup ? "group" : "stage") '\(member.key)'"
    guard var reader = MappingReader(member.value, what, &findings) else { return .broken }
    let (uses, stages) = (reader.takeMember("uses"), reader.takeMember("stages"))
    defer { reader.finish(&findings) }
    switch (uses, stages) {
    case (let uses?, nil): return used(uses.value, &reader, what)
    case (nil, let stages?): return group(.stages(entries(stages.value, ManifestText.noStagesInGroup)), &reader, what)
    case (let uses?, .some): findings.error(ManifestText.bothStageAndGroup, at: uses.keyLocation)
    case (nil, nil): findings.error(ManifestText.neitherStageNorGroup, at: member.keyLocation)
    }
    reader.takeAll()
    return .broken
  }

  /// `carry`, `inputs` and `outputs` begin references of their own.
  private mutating func checkIsFree(_ member: Node.Member) {
    guard ["carry", "inputs", "outputs"].contains(member.key) else { return }
    findings.error(ManifestText.takenName(member.key), at: member.keyLocation)
  }

  // MARK: - Stages

  private mutating func used(_ uses: Node, _ reader: inout MappingReader, _ what: String) -> ManifestEntry.Kind {
    guard let name = contractName(uses) else {
      reader.takeAll()
      return .broken
    }
    let with = open(reader.take("with"), "'with' of \(what)")
    let inputs = open(reader.take("inputs"), "'inputs' of \(what)")
    guard !Self.isPath(name.value) else {
      for key in ["resources", "retries", "timeout", "expect", "hermetic", "executor"] {
        if let member = reader.takeMember(key) { findings.error(ManifestText.notOfManifest(key), at: member.keyLocation) }
      }
      return group(.manifest(ManifestUse(path: name, with: with, inputs: inputs)), &reader, what)
    }
    for key in ["scan", "carry", "then"] {
      if let member = reader.takeMember(key) { findings.error(ManifestText.scanOfStage(key), at: member.keyLocation) }
    }
    let matrix = matrix(reader.takeMember("matrix"))
    _ = reader.string("description", &findings)
    let (resources, retries) = (reader.take("resources"), reader.take("retries"))
    let (timeout, expect) = (reader.take("timeout"), reader.take("expect"))
    return .stage(
      StageEntry(
        uses: name, with: with, inputs: inputs, matrix: matrix, resources: resources, retries: retries, timeout: timeout, expect: expect,
        hermetic: reader.onOrOff("hermetic", &findings), executor: reader.string("executor", &findings)))
  }

  /// The name of a contract, or the path of a manifest.
  private mutating func contractName(_ node: Node) -> Located<String>? {
    guard case .string(let text)? = node.scalar?.value else {
      findings.error(ManifestText.expected("the name of a stage contract", for: "'uses'", found: node), at: node.location)
      return nil
    }
    if text.utf8.contains(UInt8(ascii: "$")) {
      findings.error(ManifestText.placeholderInUses, at: node.location)
      return nil
    }
    return Located(text, at: node.location)
  }

  private static func isPath(_ text: String) -> Bool { text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") }

  // MARK: - Groups

  private mutating func group(_ body: GroupEntry.Body, _ reader: inout MappingReader, _ what: String) -> ManifestEntry.Kind {
    let matrix = matrix(reader.takeMember("matrix"))
    let (scan, carry, then) = (reader.takeMember("scan"), reader.takeMember("carry"), reader.takeMember("then"))
    _ = reader.string("description", &findings)
    guard let scan else {
      for member in [carry, then].compactMap({ $0 }) { findings.error(ManifestText.needsScan(member.key), at: member.keyLocation) }
      return .group(GroupEntry(body: body, matrix: matrix, scan: nil))
    }
    guard let variable = scanVariable(scan) else { return .broken }
    let steps = ScanEntry(
      variable: variable, carry: named(carry?.value, "'carry' of \(what)"), then: named(then?.value, "'then' of \(what)"),
      thenLocation: (then ?? carry)?.keyLocation, location: scan.keyLocation)
    return .group(GroupEntry(body: body, matrix: matrix, scan: steps))
  }

  private mutating func scanVariable(_ scan: Node.Member) -> Node.Member? {
    let members = named(scan.value, "'scan'")
    if members.count == 1 { return members[0] }
    if scan.value.members != nil || scan.value.isNull { findings.error(ManifestText.scanVariables(members.count), at: scan.keyLocation) }
    return nil
  }

  private mutating func matrix(_ member: Node.Member?) -> MatrixEntry? {
    guard let member else { return nil }
    guard let members = member.value.members else {
      findings.error(ManifestText.expected("a mapping", for: "'matrix'", found: member.value), at: member.value.location)
      return nil
    }
    let axes = members.filter { $0.key != "include" && $0.key != "exclude" }
    for axis in axes { checkName(axis) }
    if axes.isEmpty && member.value["include"] == nil { findings.error(ManifestText.emptyMatrix, at: member.keyLocation) }
    return MatrixEntry(axes: axes, include: member.value["include"], exclude: member.value["exclude"], location: member.keyLocation)
  }
}

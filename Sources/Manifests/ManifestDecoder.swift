import Diagnostics

/// Reads a manifest's words from its nodes, reporting every one that is unknown, missing or of the wrong kind.
package struct ManifestDecoder {
  private var findings = Findings()
  private let source: SourceFile

  /// The manifest, and what is wrong with it. It may be partial when there are errors, so that the rest is checked as well.
  package static func decode(_ source: SourceFile, limits: YAMLLimits = YAMLLimits()) -> (manifest: Manifest?, findings: Findings) {
    let (node, findings) = YAMLParser.parse(source, limits: limits)
    guard let node else { return (nil, findings) }
    var decoder = ManifestDecoder(source, findings)
    let manifest = decoder.manifest(node)
    return (manifest, decoder.findings)
  }

  private init(_ source: SourceFile, _ findings: Findings) {
    self.source = source
    self.findings = findings
  }

  private mutating func manifest(_ node: Node) -> Manifest? {
    guard var reader = MappingReader(node, "the manifest", &findings) else { return nil }
    version(reader.take("heirloom"), node.location)
    let name = name(&reader)
    let description = reader.string("description", &findings)?.value
    let numerics = numerics(&reader)
    let params = named(reader.take("params"), "params")
    let profiles = profiles(reader.take("profiles"))
    let stages = reader.takeMember("stages")
    for key in ["inputs", "outputs"] {
      if let member = reader.takeMember(key) { findings.error(ManifestText.interface(key), at: member.keyLocation) }
    }
    reader.finish(&findings)
    let entries = entries(stages?.value, node.location)
    return Manifest(
      source: source, name: name, description: description, numerics: numerics, params: params, profiles: profiles, entries: entries)
  }

  // MARK: - The head

  private mutating func version(_ node: Node?, _ location: SourceLocation) {
    guard let node else {
      return findings.error(ManifestText.missing("heirloom", in: "the manifest") + "; write 'heirloom: 1'", at: location)
    }
    if node.scalar?.value != .integer(1) { findings.error(ManifestText.version(node), at: node.location) }
  }

  /// The name given, else the file's own without its ending.
  private mutating func name(_ reader: inout MappingReader) -> String {
    guard let name = reader.string("name", &findings) else { return Self.stem(source.path) }
    if !Name.isValid(name.value) { findings.error(ManifestText.badName(name.value), at: name.location) }
    return name.value
  }

  private static func stem(_ path: String) -> String {
    let file = path.split(separator: "/").last ?? "recipe"
    let stem = file.split(separator: ".").first.map(String.init) ?? "recipe"
    return Name.isValid(stem) ? stem : "recipe"
  }

  private mutating func numerics(_ reader: inout MappingReader) -> Located<String>? {
    guard let numerics = reader.string("numerics", &findings) else { return nil }
    guard ["native", "portable"].contains(numerics.value) else {
      let near = NearestName.find(numerics.value, among: ["native", "portable"])
      findings.error(ManifestText.numerics(numerics.value), at: numerics.location, suggestion: near)
      return nil
    }
    return numerics
  }

  private mutating func profiles(_ node: Node?) -> [Profile] {
    named(node, "profiles").map { member in
      Profile(name: Located(member.key, at: member.keyLocation), params: named(member.value, "profile '\(member.key)'"))
    }
  }

  // MARK: - Stages

  private mutating func entries(_ node: Node?, _ location: SourceLocation) -> [ManifestEntry] {
    guard let node else {
      findings.error(ManifestText.missing("stages", in: "the manifest"), at: location)
      return []
    }
    let members = named(node, "stages")
    if members.isEmpty, node.members != nil || node.isNull { findings.error(ManifestText.noStages, at: node.location) }
    return members.map { ManifestEntry(name: $0.key, location: $0.keyLocation, kind: kind($0)) }
  }

  private mutating func kind(_ member: Node.Member) -> ManifestEntry.Kind {
    let what = "stage '\(member.key)'"
    guard var reader = MappingReader(member.value, what, &findings) else { return .broken }
    if let group = reader.takeMember("stages") {
      findings.error(ManifestText.groups, at: group.keyLocation)
      return .broken
    }
    guard let uses = reader.takeMember("uses") else {
      findings.error(ManifestText.neitherStageNorGroup, at: member.keyLocation)
      return .broken
    }
    let stage = stage(uses.value, &reader, what)
    reader.finish(&findings)
    return stage.map { .stage($0) } ?? .broken
  }

  private mutating func stage(_ uses: Node, _ reader: inout MappingReader, _ what: String) -> StageEntry? {
    for key in ["scan", "carry", "then"] {
      if let member = reader.takeMember(key) { findings.error(ManifestText.scan(key), at: member.keyLocation) }
    }
    let contract = contractName(uses)
    let with = open(reader.take("with"), "'with' of \(what)")
    let inputs = open(reader.take("inputs"), "'inputs' of \(what)")
    let matrix = matrix(reader.takeMember("matrix"))
    _ = reader.string("description", &findings)
    let (resources, retries) = (reader.take("resources"), reader.take("retries"))
    let (timeout, expect) = (reader.take("timeout"), reader.take("expect"))
    guard let contract else { return nil }
    return StageEntry(
      uses: contract, with: with, inputs: inputs, matrix: matrix, resources: resources, retries: retries, timeout: timeout, expect: expect)
  }

  private mutating func contractName(_ node: Node) -> Located<String>? {
    guard case .string(let text)? = node.scalar?.value else {
      findings.error(ManifestText.expected("the name of a stage contract", for: "'uses'", found: node), at: node.location)
      return nil
    }
    if text.utf8.contains(UInt8(ascii: "$")) {
      findings.error(ManifestText.placeholderInUses, at: node.location)
      return nil
    }
    if text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") {
      findings.error(ManifestText.manifestAsStage, at: node.location)
      return nil
    }
    return Located(text, at: node.location)
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

  // MARK: - Mappings

  /// The members of a mapping whose keys are names; null and nothing are empty.
  private mutating func named(_ node: Node?, _ what: String) -> [Node.Member] {
    let members = open(node, what)
    for member in members { checkName(member) }
    return members
  }

  /// The members of a mapping; null and nothing are empty.
  private mutating func open(_ node: Node?, _ what: String) -> [Node.Member] {
    guard let node, !node.isNull else { return [] }
    guard let members = node.members else {
      findings.error(ManifestText.expected("a mapping", for: what, found: node), at: node.location)
      return []
    }
    return members
  }

  private mutating func checkName(_ member: Node.Member) {
    if !Name.isValid(member.key) { findings.error(ManifestText.badName(member.key), at: member.keyLocation) }
  }
}

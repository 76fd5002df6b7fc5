import Diagnostics

/// Reads a manifest's words from its nodes, reporting every one that is unknown, missing or of the wrong kind.
package struct ManifestDecoder {
  var findings = Findings()
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
    let hermetic = reader.onOrOff("hermetic", &findings)
    let params = named(reader.take("params"), "params")
    let profiles = profiles(reader.take("profiles"))
    let stages = reader.takeMember("stages")
    let inputs = named(reader.take("inputs"), "'inputs' of the manifest")
    let outputs = named(reader.take("outputs"), "'outputs' of the manifest")
    reader.finish(&findings)
    if stages == nil { findings.error(ManifestText.missing("stages", in: "the manifest"), at: node.location) }
    let entries = stages.map { self.entries($0.value, ManifestText.noStages) } ?? []
    return Manifest(
      source: source, name: name, description: description, numerics: numerics, hermetic: hermetic, params: params, profiles: profiles,
      inputs: inputs, entries: entries, outputs: outputs)
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

  // MARK: - Mappings

  /// The members of a mapping whose keys are names; null and nothing are empty.
  mutating func named(_ node: Node?, _ what: String) -> [Node.Member] {
    let members = open(node, what)
    for member in members { checkName(member) }
    return members
  }

  /// The members of a mapping; null and nothing are empty.
  mutating func open(_ node: Node?, _ what: String) -> [Node.Member] {
    guard let node, !node.isNull else { return [] }
    guard let members = node.members else {
      findings.error(ManifestText.expected("a mapping", for: what, found: node), at: node.location)
      return []
    }
    return members
  }

  mutating func checkName(_ member: Node.Member) {
    if !Name.isValid(member.key) { findings.error(ManifestText.badName(member.key), at: member.keyLocation) }
  }
}

import Diagnostics
import JSONValues
import Manifests

extension InputDeclaration {
  /// An input as a contract declares it, or a manifest that others use; only a stage can be given labels.
  static func read(_ member: Node.Member, labels takesLabels: Bool = false, _ findings: inout Findings) -> InputDeclaration? {
    let what = "input '\(member.key)'"
    guard var reader = MappingReader(member.value, what, &findings) else { return nil }
    let types = ArtifactType.read(reader.take("type"), member, what, &findings)
    let isList = reader.boolean("list", &findings) ?? false
    let isOptional = reader.boolean("optional", &findings) ?? false
    let unless = takesLabels ? reader.string("unless", &findings)?.value : nil
    let labels = takesLabels ? reader.boolean("labels", &findings) ?? false : false
    let doc = reader.string("doc", &findings)?.value
    reader.finish(&findings)
    return InputDeclaration(
      name: member.key, types: types, isList: isList, isOptional: isOptional || unless != nil, unless: unless, labels: labels, doc: doc)
  }
}

extension ArtifactType {
  /// One type, or for an input a list of them.
  static func read(_ node: Node?, _ member: Node.Member, _ what: String, _ findings: inout Findings) -> [ArtifactType] {
    guard let node else {
      findings.error(ManifestText.missing("type", in: what), at: member.value.location)
      return []
    }
    let names = node.elements ?? [node]
    return names.compactMap { name in
      guard case .string(let text)? = name.scalar?.value else {
        findings.error(ManifestText.expected("an artifact type", for: "'type'", found: name), at: name.location)
        return nil
      }
      guard let type = ArtifactType(rawValue: text) else {
        let near = NearestName.find(text, among: ArtifactType.allCases.map(\.rawValue))
        findings.error(PlanningText.unknownType(text), at: name.location, suggestion: near)
        return nil
      }
      return type
    }
  }
}

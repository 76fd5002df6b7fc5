import Diagnostics
import Manifests

/// What a manifest binds to the declared inputs of a stage, or of another manifest: checked names, references made ready.
struct InputBinding {
  /// Its place among the declared inputs.
  let place: Int
  let declaration: InputDeclaration
  let list: ReferenceList

  /// Reports unknown names, missing ones, and what is no reference. `owner` is who declares them: `train/sft`, `./other.yaml`.
  static func read(
    _ members: [Node.Member], _ declared: [InputDeclaration], owner: String, at location: SourceLocation, _ findings: inout Findings
  ) -> [InputBinding] {
    var bindings: [InputBinding] = []
    var given: Set<Int> = []
    for member in members {
      guard let place = declared.firstIndex(where: { $0.name.hasSameBytes(as: member.key) }) else {
        let near = NearestName.find(member.key, among: declared.map(\.name))
        findings.error(PlanningText.unknownInput(member.key, owner), at: member.keyLocation, suggestion: near)
        continue
      }
      given.insert(place)
      if let binding = InputBinding(member, place: place, declared[place], owner, &findings) { bindings.append(binding) }
    }
    for (place, input) in declared.enumerated() where !input.isOptional && !given.contains(place) {
      findings.error(PlanningText.missingInput(input.name, owner, input.typeNames), at: location)
    }
    return bindings
  }

  private init?(_ member: Node.Member, place: Int, _ declaration: InputDeclaration, _ owner: String, _ findings: inout Findings) {
    self.place = place
    self.declaration = declaration
    if member.value.elements != nil, !declaration.isList {
      findings.error(PlanningText.takesNoList(declaration.name, owner), at: member.value.location)
      return nil
    }
    guard let list = ReferenceList(member.value, "input '\(declaration.name)'", &findings) else { return nil }
    self.list = list
  }
}

import Diagnostics
import JSONValues
import Manifests

/// One input of a stage made ready: where its elements come from, before the axes have values.
struct InputBinding {
  enum Source {
    /// `./models/smollm2`
    case path(String)
    case reference(Reference)
    /// Known only when `${…}` outside brackets has been replaced.
    case template(Template)
    case nothing
  }

  /// Its place among the contract's inputs.
  let place: Int
  let declaration: InputDeclaration
  /// One, or as many as the manifest lists.
  let sources: [(source: Source, location: SourceLocation)]
  let isList: Bool
  let location: SourceLocation

  /// Reports what is no reference at all.
  init?(_ member: Node.Member, place: Int, _ contract: StageContract, _ findings: inout Findings) {
    let declaration = contract.inputs[place]
    self.place = place
    self.declaration = declaration
    location = member.value.location
    isList = member.value.elements != nil
    let nodes = member.value.elements ?? [member.value]
    if isList, !declaration.isList {
      findings.error(PlanningText.takesNoList(declaration.name, contract.name), at: location)
      return nil
    }
    var sources: [(source: Source, location: SourceLocation)] = []
    for node in nodes {
      guard let source = Self.source(node, isElement: isList, declaration, &findings) else { return nil }
      sources.append((source, node.location))
    }
    self.sources = sources
  }

  private static func source(_ node: Node, isElement: Bool, _ declaration: InputDeclaration, _ findings: inout Findings) -> Source? {
    switch node.scalar?.value {
    case .null? where !isElement: return .nothing
    case .string(let text)?:
      guard let template = Template.reading(text, at: node.location, &findings) else { return nil }
      if template.literal == nil, ReferenceParser.isDynamic(template) { return .template(template) }
      guard let source = source(template, text: template.literal ?? text) else {
        findings.error(PlanningText.badReference(text), at: node.location)
        return nil
      }
      return source
    default:
      findings.error(PlanningText.notAReference(node.description, declaration.name), at: node.location)
      return nil
    }
  }

  /// A path or a reference; nil when the text is neither.
  static func source(_ template: Template, text: String) -> Source? {
    if text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") { return .path(text) }
    return ReferenceParser.parse(template, text: text).map { .reference($0) }
  }
}

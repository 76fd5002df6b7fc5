import Diagnostics
import JSONValues
import Manifests

/// What stands where references are asked for, made ready: one reference or source path, a list of them, or nothing.
struct ReferenceList {
  enum Source {
    /// `./models/smollm2`
    case path(String)
    case reference(Reference)
    /// Known only when `${…}` outside brackets has been replaced.
    case template(Template)
    case nothing
  }

  /// One, or as many as the manifest lists.
  let sources: [(source: Source, location: SourceLocation)]
  /// Whether the manifest writes a list.
  let isList: Bool
  let location: SourceLocation
  /// What they are for: `input 'model'`.
  let what: String

  static func empty(_ what: String, at location: SourceLocation) -> ReferenceList {
    ReferenceList(sources: [], isList: true, location: location, what: what)
  }

  private init(sources: [(source: Source, location: SourceLocation)], isList: Bool, location: SourceLocation, what: String) {
    self.sources = sources
    self.isList = isList
    self.location = location
    self.what = what
  }

  /// Nil, and an error, when something is no reference at all.
  init?(_ node: Node, _ what: String, _ findings: inout Findings) {
    let isList = node.elements != nil
    var sources: [(source: Source, location: SourceLocation)] = []
    for element in node.elements ?? [node] {
      guard let source = Self.source(element, isElement: isList, what, &findings) else { return nil }
      sources.append((source, element.location))
    }
    self.init(sources: sources, isList: isList, location: node.location, what: what)
  }

  private static func source(_ node: Node, isElement: Bool, _ what: String, _ findings: inout Findings) -> Source? {
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
      findings.error(PlanningText.notAReference(node.description, what), at: node.location)
      return nil
    }
  }

  /// A path or a reference; nil when the text is neither.
  static func source(_ template: Template, text: String) -> Source? {
    if text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") { return .path(text) }
    return ReferenceParser.parse(template, text: text).map { .reference($0) }
  }
}

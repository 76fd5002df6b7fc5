import Diagnostics
import JSONValues
import Manifests

/// Finds what references stand for, seen from a block, and checks that it fits whoever takes it. An instance is named by its place in
/// the order of the manifest.
///
/// A class, because what a port stands for is looked up once and its errors are reported once, whoever asks.
final class ReferenceResolver {
  /// Who takes the elements: an input of a stage or of a manifest.
  struct Demand {
    let declaration: InputDeclaration
    /// `train/sft`, `./other.yaml`.
    let owner: String
  }

  /// Something that a reference names.
  struct Found {
    enum Thing {
      case outputs(StageMember, OutputDeclaration, [Int])
      /// With what the manifest declares of it, when it is one of its inputs.
      case bound([BoundElement], name: String, declared: InputDeclaration?)
      /// A source file or directory, absolute, and as written.
      case file(path: String, written: String)
    }

    let thing: Thing
    let location: SourceLocation
  }

  private let files: ProjectFiles
  private var kinds: [String: ProjectFiles.Kind?] = [:]
  private var depth = 0
  /// What is wrong with ports.
  private(set) var findings = Findings()

  static let deepest = 400

  init(files: ProjectFiles) { self.files = files }

  /// The elements for an input of a stage; nil when something that it names is broken.
  func elements(_ list: ReferenceList, for demand: Demand, in block: Block, _ scope: Scope) throws(Diagnostic) -> [InputElement]? {
    guard let found = try find(list, demand, in: block, scope) else { return nil }
    var elements: [InputElement] = []
    for found in found {
      try check(found, demand)
      if elements.isEmpty { elements = Self.elements(found) } else { elements += Self.elements(found) }
    }
    try check(count: elements.count, list, demand)
    return elements
  }

  private static func elements(_ found: Found) -> [InputElement] {
    switch found.thing {
    case .outputs(let member, let output, let places):
      places.map { InputElement(source: .output(instance: member.first + $0, output: output.name), labels: member.axes[$0]) }
    case .bound(let elements, _, _): elements.map(\.element)
    case .file(let path, let written): [InputElement(source: .file(path: path), written: written)]
    }
  }

  private static func bound(_ found: Found) -> [BoundElement] {
    switch found.thing {
    case .outputs(let member, let output, _):
      elements(found).map { BoundElement(element: $0, type: output.type, name: "\(member.plan.entry.name).\(output.name)") }
    case .bound(let elements, _, _): elements
    case .file(_, let written): elements(found).map { BoundElement(element: $0, type: nil, name: written) }
    }
  }

  // MARK: - Ports

  /// What a port stands for; nil, and its errors among the findings, when it cannot be had.
  ///
  /// A long scan may hand one thing on from step to step, so the earlier steps come first: one behind the other, not one in another.
  @discardableResult
  func value(of port: Port) -> [BoundElement]? {
    var waiting: [Port] = []
    var next: Port? = port
    while let earlier = next, case .waiting = earlier.state {
      waiting.append(earlier)
      next = earlier.block.carried?.named(earlier.name)
    }
    for port in waiting.reversed() { settle(port) }
    switch port.state {
    case .known(let elements): return elements
    case .open:
      report(Diagnostic(.error, PlanningText.needsItself(port.name), at: port.plan.location), port.block)
      return nil
    case .failed, .waiting: return nil
    }
  }

  private func settle(_ port: Port) {
    guard case .waiting = port.state else { return }
    port.state = .open
    depth += 1
    defer { depth -= 1 }
    do {
      port.state = try elements(of: port).map { .known($0) } ?? .failed
    } catch {
      report(error, port.block)
      port.state = .failed
    }
  }

  private func elements(of port: Port) throws(Diagnostic) -> [BoundElement]? {
    guard depth <= Self.deepest else { throw Diagnostic(.error, PlanningText.handedOnTooOften, at: port.plan.location) }
    let demand: Demand? =
      if case .input(let declaration, let manifest) = port.rule { Demand(declaration: declaration, owner: manifest) } else { nil }
    guard let found = try find(port.plan.sources, demand, in: port.block, port.scope) else { return nil }
    var elements: [BoundElement] = []
    for found in found {
      if let demand { try check(found, demand) } else { try checkIsThere(found) }
      elements += Self.bound(found)
    }
    if let demand { try check(count: elements.count, port.plan.sources, demand) }
    if case .carried(let first) = port.rule { try check(elements, of: port, like: first) }
    return elements
  }

  private func report(_ diagnostic: Diagnostic, _ block: Block) {
    var own = Findings()
    own.add(diagnostic)
    findings.add(contentsOf: own, notes: block.home.notes)
  }

  // MARK: - Checks

  private func check(_ found: Found, _ demand: Demand) throws(Diagnostic) {
    switch found.thing {
    case .outputs(let member, let output, _):
      try check(output.type, "\(member.plan.entry.name).\(output.name)", demand, found.location)
    case .bound(let elements, let name, let declared):
      for type in declared?.types ?? [] where type != .any { try check(type, name, demand, found.location) }
      for element in elements {
        if let type = element.type {
          try check(type, name, demand, found.location)
        } else if case .file(let path) = element.element.source {
          try check(file: path, element.element.written, demand, found.location)
        }
      }
    case .file(let path, let written): try check(file: path, written, demand, found.location)
    }
  }

  private func check(_ type: ArtifactType, _ name: String, _ demand: Demand, _ location: SourceLocation) throws(Diagnostic) {
    let declaration = demand.declaration
    guard !declaration.accepts(type) else { return }
    let text = PlanningText.typeMismatch(declaration.name, demand.owner, declaration.typeNames, name, type.rawValue)
    throw Diagnostic(.error, text, at: location)
  }

  private func check(file path: String, _ written: String, _ demand: Demand, _ location: SourceLocation) throws(Diagnostic) {
    let declaration = demand.declaration
    switch try kind(path, written, location) {
    case .file where !declaration.types.contains { !$0.isDirectory }:
      throw Diagnostic(.error, PlanningText.wantsDirectory(declaration.name, demand.owner, declaration.typeNames, written), at: location)
    case .directory where !declaration.takesDirectories:
      throw Diagnostic(.error, PlanningText.wantsFile(declaration.name, demand.owner, declaration.typeNames, written), at: location)
    default: break
    }
  }

  private func checkIsThere(_ found: Found) throws(Diagnostic) {
    if case .file(let path, let written) = found.thing { _ = try kind(path, written, found.location) }
  }

  private func kind(_ path: String, _ written: String, _ location: SourceLocation) throws(Diagnostic) -> ProjectFiles.Kind {
    let kind = kinds[path] ?? files.kind(path)
    kinds[path] = .some(kind)
    guard let kind else { throw Diagnostic(.error, PlanningText.noFile(written), at: location) }
    if kind == .other { throw Diagnostic(.error, PlanningText.specialFile(written), at: location) }
    return kind
  }

  private func check(count: Int, _ list: ReferenceList, _ demand: Demand) throws(Diagnostic) {
    let declaration = demand.declaration
    if count == 0, !declaration.isOptional {
      throw Diagnostic(.error, PlanningText.emptyList(declaration.name, demand.owner), at: list.location)
    }
    if count > 1, !declaration.isList {
      throw Diagnostic(.error, PlanningText.takesOne(declaration.name, demand.owner, count), at: list.location)
    }
  }

  /// What a step carries on is what the first step could take as well.
  private func check(_ elements: [BoundElement], of port: Port, like first: Port) throws(Diagnostic) {
    // A scan that starts from its own end: a circle of stages, which is found there.
    if case .open = first.state { return }
    let known = (value(of: first) ?? []).compactMap(\.type)
    guard let expected = known.first else { return }
    for element in elements {
      guard let type = element.type, !known.contains(where: { $0.accepts(type) }) else { continue }
      let text = PlanningText.carriedType(port.name, expected.rawValue, element.name, type.rawValue)
      throw Diagnostic(.error, text, at: port.plan.location, notes: [Diagnostic.Note(PlanningText.carriedFirst, at: first.plan.location)])
    }
  }

  // MARK: - What a list names

  private func find(_ list: ReferenceList, _ demand: Demand?, in block: Block, _ scope: Scope) throws(Diagnostic) -> [Found]? {
    var found: [Found] = []
    for (source, location) in list.sources {
      switch source {
      case .nothing: break
      case .path(let path): found.append(file(path, block, location))
      case .reference(let reference):
        guard try ReferenceWalk(self, block, scope, location).find(reference, &found) else { return nil }
      case .template(let template):
        let value = try scope.value(template, at: location)
        guard try find(value, list, demand, in: block, scope, location, &found) else { return nil }
      }
    }
    return found
  }

  /// What `${…}` outside brackets gave: nothing, a text, or a list of texts.
  private func find(
    _ value: JSONValue, _ list: ReferenceList, _ demand: Demand?, in block: Block, _ scope: Scope, _ location: SourceLocation,
    _ found: inout [Found]
  ) throws(Diagnostic) -> Bool {
    if value.isNull, !list.isList { return true }
    guard case .array(let values) = value else { return try find(one: value, list, in: block, scope, location, &found) }
    if let demand, list.isList || !demand.declaration.isList {
      throw Diagnostic(.error, PlanningText.takesNoList(demand.declaration.name, demand.owner), at: location)
    }
    for value in values {
      guard try find(one: value, list, in: block, scope, location, &found) else { return false }
    }
    return true
  }

  private func find(
    one value: JSONValue, _ list: ReferenceList, in block: Block, _ scope: Scope, _ location: SourceLocation, _ found: inout [Found]
  ) throws(Diagnostic) -> Bool {
    guard case .string(let text) = value else {
      throw Diagnostic(.error, PlanningText.notAReference(ValueText.described(value), list.what), at: location)
    }
    switch ReferenceList.source(Template(pieces: [.text(text)]), text: text) {
    case .path(let path)?: found.append(file(path, block, location))
    case .reference(let reference)?: return try ReferenceWalk(self, block, scope, location).find(reference, &found)
    default: throw Diagnostic(.error, PlanningText.badReference(text), at: location)
    }
    return true
  }

  private func file(_ path: String, _ block: Block, _ location: SourceLocation) -> Found {
    Found(thing: .file(path: Paths.absolute(path, from: block.home.plan.directory), written: path), location: location)
  }
}

extension InputDeclaration {
  /// `model`, or `file or directory`.
  var typeNames: String { types.map(\.rawValue).joined(separator: " or ") }

  /// Whether a directory can be one of its elements; a dataset may be a suite.
  var takesDirectories: Bool { types.contains { $0.isDirectory || $0 == .any || $0 == .dataset } }
}

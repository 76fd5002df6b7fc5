import Diagnostics
import JSONValues
import Manifests

/// Finds the elements of an input for one instance, and checks that they fit what the contract declares.
struct InputResolver {
  private let table: EntryTable
  private let files: ProjectFiles
  private let directory: String
  private var kinds: [String: ProjectFiles.Kind?] = [:]

  /// Source paths are relative to `directory`, the manifest's.
  init(table: EntryTable, files: ProjectFiles, directory: String) {
    self.table = table
    self.files = files
    self.directory = directory
  }

  /// An instance that an element comes from is named by its place in the order of the manifest. Nil when a stage it names is broken.
  mutating func elements(_ binding: InputBinding, _ stage: String, _ scope: Scope) throws(Diagnostic) -> [InputElement]? {
    let declaration = binding.declaration
    var elements: [InputElement] = []
    for (source, location) in binding.sources {
      guard let found = try self.elements(source, declaration, stage, scope, location, mayList: !binding.isList) else { return nil }
      if elements.isEmpty { elements = found } else { elements += found }
    }
    if elements.isEmpty, !declaration.isOptional {
      throw Diagnostic(.error, PlanningText.emptyList(declaration.name, stage), at: binding.location)
    }
    if elements.count > 1, !declaration.isList {
      throw Diagnostic(.error, PlanningText.takesOne(declaration.name, stage, elements.count), at: binding.location)
    }
    return elements
  }

  private mutating func elements(
    _ source: InputBinding.Source, _ declaration: InputDeclaration, _ stage: String, _ scope: Scope, _ location: SourceLocation,
    mayList: Bool
  ) throws(Diagnostic) -> [InputElement]? {
    switch source {
    case .nothing: return []
    case .path(let path): return [try file(path, declaration, stage, location)]
    case .reference(let reference): return try outputs(reference, declaration, stage, scope, location)
    case .template(let template):
      let value = try scope.value(template, at: location)
      if value.isNull, mayList { return [] }
      guard case .array(let values) = value else { return try element(value, declaration, stage, scope, location) }
      guard mayList, declaration.isList else { throw Diagnostic(.error, PlanningText.takesNoList(declaration.name, stage), at: location) }
      var elements: [InputElement] = []
      for value in values {
        guard let found = try element(value, declaration, stage, scope, location) else { return nil }
        elements += found
      }
      return elements
    }
  }

  /// A text that `${…}` gave.
  private mutating func element(
    _ value: JSONValue, _ declaration: InputDeclaration, _ stage: String, _ scope: Scope, _ location: SourceLocation
  ) throws(Diagnostic) -> [InputElement]? {
    guard case .string(let text) = value else {
      throw Diagnostic(.error, PlanningText.notAReference(ValueText.described(value), declaration.name), at: location)
    }
    switch InputBinding.source(Template(pieces: [.text(text)]), text: text) {
    case .path(let path)?: return [try file(path, declaration, stage, location)]
    case .reference(let reference)?: return try outputs(reference, declaration, stage, scope, location)
    default: throw Diagnostic(.error, PlanningText.badReference(text), at: location)
    }
  }

  // MARK: - Outputs of stages

  private func outputs(
    _ reference: Reference, _ declaration: InputDeclaration, _ stage: String, _ scope: Scope, _ location: SourceLocation
  ) throws(Diagnostic) -> [InputElement]? {
    guard let (entry, places) = try table.resolve(reference, scope, at: location), let name = reference.output else { return nil }
    guard let output = entry.contract.output(name) else {
      let near = NearestName.find(name, among: entry.contract.outputs.map(\.name))
      throw Diagnostic(.error, PlanningText.unknownOutput(name, entry.contract.name), at: location, suggestion: near)
    }
    guard declaration.accepts(output.type) else {
      let source = "\(entry.entry.name).\(name)"
      throw Diagnostic(
        .error, PlanningText.typeMismatch(declaration.name, stage, declaration.typeNames, source, output.type.rawValue), at: location)
    }
    return places.map { place in
      InputElement(source: .output(instance: entry.first + place, output: output.name), labels: entry.matrix.combinations[place].axes)
    }
  }

  // MARK: - Source files

  private mutating func file(_ path: String, _ declaration: InputDeclaration, _ stage: String, _ location: SourceLocation)
    throws(Diagnostic) -> InputElement
  {
    let whole = Paths.absolute(path, from: directory)
    let kind = kinds[whole] ?? files.kind(whole)
    kinds[whole] = .some(kind)
    switch kind {
    case nil: throw Diagnostic(.error, PlanningText.noFile(path), at: location)
    case .other?: throw Diagnostic(.error, PlanningText.specialFile(path), at: location)
    case .file? where !declaration.types.contains { !$0.isDirectory }:
      throw Diagnostic(.error, PlanningText.wantsDirectory(declaration.name, stage, declaration.typeNames, path), at: location)
    case .directory? where !declaration.takesDirectories:
      throw Diagnostic(.error, PlanningText.wantsFile(declaration.name, stage, declaration.typeNames, path), at: location)
    default: return InputElement(source: .file(path: whole), written: path)
    }
  }
}

extension InputDeclaration {
  /// `model`, or `file or directory`.
  var typeNames: String { types.map(\.rawValue).joined(separator: " or ") }

  /// Whether a directory can be one of its elements; a dataset may be a suite.
  var takesDirectories: Bool { types.contains { $0.isDirectory || $0 == .any || $0 == .dataset } }
}

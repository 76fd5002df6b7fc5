import Diagnostics
import JSONValues
import Manifests

/// Reads the manifests and contracts of a recipe, each file once, and makes them ready. It multiplies nothing out.
struct ManifestLibrary {
  private enum Shelf {
    case found(ManifestPlan)
    /// Reported.
    case broken
  }

  private let environment: PlanningEnvironment
  private var shelves: [ByteString: Shelf] = [:]
  private var contracts: [ByteString: StageContract?] = [:]
  /// The files that are being read, from the outermost on: a file among them would use itself.
  private var open: [String] = []
  /// Every file that was read, the outermost first.
  private(set) var manifests: [Manifest] = []

  static let deepest = 32

  init(_ environment: PlanningEnvironment) { self.environment = environment }

  /// The outermost manifest.
  mutating func plan(_ manifest: Manifest, path: String, _ findings: inout Findings) -> ManifestPlan {
    manifests.append(manifest)
    open.append(path)
    defer { open.removeLast() }
    let catalogue = environment.catalogue(for: Paths.parent(path))
    let directory = Paths.parent(path)
    let entries = manifest.entries.map { entry($0, catalogue, directory, &findings) }
    let inputs = manifest.inputs.compactMap { member in
      InputDeclaration.read(member, &findings).map { ($0, member.keyLocation) }
    }
    let outputs = manifest.outputs.map { PortPlan($0, "output '\($0.key)'", &findings) }
    return ManifestPlan(manifest, path: path, inputs: inputs, entries: entries, outputs: outputs)
  }

  // MARK: - Entries

  private mutating func entry(
    _ entry: ManifestEntry, _ catalogue: StageCatalogue, _ directory: String, _ findings: inout Findings
  ) -> EntryPlan {
    switch entry.kind {
    case .broken: return .broken(name: entry.name)
    case .stage(let stage):
      guard let contract = contract(stage.uses, catalogue, &findings) else { return .broken(name: entry.name) }
      check(stage.executor, &findings)
      return .stage(StagePlan(entry, stage, contract, &findings))
    case .group(let group):
      guard let body = body(group.body, entry, catalogue, directory, &findings) else { return .broken(name: entry.name) }
      return .group(GroupPlan(entry, group, body: body, &findings))
    }
  }

  private func check(_ executor: Located<String>?, _ findings: inout Findings) {
    guard let executor, !environment.executors.contains(where: { $0.utf8.elementsEqual(executor.value.utf8) }) else { return }
    findings.error(
      PlanningText.unknownExecutor(executor.value, environment.executors), at: executor.location,
      suggestion: NearestName.find(executor.value, among: environment.executors))
  }

  private mutating func body(
    _ body: GroupEntry.Body, _ entry: ManifestEntry, _ catalogue: StageCatalogue, _ directory: String, _ findings: inout Findings
  ) -> GroupPlan.Body? {
    switch body {
    case .stages(let entries): return .entries(entries.map { self.entry($0, catalogue, directory, &findings) })
    case .manifest(let use):
      guard let plan = inner(use.path, directory, &findings) else { return nil }
      let bindings = InputBinding.read(use.inputs, plan.inputs, owner: use.path.value, at: entry.location, &findings)
      return .manifest(GroupPlan.Use(plan: plan, path: use.path, params: params(use, plan, &findings), bindings: bindings))
    }
  }

  private func params(_ use: ManifestUse, _ plan: ManifestPlan, _ findings: inout Findings) -> [(
    name: String, value: Expression, location: SourceLocation
  )] {
    let known = plan.manifest.params.map(\.key)
    return use.with.compactMap { member in
      guard known.contains(where: { $0.hasSameBytes(as: member.key) }) else {
        let near = NearestName.find(member.key, among: known)
        findings.error(PlanningText.unknownParamOf(member.key, use.path.value), at: member.keyLocation, suggestion: near)
        return nil
      }
      return (member.key, Expression(member.value, &findings), member.value.location)
    }
  }

  // MARK: - Manifests that are used

  /// The manifest at a path as written; nil, and errors, when it cannot be used. What is wrong with it is reported once.
  private mutating func inner(_ written: Located<String>, _ directory: String, _ findings: inout Findings) -> ManifestPlan? {
    let path = Paths.absolute(written.value, from: directory)
    if let start = open.firstIndex(where: { $0.hasSameBytes(as: path) }) {
      let circle = (open[start...] + [path]).map { Paths.shown($0, from: environment.workingDirectory) }
      findings.error(PlanningText.usesItself(circle), at: written.location)
      return nil
    }
    switch shelves[ByteString(path)] {
    case .found(let plan)?: return plan
    case .broken?: return nil
    case nil: break
    }
    let plan = read(path, written, &findings)
    shelves[ByteString(path)] = plan.map { .found($0) } ?? .broken
    return plan
  }

  private mutating func read(_ path: String, _ written: Located<String>, _ findings: inout Findings) -> ManifestPlan? {
    guard open.count < Self.deepest else {
      findings.error(PlanningText.tooManyManifests(Self.deepest), at: written.location)
      return nil
    }
    switch environment.files.read(path, YAMLLimits().bytes) {
    case .failure(let failure):
      findings.error(ManifestText.unreadable(written.value, failure.reason), at: written.location)
      return nil
    case .success(let bytes):
      let source = SourceFile(path: Paths.shown(path, from: environment.workingDirectory), bytes: bytes)
      var (manifest, own) = ManifestDecoder.decode(source)
      let plan = manifest.map { self.plan($0, path: path, &own) }
      findings.add(contentsOf: own, notes: [Diagnostic.Note(PlanningText.usedHere, at: written.location)])
      return plan
    }
  }

  // MARK: - Contracts

  private mutating func contract(_ uses: Located<String>, _ catalogue: StageCatalogue, _ findings: inout Findings) -> StageContract? {
    let key = ByteString("\(catalogue.directories.joined(separator: ":")):\(uses.value)")
    if let known = contracts[key], let known { return known }
    switch catalogue.contract(named: uses.value) {
    case .found(let contract, let warnings):
      for warning in warnings { findings.add(warning) }
      contracts[key] = contract
      return contract
    case .broken(let errors):
      let isFirst = contracts.updateValue(nil, forKey: key) == nil
      if isFirst { for error in errors { findings.add(error) } }
      findings.error(PlanningText.unusableContract(uses.value), at: uses.location)
      return nil
    case .unknown(let suggestion):
      let text = catalogue.directories.isEmpty ? PlanningText.noStagesDirectory(uses.value) : PlanningText.unknownStage(uses.value)
      let isFile = uses.value.hasSuffix(".yaml") || uses.value.hasSuffix(".yml")
      findings.error(text, at: uses.location, suggestion: isFile ? "./" + uses.value : suggestion)
      return nil
    }
  }
}

extension Findings {
  /// The same findings, each with these notes.
  mutating func add(contentsOf other: Findings, notes: [Diagnostic.Note]) {
    guard !notes.isEmpty else { return add(contentsOf: other) }
    for finding in other.all {
      add(
        Diagnostic(
          finding.severity, finding.message, at: finding.location, suggestion: finding.suggestion, notes: finding.notes + notes))
    }
  }
}

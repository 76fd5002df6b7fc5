import Diagnostics
import JSONValues
import Manifests

/// Makes the graph of instances of a manifest: matrices multiplied out, contracts found, references resolved, everything checked.
struct Expansion {
  private let manifest: Manifest
  private let catalogue: StageCatalogue
  private let directory: String
  private let scope: Scope
  private var table = EntryTable()
  private var contracts: [ByteString: StageContract?] = [:]
  private(set) var findings = Findings()

  /// More would be a mistake: a product of matrices that nobody meant.
  static let mostInstances = 100_000

  /// An instance whose inputs still name others by their place in the manifest.
  private struct Draft {
    let name: String
    let entry: Int
    let combination: Int
    let parameters: JSONObject
    let inputs: [InstanceInput]
    let settings: EntryPlan.Settings
  }

  /// `directory` is the manifest's own, absolute: source paths start there.
  init(manifest: Manifest, params: JSONObject, catalogue: StageCatalogue, directory: String) {
    self.manifest = manifest
    self.catalogue = catalogue
    self.directory = directory
    scope = Scope(params: params)
  }

  /// The instances in topological order; empty when there are errors.
  mutating func instances() -> [StageInstance] {
    for entry in manifest.entries { ready(entry) }
    checkNames()
    let drafts = drafts()
    guard !findings.hasErrors else { return [] }
    let needs = drafts.map(Self.needs)
    switch TopologicalOrder.find(needs) {
    case .order(let order): return finish(drafts, order)
    case .cycle(let cycle):
      report(cycle, drafts)
      return []
    }
  }

  // MARK: - Entries

  private mutating func ready(_ entry: ManifestEntry) {
    guard case .stage(let stage) = entry.kind, let contract = contract(stage.uses) else { return table.add(broken: entry.name) }
    let room = Self.mostInstances - table.instanceCount
    let matrix = stage.matrix.map { Matrix($0, scope, limit: room, &findings) } ?? .single
    guard let matrix else { return table.add(broken: entry.name) }
    table.add(ReadyEntry(entry: entry, stage: stage, contract: contract, matrix: matrix, first: table.instanceCount))
  }

  private mutating func contract(_ uses: Located<String>) -> StageContract? {
    if let known = contracts[ByteString(uses.value)], let known { return known }
    switch catalogue.contract(named: uses.value) {
    case .found(let contract, let warnings):
      for warning in warnings { findings.add(warning) }
      contracts[ByteString(uses.value)] = contract
      return contract
    case .broken(let errors):
      let isFirst = contracts.updateValue(nil, forKey: ByteString(uses.value)) == nil
      if isFirst { for error in errors { findings.add(error) } }
      findings.error(PlanningText.unusableContract(uses.value), at: uses.location)
      return nil
    case .unknown(let suggestion):
      let text = catalogue.directories.isEmpty ? PlanningText.noStagesDirectory(uses.value) : PlanningText.unknownStage(uses.value)
      findings.error(text, at: uses.location, suggestion: suggestion)
      return nil
    }
  }

  private mutating func checkNames() {
    for entry in table.entries where entry.names.count > 1 {
      var seen: Set<ByteString> = []
      for name in entry.names where !seen.insert(ByteString(name)).inserted {
        findings.error(PlanningText.sameName(name), at: entry.stage.matrix?.location)
      }
    }
  }

  // MARK: - Instances

  private mutating func drafts() -> [Draft] {
    var drafts: [Draft] = []
    drafts.reserveCapacity(table.instanceCount)
    var resolver = InputResolver(table: table, files: catalogue.files, directory: directory)
    for (place, entry) in table.entries.enumerated() {
      let plan = EntryPlan(entry, scope, &findings)
      var faults = 0
      for combination in entry.names.indices {
        guard faults < Self.mostFaults else { break }
        if let draft = draft(place, combination, plan, &resolver) { drafts.append(draft) } else { faults += 1 }
      }
    }
    return drafts
  }

  /// So many instances of one stage are looked at after an error: further ones would say the same.
  private static let mostFaults = 5

  private mutating func draft(_ place: Int, _ combination: Int, _ plan: EntryPlan, _ resolver: inout InputResolver) -> Draft? {
    let entry = table.entries[place]
    let point = entry.matrix.combinations[combination]
    let scope = scope.with(point.variables)
    let notes = entry.names.count > 1 ? [Diagnostic.Note(PlanningText.inInstance(entry.names[combination]))] : []
    var own = Findings()
    var parameters = JSONObject()
    do { parameters = try plan.parameters(scope, notes) } catch { own.add(error) }
    let settings = plan.settings(scope, &own)
    let inputs = inputs(entry.contract, plan, scope, &resolver, &own)
    findings.add(contentsOf: own)
    guard !own.hasErrors, let inputs else { return nil }
    return Draft(
      name: entry.names[combination], entry: place, combination: combination, parameters: parameters, inputs: inputs, settings: settings)
  }

  /// Nil when a stage that one of them names is broken.
  private func inputs(
    _ contract: StageContract, _ plan: EntryPlan, _ scope: Scope, _ resolver: inout InputResolver, _ findings: inout Findings
  ) -> [InstanceInput]? {
    var elements: [[InputElement]] = contract.inputs.map { _ in [] }
    var isComplete = true
    for binding in plan.bindings {
      do {
        if let found = try resolver.elements(binding, contract.name, scope) {
          elements[binding.place] = found
        } else {
          isComplete = false
        }
      } catch {
        findings.add(error)
      }
    }
    return isComplete ? zip(contract.inputs, elements).map { InstanceInput(declaration: $0, elements: $1) } : nil
  }

  // MARK: - Order

  private static func needs(_ draft: Draft) -> [Int] {
    draft.inputs.flatMap { input in
      input.elements.compactMap { if case .output(let instance, _) = $0.source { instance } else { nil } }
    }
  }

  private func finish(_ drafts: [Draft], _ order: [Int]) -> [StageInstance] {
    var index = Array(repeating: 0, count: drafts.count)
    for (place, draft) in order.enumerated() { index[draft] = place }
    let isSame = order.indices.allSatisfy { order[$0] == $0 }
    return order.enumerated().map { place, number in
      let draft = drafts[number]
      let entry = table.entries[draft.entry]
      return StageInstance(
        index: place, declarationIndex: number, name: draft.name, entry: entry.entry.name,
        axes: entry.matrix.combinations[draft.combination].axes,
        contract: entry.contract, parameters: draft.parameters, inputs: isSame ? draft.inputs : draft.inputs.map { $0.renumbered(index) },
        resources: draft.settings.resources, retries: draft.settings.retries, timeoutSeconds: draft.settings.timeoutSeconds,
        expect: draft.settings.expect, location: entry.entry.location)
    }
  }

  private mutating func report(_ cycle: [Int], _ drafts: [Draft]) {
    let names = cycle.map { drafts[$0].name }
    let locations = cycle.map { table.entries[drafts[$0].entry].entry.location }
    let notes = cycle.indices.dropFirst().map { place in
      Diagnostic.Note(PlanningText.cycleStep(names[place], names[(place + 1) % names.count]), at: locations[place])
    }
    findings.error(PlanningText.cycle(names + [names[0]]), at: locations[0], notes: notes)
  }
}

extension InstanceInput {
  fileprivate func renumbered(_ index: [Int]) -> InstanceInput {
    InstanceInput(
      declaration: declaration,
      elements: elements.map { element in
        guard case .output(let instance, let output) = element.source else { return element }
        return InputElement(source: .output(instance: index[instance], output: output), labels: element.labels, written: element.written)
      })
  }
}

import Diagnostics
import JSONValues
import Manifests

/// Makes the graph of instances of a manifest: contracts found, matrices and scans multiplied out, references resolved, everything
/// checked.
struct Expansion {
  private let resolver: ReferenceResolver
  private var drafts: [Draft] = []
  private(set) var findings = Findings()

  /// An instance whose inputs still name others by their place in the manifest.
  private struct Draft {
    let member: StageMember
    let place: Int
    let parameters: JSONObject
    let inputs: [InstanceInput]
    let settings: StagePlan.Settings

    var name: String { member.names[place] }
  }

  init(files: ProjectFiles) { resolver = ReferenceResolver(files: files) }

  /// The instances in topological order; empty when there are errors.
  mutating func instances(_ plan: ManifestPlan, params: JSONObject) -> [StageInstance] {
    let top = Block(home: Home(plan), params: params)
    defer { top.dissolve() }
    top.inputs = plan.inputs.enumerated().map { place, declaration in unbound(declaration, plan.inputLocations[place], in: top) }
    var multiplication = Multiplication()
    multiplication.fill(top, plan.entries)
    findings.add(contentsOf: multiplication.findings)
    drafts.reserveCapacity(multiplication.instanceCount)
    draft(top)
    for output in plan.outputs { resolver.value(of: Port(output, in: top, top.scope)) }
    findings.add(contentsOf: resolver.findings)
    // An instance may also be missing for an error that was found before.
    guard !findings.hasErrors, drafts.count == multiplication.instanceCount else { return [] }
    checkConditions()
    guard !findings.hasErrors else { return [] }
    switch TopologicalOrder.find(drafts.map(Self.needs)) {
    case .order(let order): return finish(order)
    case .cycle(let cycle):
      report(cycle)
      return []
    }
  }

  /// Nobody binds the inputs of the outermost manifest.
  private mutating func unbound(_ declaration: InputDeclaration, _ location: SourceLocation, in top: Block) -> Port {
    let sources = ReferenceList.empty("input '\(declaration.name)'", at: location)
    let plan = PortPlan(name: declaration.name, sources: sources, isBroken: !declaration.isOptional)
    if plan.isBroken { findings.error(PlanningText.unboundInput(declaration.name), at: location) }
    return Port(plan, in: top, top.scope, .input(declaration, manifest: "the manifest"))
  }

  // MARK: - Blocks

  private mutating func draft(_ block: Block) {
    for member in block.members {
      switch member {
      case .broken: break
      case .stage(let stage): draft(stage)
      case .group(let group): for inside in group.blocks { draft(inside, of: group) }
      }
    }
  }

  /// Ports are looked up even where nobody asks, so that what is wrong with them is said.
  private mutating func draft(_ block: Block, of group: GroupMember) {
    for port in block.carried ?? [] { resolver.value(of: port) }
    if let inner = block.inner {
      for port in inner.inputs { resolver.value(of: port) }
      draft(inner)
      for port in block.outputs ?? [] { resolver.value(of: port) }
    } else {
      draft(block)
    }
    for port in block.carriesOn { resolver.value(of: port) }
  }

  // MARK: - Instances

  /// So many instances of one stage are looked at after an error: further ones would say the same.
  private static let mostFaults = 5

  private mutating func draft(_ member: StageMember) {
    for place in member.names.indices {
      guard member.plan.faults < Self.mostFaults else { return }
      if let draft = draft(member, place) { drafts.append(draft) } else { member.plan.faults += 1 }
    }
  }

  private mutating func draft(_ member: StageMember, _ place: Int) -> Draft? {
    let point = member.table.points[place]
    let scope = member.block.scope.adding(point.variables)
    let name = member.names[place]
    let notes = name.utf8.count == member.plan.entry.name.utf8.count ? [] : [Diagnostic.Note(PlanningText.inInstance(name))]
    var own = Findings()
    var parameters = JSONObject()
    do { parameters = try member.plan.parameters(scope, notes) } catch { own.add(error) }
    let settings = member.plan.settings(scope, &own)
    let inputs = inputs(member, scope, &own)
    if !own.isEmpty { findings.add(contentsOf: own, notes: member.block.home.notes) }
    guard !own.hasErrors, let inputs else { return nil }
    guard hasSubstitutes(member, inputs, parameters, notes) else { return nil }
    return Draft(member: member, place: place, parameters: parameters, inputs: inputs, settings: settings)
  }

  /// An input for which a parameter may stand is there, or that parameter has a value.
  private mutating func hasSubstitutes(
    _ member: StageMember, _ inputs: [InstanceInput], _ parameters: JSONObject, _ notes: [Diagnostic.Note]
  ) -> Bool {
    for input in inputs {
      guard let unless = input.declaration.unless, input.elements.isEmpty, input.declaration.isNeeded(parameters) else { continue }
      let text = PlanningText.missingInput(input.declaration.name, member.plan.contract.name, input.declaration.typeNames, unless: unless)
      findings.error(text, at: member.plan.entry.location, notes: notes + member.block.home.notes)
      return false
    }
    return true
  }

  /// Nil when a stage that one of them names is broken.
  private func inputs(_ member: StageMember, _ scope: Scope, _ findings: inout Findings) -> [InstanceInput]? {
    let contract = member.plan.contract
    var elements: [[InputElement]] = contract.inputs.map { _ in [] }
    var isComplete = true
    for binding in member.plan.bindings {
      let demand = ReferenceResolver.Demand(declaration: binding.declaration, owner: contract.name)
      do {
        if let found = try resolver.elements(binding.list, for: demand, in: member.block, scope) {
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

  /// Nobody may count on an output that the stage's own parameters do not ask for. Said once for each entry.
  private mutating func checkConditions() {
    var reported: Set<String> = []
    for draft in drafts {
      let plan = draft.member.plan
      for binding in plan.bindings {
        for element in draft.inputs[binding.place].elements {
          guard case .output(let instance, let name) = element.source else { continue }
          let source = drafts[instance]
          guard let output = source.member.plan.contract.output(name), let when = output.when, !output.isGiven(source.parameters),
            reported.insert("\(draft.member.plan.entry.name).\(binding.declaration.name)").inserted
          else { continue }
          findings.error(PlanningText.notGiven(source.name, name, when), at: binding.list.location, notes: draft.member.block.home.notes)
        }
      }
      for pin in draft.settings.expect {
        guard let output = plan.contract.output(pin.output), let when = output.when, !output.isGiven(draft.parameters),
          reported.insert(draft.member.plan.entry.name).inserted
        else { continue }
        findings.error(PlanningText.notGiven(draft.name, pin.output, when), at: plan.entry.location, notes: draft.member.block.home.notes)
      }
    }
  }

  // MARK: - Order

  private static func needs(_ draft: Draft) -> [Int] {
    draft.inputs.flatMap { input in
      input.elements.compactMap { if case .output(let instance, _) = $0.source { instance } else { nil } }
    }
  }

  private func finish(_ order: [Int]) -> [StageInstance] {
    var index = Array(repeating: 0, count: drafts.count)
    for (place, draft) in order.enumerated() { index[draft] = place }
    let isSame = order.indices.allSatisfy { order[$0] == $0 }
    return order.enumerated().map { place, number in
      let draft = drafts[number]
      let (member, plan) = (draft.member, draft.member.plan)
      let stage = InstancePath.Segment(name: plan.entry.name, axes: member.table.points[draft.place].axes)
      return StageInstance(
        index: place, declarationIndex: number, name: draft.name, path: InstancePath(groups: member.block.groups, stage: stage),
        axes: member.axes[draft.place], contract: plan.contract, parameters: draft.parameters,
        inputs: isSame ? draft.inputs : draft.inputs.map { $0.renumbered(index) },
        resources: draft.settings.resources, retries: draft.settings.retries, timeoutSeconds: draft.settings.timeoutSeconds,
        hermetic: plan.stage.hermetic.flatMap { Hermetic(rawValue: $0.value) }, expect: draft.settings.expect,
        executor: plan.stage.executor?.value, location: plan.entry.location)
    }
  }

  private mutating func report(_ cycle: [Int]) {
    let names = cycle.map { drafts[$0].name }
    let locations = cycle.map { drafts[$0].member.plan.entry.location }
    let notes = cycle.indices.dropFirst().map { place in
      Diagnostic.Note(PlanningText.cycleStep(names[place], names[(place + 1) % names.count]), at: locations[place])
    }
    let home = drafts[cycle[0]].member.block.home
    findings.error(PlanningText.cycle(names + [names[0]]), at: locations[0], notes: notes + home.notes)
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

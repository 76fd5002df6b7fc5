import Diagnostics
import JSONValues
import Manifests

/// Follows one reference from where it stands: its first name outwards, the rest inwards through groups.
struct ReferenceWalk {
  private let resolver: ReferenceResolver
  private let block: Block
  private let scope: Scope
  private let location: SourceLocation

  init(_ resolver: ReferenceResolver, _ block: Block, _ scope: Scope, _ location: SourceLocation) {
    self.resolver = resolver
    self.block = block
    self.scope = scope
    self.location = location
  }

  /// Appends what it names, in declared order; false when something on the way is broken.
  func find(_ reference: Reference, _ found: inout [ReferenceResolver.Found]) throws(Diagnostic) -> Bool {
    let output = reference.output
    let first = reference.path[0]
    if ["carry", "inputs", "outputs"].contains(first.name) { return try port(reference, first, output, &found) }
    var members = [try outwards(first.name)]
    for (place, segment) in reference.path.enumerated().dropLast() {
      guard let inside = try step(members, segment, to: reference.path[place + 1].name) else { return false }
      members = inside
    }
    return try ends(members, reference.path[reference.path.count - 1], output, &found)
  }

  // MARK: - Names

  private func outwards(_ name: String) throws(Diagnostic) -> Member {
    for block in block.outwards {
      if let member = block.member(name) { return member }
    }
    let near = NearestName.find(name, among: block.outwards.flatMap(\.names))
    throw wrong(PlanningText.unknownEntry(name), near ?? block.outwards.lazy.compactMap { $0.pathInside(to: name) }.first)
  }

  /// From groups, at the points that a segment selects, to the entries of a name in them; nil when one is broken.
  private func step(_ members: [Member], _ segment: Reference.Segment, to name: String) throws(Diagnostic) -> [Member]? {
    var inside: [Member] = []
    var absent: Diagnostic?
    for member in members {
      switch member {
      case .broken: return nil
      case .stage: throw wrong(PlanningText.isNoGroup(segment.name))
      case .group(let group):
        if case .manifest(let use) = group.plan.body {
          throw wrong(PlanningText.onlyOutputs(segment.name, use.path.value, use.plan.outputs.map(\.name)))
        }
        let places = try select(segment, group.table, group.block, &absent)
        for place in places {
          let block = group.blocks[place]
          guard let member = block.member(name) else {
            throw wrong(PlanningText.unknownInGroup(name, segment.name), NearestName.find(name, among: block.names))
          }
          inside.append(member)
        }
      }
    }
    if inside.isEmpty, let absent { throw absent }
    return inside
  }

  private func ends(
    _ members: [Member], _ segment: Reference.Segment, _ output: String, _ found: inout [ReferenceResolver.Found]
  ) throws(Diagnostic) -> Bool {
    let start = found.count
    var absent: Diagnostic?
    for member in members {
      switch member {
      case .broken: return false
      case .stage(let stage):
        let places = try select(segment, stage.table, stage.block, &absent)
        guard let declaration = stage.plan.contract.output(output) else {
          let near = NearestName.find(output, among: stage.plan.contract.outputs.map(\.name))
          throw wrong(PlanningText.unknownOutput(output, stage.plan.contract.name), near)
        }
        if !places.isEmpty { found.append(.init(thing: .outputs(stage, declaration, places), location: location)) }
      case .group(let group):
        for port in try ports(group, segment, output, &absent) {
          guard let elements = resolver.value(of: port) else { return false }
          found.append(.init(thing: .bound(elements, name: "\(segment.name).\(output)", declared: nil), location: location))
        }
      }
    }
    if found.count == start, let absent { throw absent }
    return true
  }

  // MARK: - Points

  /// Places of the points that a segment selects. None is no error by itself: another group on the way may have some.
  private func select(
    _ segment: Reference.Segment, _ table: PointTable, _ block: Block, _ absent: inout Diagnostic?
  ) throws(Diagnostic) -> [Int] {
    let values: [JSONValue?]
    do {
      values = try table.wanted(segment.selector, scope, location)
    } catch {
      throw diagnostic(error, segment.name, table.axes)
    }
    let places = table.places(of: values)
    if places.isEmpty, absent == nil {
      let name = block.prefix + segment.name
      let text = name + PointTable.text(values)
      // Any value stays any.
      let near = table.points.map { point in
        name + PointTable.text(zip(values, point.axes).map { wanted, axis in wanted.map { _ in axis.value } })
      }
      absent = wrong(PlanningText.noInstance(text), NearestName.find(text, among: near))
    }
    return places
  }

  private func diagnostic(_ fault: PointTable.Fault, _ name: String, _ axes: [String]) -> Diagnostic {
    switch fault {
    case .needsSelector: wrong(PlanningText.needsSelector(name, axes))
    case .hasNoAxes: wrong(PlanningText.hasNoMatrix(name))
    case .count(let count): wrong(PlanningText.selectorCount(name, axes, count))
    case .noSuchAxis(let axis): wrong(PlanningText.noSuchAxis(axis, name), NearestName.find(axis, among: axes))
    case .value(let diagnostic): diagnostic
    }
  }

  // MARK: - Outputs of groups

  /// What a scan carries on: after its last step, or after the steps that the brackets select. What a manifest hands out: at a point.
  private func ports(
    _ group: GroupMember, _ segment: Reference.Segment, _ output: String, _ absent: inout Diagnostic?
  ) throws(Diagnostic) -> [Port] {
    if let scan = group.plan.scan, scan.carry.contains(where: { $0.name.hasSameBytes(as: output) }) {
      let isLast = Self.isWithoutStep(segment.selector, group)
      let places = try select(segment, isLast ? group.matrix : group.table, group.block, &absent)
      return places.compactMap { group.blocks[isLast ? group.last[$0] : $0].carriesOn.named(output) }
    }
    guard case .manifest(let use) = group.plan.body, use.plan.outputs.contains(where: { $0.name.hasSameBytes(as: output) }) else {
      throw noOutput(output, segment.name, group)
    }
    return try select(segment, group.table, group.block, &absent).compactMap { group.blocks[$0].outputs?.named(output) }
  }

  /// Whether brackets, if there are any, speak of the matrix alone: then the last step is meant.
  private static func isWithoutStep(_ selector: Reference.Selector, _ group: GroupMember) -> Bool {
    switch selector {
    case .none: true
    case .all: false
    case .positional(let items): !group.matrix.axes.isEmpty && items.count == group.matrix.axes.count
    case .named(let items): !items.contains { $0.axis.hasSameBytes(as: group.table.axes[group.table.axes.count - 1]) }
    }
  }

  private func noOutput(_ output: String, _ name: String, _ group: GroupMember) -> Diagnostic {
    if case .entries(let entries) = group.plan.body {
      if entries.contains(where: { $0.name.hasSameBytes(as: output) }) { return wrong(PlanningText.isEntryOfGroup(output, name)) }
      if group.plan.outputs.isEmpty { return wrong(PlanningText.hasNoOutputs(name)) }
    }
    return wrong(PlanningText.groupLacksOutput(output, name), NearestName.find(output, among: group.plan.outputs))
  }

  // MARK: - Ports

  /// `carry.model`, `inputs.model`, `outputs.model`.
  private func port(
    _ reference: Reference, _ first: Reference.Segment, _ output: String, _ found: inout [ReferenceResolver.Found]
  ) throws(Diagnostic) -> Bool {
    guard reference.path.count == 1, case .none = first.selector else { throw wrong(PlanningText.oneName(first.name)) }
    let port: Port
    switch first.name {
    case "carry": port = try carried(output)
    case "inputs": port = try input(output)
    default: port = try inner(output)
    }
    guard let elements = resolver.value(of: port) else { return false }
    let declared: InputDeclaration? = if case .input(let declaration, _) = port.rule { declaration } else { nil }
    found.append(
      .init(thing: .bound(elements, name: reference.text, declared: first.name == "inputs" ? declared : nil), location: location))
    return true
  }

  /// Of the innermost scan that carries the name.
  private func carried(_ name: String) throws(Diagnostic) -> Port {
    let scans = block.outwards.compactMap(\.carried)
    for ports in scans {
      if let port = ports.named(name) { return port }
    }
    guard scans.contains(where: { !$0.isEmpty }) else { throw wrong(PlanningText.nothingCarried(name)) }
    throw wrong(PlanningText.unknownCarried(name), NearestName.find(name, among: scans.flatMap { $0.map(\.name) }))
  }

  private func input(_ name: String) throws(Diagnostic) -> Port {
    let ports = Array(block.outwards).last?.inputs ?? []
    if let port = ports.named(name) { return port }
    throw wrong(PlanningText.manifestLacksInput(name), NearestName.find(name, among: ports.map(\.name)))
  }

  private func inner(_ name: String) throws(Diagnostic) -> Port {
    guard let ports = block.outputs else { throw wrong(PlanningText.outputsElsewhere) }
    if let port = ports.named(name) { return port }
    throw wrong(PlanningText.manifestLacksOutput(name), NearestName.find(name, among: ports.map(\.name)))
  }

  private func wrong(_ message: String, _ suggestion: String? = nil) -> Diagnostic {
    Diagnostic(.error, message, at: location, suggestion: suggestion)
  }
}

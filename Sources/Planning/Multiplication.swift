import Diagnostics
import JSONValues
import Manifests

/// Multiplies a recipe out: the entries of every block at every point of their matrices and scans, numbered in the order of the
/// manifest. A manifest without groups is one block. References are not looked at.
struct Multiplication {
  private(set) var findings = Findings()
  private(set) var instanceCount = 0
  /// Points of groups count as well, so that what holds no stages ends too.
  private var pointCount = 0

  /// More would be a mistake: a product of matrices that nobody meant.
  static let mostInstances = 100_000

  private var room: Int { Self.mostInstances - instanceCount - pointCount }

  mutating func fill(_ block: Block, _ entries: [EntryPlan]) {
    for entry in entries { block.add(member(entry, block), named: entry.name) }
  }

  private mutating func member(_ entry: EntryPlan, _ block: Block) -> Member {
    var own = Findings()
    let member: Member?
    switch entry {
    case .broken: member = nil
    case .stage(let plan): member = stage(plan, block, &own)
    case .group(let plan): member = group(plan, block, &own)
    }
    findings.add(contentsOf: own, notes: block.home.notes)
    return member ?? .broken
  }

  private mutating func stage(_ plan: StagePlan, _ block: Block, _ findings: inout Findings) -> Member? {
    guard let table = table(plan.stage.matrix, block, &findings) else { return nil }
    checkNames(table, plan.entry.name, block, plan.stage.matrix?.location, &findings)
    let member = StageMember(plan: plan, block: block, table: table, first: instanceCount)
    instanceCount += table.points.count
    return .stage(member)
  }

  // MARK: - Axes

  /// The points of a matrix; nil, and errors, when it cannot be made.
  private func table(_ entry: MatrixEntry?, _ block: Block, _ findings: inout Findings) -> PointTable? {
    guard let entry else {
      if room > 0 { return .single }
      findings.error(PlanningText.tooManyInstances, at: nil)
      return nil
    }
    guard let matrix = Matrix(entry, block.scope, limit: room, &findings) else { return nil }
    let isFree = matrix.axes.allSatisfy { axis in
      let member = entry.axes.first { $0.key.hasSameBytes(as: axis) }
      return checkIsFree(axis, at: member?.keyLocation ?? entry.location, block, &findings)
    }
    return isFree ? PointTable(matrix) : nil
  }

  /// Labels tell elements apart by the names of axes, so a name stands once on a path.
  private func checkIsFree(_ axis: String, at location: SourceLocation, _ block: Block, _ findings: inout Findings) -> Bool {
    guard let group = block.groups.last(where: { group in group.axes.contains { $0.axis.hasSameBytes(as: axis) } }) else { return true }
    findings.error(PlanningText.axisOfGroup(axis, group.name), at: location)
    return false
  }

  private func checkNames(
    _ table: PointTable, _ name: String, _ block: Block, _ location: SourceLocation?, _ findings: inout Findings
  ) {
    for brackets in table.sameBrackets { findings.error(PlanningText.sameName(block.prefix + name + brackets), at: location) }
  }

  // MARK: - Groups

  private mutating func group(_ plan: GroupPlan, _ block: Block, _ findings: inout Findings) -> Member? {
    guard let matrix = table(plan.matrix, block, &findings) else { return nil }
    guard let (table, last) = steps(plan, matrix, block, &findings) else { return nil }
    let location = plan.scan?.entry.location ?? plan.matrix?.location
    checkNames(table, plan.entry.name, block, location, &findings)
    guard table.points.count <= room else {
      findings.error(PlanningText.tooManyInstances, at: location)
      return nil
    }
    pointCount += table.points.count
    var blocks: [Block] = []
    for (place, point) in table.points.enumerated() {
      blocks.append(Block(plan.entry.name, point, brackets: table.brackets[place], in: block))
    }
    if let scan = plan.scan { Self.connect(blocks, scan, matrix, last, block) }
    for inside in blocks { fill(inside, plan, block) }
    return .group(GroupMember(plan: plan, block: block, table: table, blocks: blocks, matrix: matrix, last: last))
  }

  /// The points of the matrix with the steps of a scan at each, and the place of each last step.
  private func steps(
    _ plan: GroupPlan, _ matrix: PointTable, _ block: Block, _ findings: inout Findings
  ) -> (table: PointTable, last: [Int])? {
    guard let variable = plan.scan?.entry.variable else { return (matrix, Array(matrix.points.indices)) }
    if matrix.axes.contains(where: { $0.hasSameBytes(as: variable.key) }) {
      findings.error(PlanningText.axisTwice(variable.key), at: variable.keyLocation)
      return nil
    }
    guard checkIsFree(variable.key, at: variable.keyLocation, block, &findings) else { return nil }
    var points: [Matrix.Combination] = []
    var last: [Int] = []
    for point in matrix.points {
      var own = Findings()
      let values = AxisReader.values(variable, block.scope.adding(point.variables), .scan, &own)
      findings.add(contentsOf: own)
      guard let values, !own.hasErrors else { return nil }
      guard points.count + values.count <= room else {
        findings.error(PlanningText.tooManyInstances, at: variable.value.location)
        return nil
      }
      points += values.map { Matrix.Combination(axes: point.axes + [AxisValue(axis: variable.key, value: $0)], extras: point.extras) }
      last.append(points.count - 1)
    }
    return (PointTable(axes: matrix.axes + [variable.key], points: points), last)
  }

  /// Hands what the scan carries from block to block: the first step's from outside, at its point of the matrix.
  private static func connect(_ blocks: [Block], _ scan: GroupPlan.Scan, _ matrix: PointTable, _ last: [Int], _ block: Block) {
    var start = 0
    for (place, end) in last.enumerated() {
      let scope = block.scope.adding(matrix.points[place].variables)
      let first = scan.carry.map { Port($0, in: block, scope) }
      var carried = first
      for inside in blocks[start...end] {
        inside.carried = carried
        inside.carriesOn = zip(scan.then, first).map { Port($0, in: inside, inside.scope, .carried(like: $1)) }
        carried = inside.carriesOn
      }
      start = end + 1
    }
  }

  private mutating func fill(_ inside: Block, _ plan: GroupPlan, _ block: Block) {
    switch plan.body {
    case .entries(let entries): fill(inside, entries)
    case .manifest(let use): fill(inside, use)
    }
  }

  // MARK: - Manifests that are used

  private mutating func fill(_ inside: Block, _ use: GroupPlan.Use) {
    let home = Home(use.plan, use: use.path.location, outer: inside.home)
    var (outer, own) = (Findings(), Findings())
    let given = Self.values(use, inside.scope, &outer)
    let params = given.flatMap { RecipeParams.resolve(use.plan.manifest, given: $0, &own) }
    findings.add(contentsOf: outer, notes: inside.home.notes)
    findings.add(contentsOf: own, notes: home.notes)
    let top = Block(home: home, params: params ?? JSONObject(), around: inside)
    top.inputs = use.plan.inputs.enumerated().map { place, declaration in
      let binding = use.bindings.first { $0.place == place }
      let sources = binding?.list ?? .empty("input '\(declaration.name)'", at: use.path.location)
      // Missing or no reference at all: reported.
      let plan = PortPlan(name: declaration.name, sources: sources, isBroken: binding == nil && !declaration.isOptional)
      return Port(plan, in: inside, inside.scope, .input(declaration, manifest: use.path.value))
    }
    inside.inner = top
    if params == nil {
      // Everything in it would seem wrong.
      for entry in use.plan.entries { top.add(.broken, named: entry.name) }
    } else {
      fill(top, use.plan.entries)
    }
    inside.outputs = use.plan.outputs.map { Port($0, in: top, top.scope) }
  }

  private static func values(_ use: GroupPlan.Use, _ scope: Scope, _ findings: inout Findings) -> [(
    name: String, value: JSONValue, location: SourceLocation
  )]? {
    var values: [(name: String, value: JSONValue, location: SourceLocation)] = []
    var own = Findings()
    for param in use.params {
      do { values.append((param.name, try param.value.evaluate(scope), param.location)) } catch { own.add(error) }
    }
    findings.add(contentsOf: own)
    return own.hasErrors ? nil : values
  }
}

import Diagnostics
import JSONValues
import Manifests

/// The combinations of a matrix: the cross product of its axes in declared order, less `exclude`, plus `include`, both as in GitHub Actions.
///
/// `include` adds its keys to every combination it contradicts on no axis; when there is none, it makes a new one, which then must
/// say a value for every axis. A matrix of `include` alone has its keys, in the order in which they first appear, as axes.
struct Matrix {
  /// One instance to be: its place on each axis, and what `include` added.
  struct Combination {
    var axes: [AxisValue]
    var extras: [AxisValue] = []

    var variables: [AxisValue] { extras.isEmpty ? axes : axes + extras }
  }

  private(set) var axes: [String] = []
  private(set) var combinations: [Combination] = [Combination(axes: [])]

  /// The one combination of a stage without a matrix.
  static let single = Matrix()

  private init() {}

  /// Nil, and errors, when the matrix cannot be made.
  init?(_ entry: MatrixEntry, _ scope: Scope, limit: Int, _ findings: inout Findings) {
    var own = Findings()
    defer { findings.add(contentsOf: own) }
    for axis in entry.axes { cross(axis, scope, limit, &own) }
    guard !own.hasErrors else { return nil }
    if let exclude = entry.exclude { self.exclude(exclude, scope, &own) }
    if let include = entry.include { self.include(include, scope, isAlone: entry.axes.isEmpty, &own) }
    if combinations.isEmpty, !own.hasErrors { own.error(PlanningText.everythingExcluded, at: entry.exclude?.location ?? entry.location) }
    if own.hasErrors { return nil }
  }

  // MARK: - Axes

  private mutating func cross(_ axis: Node.Member, _ scope: Scope, _ limit: Int, _ findings: inout Findings) {
    guard let values = AxisReader.values(axis, scope, .matrix, &findings) else { return }
    axes.append(axis.key)
    guard combinations.count * values.count <= limit else {
      return findings.error(PlanningText.tooManyInstances, at: axis.value.location)
    }
    combinations = combinations.flatMap { combination in
      values.map { Combination(axes: combination.axes + [AxisValue(axis: axis.key, value: $0)]) }
    }
  }

  // MARK: - Exclude and include

  private mutating func exclude(_ node: Node, _ scope: Scope, _ findings: inout Findings) {
    for entry in entries(node, "exclude", scope, &findings) {
      for member in entry.members where !axes.contains(where: { $0.hasSameBytes(as: member.key) }) {
        findings.error(PlanningText.unknownAxis(member.key), at: member.keyLocation, suggestion: NearestName.find(member.key, among: axes))
      }
      combinations.removeAll { combination in
        entry.values.allSatisfy { value in combination.axes.contains(value) }
      }
    }
  }

  private mutating func include(_ node: Node, _ scope: Scope, isAlone: Bool, _ findings: inout Findings) {
    let entries = entries(node, "include", scope, &findings)
    if isAlone { beginAlone(entries) }
    let original = combinations.count
    for entry in entries {
      let places = isAlone ? [] : (0..<original).filter { agrees(combinations[$0], entry.values) }
      for place in places { add(entry.values, to: place) }
      if places.isEmpty { append(entry, &findings) }
    }
  }

  private mutating func beginAlone(_ entries: [Entry]) {
    combinations = []
    for key in entries.flatMap({ $0.values.map(\.axis) }) where !axes.contains(where: { $0.hasSameBytes(as: key) }) { axes.append(key) }
  }

  /// Whether no axis of the combination has another value.
  private func agrees(_ combination: Combination, _ values: [AxisValue]) -> Bool {
    values.allSatisfy { value in
      combination.axes.allSatisfy { !$0.axis.hasSameBytes(as: value.axis) || $0.value == value.value }
    }
  }

  private mutating func add(_ values: [AxisValue], to place: Int) {
    for value in values where !axes.contains(where: { $0.hasSameBytes(as: value.axis) }) {
      combinations[place].extras.removeAll { $0.axis.hasSameBytes(as: value.axis) }
      combinations[place].extras.append(value)
    }
  }

  private mutating func append(_ entry: Entry, _ findings: inout Findings) {
    var combination = Combination(axes: [])
    for axis in axes {
      guard let value = entry.values.first(where: { $0.axis.hasSameBytes(as: axis) }) else {
        return findings.error(PlanningText.includeLacksAxis(axis), at: entry.location)
      }
      combination.axes.append(value)
    }
    combination.extras = entry.values.filter { value in !axes.contains { $0.hasSameBytes(as: value.axis) } }
    combinations.append(combination)
  }

  private struct Entry {
    let members: [Node.Member]
    let values: [AxisValue]
    let location: SourceLocation
  }

  private func entries(_ node: Node, _ key: String, _ scope: Scope, _ findings: inout Findings) -> [Entry] {
    guard let elements = node.elements, elements.allSatisfy({ $0.members != nil }) else {
      findings.error(PlanningText.notACombination(key), at: node.location)
      return []
    }
    return elements.compactMap { self.entry($0, scope, &findings) }
  }

  private func entry(_ node: Node, _ scope: Scope, _ findings: inout Findings) -> Entry? {
    let expression = Expression(node, &findings)
    do {
      let values = try expression.evaluate(scope).objectValue?.members ?? []
      return Entry(
        members: node.members ?? [], values: values.map { AxisValue(axis: $0.key, value: $0.value) }, location: node.location)
    } catch {
      findings.add(error)
      return nil
    }
  }
}

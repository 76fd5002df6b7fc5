import Diagnostics
import JSONValues
import Manifests

extension InstanceGraph {
  /// Indices of the instances that a person means: an instance (`sft[2e-5]`, values typed, `*` for any), or a stage with all its
  /// instances (`sft`). Ascending.
  package func instances(named target: String) throws(Diagnostic) -> [Int] {
    let exact = instances.indices.filter { instances[$0].name.hasSameBytes(as: target) }
    if !exact.isEmpty { return exact }
    let whole = instances.indices.filter { instances[$0].entry.hasSameBytes(as: target) }
    if !whole.isEmpty { return whole }
    if let reference = ReferenceParser.parse(instance: target), reference.output == nil, reference.path.count == 1 {
      let found = instances.indices.filter { matches(instances[$0], reference.path[0]) }
      if !found.isEmpty { return found }
    }
    let known = Set(instances.map(\.entry)).sorted() + instances.map(\.name)
    throw Diagnostic(.error, PlanningText.unknownTarget(target), at: nil, suggestion: NearestName.find(target, among: known))
  }

  /// Indices of the targets and of everything they need, ascending; all instances when there is no target.
  package func needed(for targets: [String]) throws(Diagnostic) -> [Int] {
    guard !targets.isEmpty else { return Array(instances.indices) }
    var isNeeded = Array(repeating: false, count: instances.count)
    for target in targets {
      for index in try instances(named: target) { isNeeded[index] = true }
    }
    for index in instances.indices.reversed() where isNeeded[index] {
      for dependency in dependencies[index] { isNeeded[dependency] = true }
    }
    return instances.indices.filter { isNeeded[$0] }
  }

  private func matches(_ instance: StageInstance, _ segment: Reference.Segment) -> Bool {
    guard instance.entry.hasSameBytes(as: segment.name), !instance.axes.isEmpty else { return false }
    switch segment.selector {
    case .none: return false
    case .all: return true
    case .positional(let items): return items.count == instance.axes.count && zip(items, instance.axes).allSatisfy { matches($0, $1.value) }
    case .named(let items):
      return items.allSatisfy { axis, item in
        instance.axes.contains { $0.axis.hasSameBytes(as: axis) && matches(item, $0.value) }
      }
    }
  }

  private func matches(_ item: Reference.Item, _ value: JSONValue) -> Bool {
    switch item {
    case .any: true
    case .value(let wanted): wanted == value || wanted.stringValue == ValueText.label(value)
    case .template: false
    }
  }
}

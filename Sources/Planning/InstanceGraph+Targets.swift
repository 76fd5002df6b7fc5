import Diagnostics
import JSONValues
import Manifests

extension InstanceGraph {
  /// Indices of the instances that a person means: an instance (`sft[2e-5]`, values typed, `*` for any), a stage or a group with all
  /// its instances (`sft`, `rft[sort]`, `rft.train`). Ascending.
  package func instances(named target: String) throws(Diagnostic) -> [Int] {
    let exact = instances.indices.filter { instances[$0].name.hasSameBytes(as: target) }
    if !exact.isEmpty { return exact }
    if let pattern = InstancePattern(target) {
      let found = instances.indices.filter { pattern.matches(instances[$0].path) }
      if !found.isEmpty { return found }
    }
    throw Diagnostic(
      .error, PlanningText.unknownTarget(target), at: nil, suggestion: InstancePath.nearest(target, among: instances.map(\.path)))
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
}

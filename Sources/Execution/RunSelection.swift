import Planning

/// Which instances a run is about, and which of them run whatever the store holds.
struct RunSelection {
  /// By instance.
  let isWanted: [Bool]
  let reruns: Set<Int>

  /// Throws a `Diagnostic` for a name that means no instance.
  init(_ graph: InstanceGraph, _ options: RunOptions) throws {
    var isWanted = Array(repeating: false, count: graph.instances.count)
    for index in try graph.needed(for: options.targets) { isWanted[index] = true }
    var reruns: Set<Int> = []
    for name in options.reruns { reruns.formUnion(try graph.instances(named: name)) }
    self.isWanted = isWanted
    self.reruns = reruns
  }
}

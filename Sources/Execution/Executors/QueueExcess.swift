import Planning

/// What an instance asks for and no node of a queueing system has.
package struct QueueExcess: Sendable, Equatable, CustomStringConvertible {
  package let instance: String
  package let description: String

  /// Of instances that go to a queueing system; none of a system that does not say what it has.
  package static func find(in graph: InstanceGraph, wanted: [Int], _ options: RunOptions) throws -> [QueueExcess] {
    var capacities: [String: QueueCapacity] = [:]
    var excesses: [QueueExcess] = []
    for index in wanted {
      let instance = graph.instances[index]
      let name = options.executor(for: instance)
      // A label alone asks nobody: the cluster may be elsewhere.
      guard name != RunOptions.localExecutor, options.executor != nil else { continue }
      if capacities[name] == nil { capacities[name] = try options.queueSystem(name).capacity() }
      guard let nodes = capacities[name]?.nodes, let excess = excess(QueueNeed(instance, options), nodes, name) else { continue }
      excesses.append(QueueExcess(instance: instance.name, description: "\(instance.name) asks for \(excess)"))
    }
    return excesses
  }

  private static func excess(_ need: QueueNeed, _ nodes: [QueueCapacity.Node], _ name: String) -> String? {
    let memory = need.memoryBytes ?? 0
    if nodes.isEmpty || nodes.contains(where: { $0.cpus >= need.cpus && $0.memoryBytes >= memory && $0.gpus >= need.gpus }) { return nil }
    let most = (
      cpus: nodes.map(\.cpus).max() ?? 0, memory: nodes.map(\.memoryBytes).max() ?? 0, gpus: nodes.map(\.gpus).max() ?? 0
    )
    if need.cpus > most.cpus { return "\(need.cpus) CPUs, and no node of \(name) has more than \(most.cpus)" }
    if memory > most.memory {
      return "\(Quantity.text(bytes: memory)) of memory, and no node of \(name) has more than \(Quantity.text(bytes: most.memory))"
    }
    if need.gpus > most.gpus { return "\(need.gpus) GPUs, and no node of \(name) has more than \(most.gpus)" }
    return "\(need.cpus) CPUs, \(Quantity.text(bytes: memory)) of memory and \(need.gpus) GPUs, which no node of \(name) has together"
  }
}

extension QueueSight {
  /// `waiting: Resources`, `running on node3`, `over: ran out of memory`.
  package var text: String {
    let place = node.map { " on \($0)" } ?? ""
    switch standing {
    case .waiting(let reason): return "waiting" + (reason.map { ": \($0)" } ?? "")
    case .running: return "running" + place
    case .ended(let end): return "over\(place): \(end.text)"
    }
  }
}

extension QueueEnd {
  package var text: String {
    switch self {
    case .exited(let status): "exited with status \(status)"
    case .outOfMemory: "ran out of memory"
    case .timeLimit: "ran out of its time"
    case .cancelled(let person): "cancelled" + (person.map { " by \($0)" } ?? "")
    case .infrastructure(let reason): reason
    }
  }
}

import JSONValues

/// A recipe after expansion: checked instances, each after those it needs. It does not know what is in the store.
package struct InstanceGraph: Sendable {
  package let recipe: String
  package let numerics: NumericsClass
  /// Of the command stages of which nothing else is said.
  package let hermetic: Hermetic
  /// Parameters of the recipe after profile and `--set`, in the manifest's order.
  package let parameters: JSONObject
  /// Topologically ordered; where the order is free, as in the manifest.
  package let instances: [StageInstance]
  /// By index: the instances whose outputs this one takes, ascending, each once.
  package let dependencies: [[Int]]
  /// By index: the instances that take an output of this one, ascending, each once.
  package let dependents: [[Int]]

  package init(
    recipe: String, numerics: NumericsClass = .native, hermetic: Hermetic = .on, parameters: JSONObject = JSONObject(),
    instances: [StageInstance]
  ) {
    self.recipe = recipe
    self.numerics = numerics
    self.hermetic = hermetic
    self.parameters = parameters
    self.instances = instances
    var dependencies: [[Int]] = []
    var dependents: [[Int]] = Array(repeating: [], count: instances.count)
    dependencies.reserveCapacity(instances.count)
    for instance in instances {
      let needed = Self.needed(by: instance)
      for index in needed { dependents[index].append(instance.index) }
      dependencies.append(needed)
    }
    self.dependencies = dependencies
    self.dependents = dependents
  }

  /// Whether it is to see only what it declares. Native stages are this program, and open nothing else.
  package func isHermetic(_ instance: StageInstance) -> Bool {
    guard case .command = instance.contract.run else { return false }
    return (instance.hermetic ?? hermetic) == .on
  }

  /// Indices of the instances that `instance` takes outputs of, ascending, each once.
  static func needed(by instance: StageInstance) -> [Int] {
    var indices: [Int] = []
    for input in instance.inputs {
      for element in input.elements {
        if case .output(let index, _) = element.source, indices.last != index { indices.append(index) }
      }
    }
    guard indices.count > 1 else { return indices }
    indices.sort()
    return indices.reduce(into: []) { unique, index in if unique.last != index { unique.append(index) } }
  }

  /// How an element of an input is named to people: `data[sort].train`, `./models/smollm2`.
  package func sourceName(_ element: InputElement) -> String {
    switch element.source {
    case .file(let path): element.written.isEmpty ? path : element.written
    case .output(let index, let output): "\(instances[index].name).\(output)"
    }
  }
}

import Artifacts
import JSONValues

/// A model's way back to its sources: every instance that its bytes hang on.
package struct Lineage: Sendable {
  /// The place of the instance that made it.
  package let instance: Int
  package let name: String
  package let output: StoredOutput
  /// Places of instances, inputs before what was made from them, the last being `instance`.
  package let steps: [Int]
  /// Of those steps the models on the way, the nearest last: what it was trained or averaged from.
  package let models: [Int]
  /// Whether no other model of the run was made from it.
  package let isLast: Bool

  static func all(_ rows: [InstanceRow]) -> [Lineage] {
    let makers = rows.indices.filter { rows[$0].outputs.contains(where: isModel) }
    var parents: Set<Int> = []
    for index in makers { parents.formUnion(modelSources(rows[index])) }
    return makers.flatMap { index in
      let (steps, models) = way(to: index, rows)
      return rows[index].outputs.filter(isModel).map { output in
        Lineage(
          instance: index, name: "\(rows[index].name).\(output.name)", output: output, steps: steps, models: models,
          isLast: !parents.contains(index))
      }
    }
  }

  private static func isModel(_ output: StoredOutput) -> Bool { output.type == "model" || output.type == "adapter" }

  private static func sources(_ row: InstanceRow) -> [Int] { row.inputs.flatMap(\.elements).compactMap(\.from) }

  private static func modelSources(_ row: InstanceRow) -> [Int] {
    row.inputs.flatMap(\.elements).filter { $0.type == "model" || $0.type == "adapter" }.compactMap(\.from)
  }

  private static func way(to index: Int, _ rows: [InstanceRow]) -> (steps: [Int], models: [Int]) {
    var found: Set<Int> = [index]
    var models: Set<Int> = []
    var open = [index]
    while let next = open.popLast() {
      for source in sources(rows[next]) where found.insert(source).inserted { open.append(source) }
      models.formUnion(modelSources(rows[next]))
    }
    // Plans put inputs before consumers.
    return (found.sorted(), models.subtracting([index]).sorted())
  }

  package var json: JSONValue {
    [
      "model": .string(name), "instance": .integer(instance), "output": output.json, "steps": .array(steps.map { .integer($0) }),
      "models": .array(models.map { .integer($0) }), "last": .bool(isLast),
    ]
  }
}

import Diagnostics
import JSONValues
import Planning

/// `plan.json`: what a run set out to do, kept beside its journal so that it can be told later without the manifest.
package enum RunPlan {
  static func json(_ recipe: Recipe, isWanted: [Bool]) -> JSONValue {
    let graph = recipe.graph
    let instances: [JSONValue] = graph.instances.filter { isWanted[$0.index] }.map { instance in
      var object = JSONObject([
        ("instance", .string(instance.name)), ("entry", .string(instance.entry)), ("stage", .string(instance.stage)),
        ("path", .array(instance.path.segments.map(json))), ("axes", .object(self.object(instance.axes))),
        ("parameters", .object(instance.parameters)),
        ("needs", .array(graph.dependencies[instance.index].map { .string(graph.instances[$0].name) })),
      ])
      object.set("changed", .array(changed(instance).map { .string($0) }))
      let sources = instance.inputs.map { ($0.declaration.name, written($0)) }.filter { !$0.1.isEmpty }
      if !sources.isEmpty {
        object.set("sources", .object(JSONObject(sources.map { ($0, .array($1.map(JSONValue.string))) })))
      }
      let passing = instance.outputs.filter { !$0.keep }
      if !passing.isEmpty { object.set("passing", .array(passing.map { .string($0.name) })) }
      return .object(object)
    }
    return [
      "recipe": .string(graph.recipe), "manifest": .string(recipe.path), "numerics": .string(graph.numerics.rawValue),
      "parameters": .object(graph.parameters), "uses": .array(recipe.used.map(json)), "instances": .array(instances),
    ]
  }

  /// The sources among an input's elements, as the manifest names them.
  private static func written(_ input: InstanceInput) -> [String] {
    input.elements.compactMap { if case .file = $0.source { $0.written } else { nil } }
  }

  /// The parameters that are not what the contract would have them be.
  private static func changed(_ instance: StageInstance) -> [String] {
    zip(instance.contract.parameters, instance.parameters.members).filter { $0.initial.value != $1.value }.map { $1.key }
  }

  private static func json(_ segment: InstancePath.Segment) -> JSONValue {
    ["name": .string(segment.name), "axes": .object(object(segment.axes))]
  }

  /// A manifest that the recipe uses, as it was.
  private static func json(_ manifest: SourceFile) -> JSONValue {
    ["manifest": .string(manifest.path), "text": .string(String(decoding: manifest.bytes, as: UTF8.self))]
  }

  private static func object(_ axes: [AxisValue]) -> JSONObject { JSONObject(axes.map { ($0.axis, $0.value) }) }

  // MARK: - Reading

  /// The path of an instance as `json` wrote it.
  package static func path(_ plan: JSONValue) -> InstancePath? {
    let segments = (plan["path"]?.arrayValue ?? []).compactMap { segment -> InstancePath.Segment? in
      guard let name = segment["name"]?.stringValue else { return nil }
      let axes = segment["axes"]?.objectValue?.members ?? []
      return InstancePath.Segment(name: name, axes: axes.map { AxisValue(axis: $0.key, value: $0.value) })
    }
    return segments.last.map { InstancePath(groups: segments.dropLast(), stage: $0) }
  }
}

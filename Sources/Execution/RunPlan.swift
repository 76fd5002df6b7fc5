import JSONValues
import Planning

/// `plan.json`: what a run set out to do, kept beside its journal so that it can be told later without the manifest.
enum RunPlan {
  static func json(_ recipe: Recipe, isWanted: [Bool]) -> JSONValue {
    let graph = recipe.graph
    let instances: [JSONValue] = graph.instances.filter { isWanted[$0.index] }.map { instance in
      [
        "instance": .string(instance.name), "entry": .string(instance.entry), "stage": .string(instance.stage),
        "axes": .object(JSONObject(instance.axes.map { ($0.axis, $0.value) })), "parameters": .object(instance.parameters),
        "needs": .array(graph.dependencies[instance.index].map { .string(graph.instances[$0].name) }),
      ]
    }
    return [
      "recipe": .string(graph.recipe), "manifest": .string(recipe.path), "numerics": .string(graph.numerics.rawValue),
      "parameters": .object(graph.parameters), "instances": .array(instances),
    ]
  }
}

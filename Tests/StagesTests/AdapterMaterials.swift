import JSONValues
import Kernels
import Modeling

/// What stages are told and given where an adapter trains.
enum AdapterMaterials {
  /// Every field, as contracts complete it.
  static func config(_ changes: (String, JSONValue)...) -> JSONValue {
    var members = JSONObject([
      ("r", 4), ("lora_alpha", 8), ("lora_dropout", 0), ("target_modules", ["all-linear"]), ("use_rslora", false), ("use_dora", false),
      ("sequence", "fresh"),
    ])
    for (name, value) in changes { members.set(name, value) }
    return .object(members)
  }

  /// Without what sampling and training would disagree on.
  static func reinforcementConfig(_ changes: (String, JSONValue)...) -> JSONValue {
    var members = JSONObject([
      ("r", 4), ("lora_alpha", 8), ("target_modules", ["all-linear"]), ("use_rslora", false), ("use_dora", false), ("sequence", "fresh"),
    ])
    for (name, value) in changes { members.set(name, value) }
    return .object(members)
  }

  /// An adapter that a few steps have trained on the materials' model.
  static let trained = Result {
    let materials = try Materials.get()
    return try materials.bench.run(
      "train/sft", ["learning_rate": 0.01, "max_steps": 3, "peft_config": config()],
      inputs: [("model", [materials.model]), ("data", [materials.tokens])])["adapter"]
  }

  /// The weights of a model directory.
  static func weights(_ model: Given) throws -> [Float] {
    let arena = try ModelDirectory.load(model.path, pool: ThreadPool(threads: 1)).arena
    return withExtendedLifetime(arena) { Array(arena.buffer.elements) }
  }
}

import JSONValues
import Kernels
import Modeling
import Testing

/// What the merging stages are tried on, beside the shared materials: a second model, one in bfloat16, adapters.
final class MergingMaterials: Sendable {
  static let shared = Result { try MergingMaterials() }

  static func get() throws -> MergingMaterials { try shared.get() }

  let bench: Bench
  /// Of the shared model's shapes, drawn otherwise.
  let other: Given
  /// The shared model rounded to bfloat16.
  let rounded: Given
  let adapter: Given
  let secondAdapter: Given
  /// Of another shape.
  let narrow: Given

  private init() throws {
    let m = try Materials.get()
    bench = m.bench
    var dimensions = try #require(Materials.dimensions.objectValue)
    dimensions.set("seed", 6)
    other = try bench.run("model/init", .object(dimensions), inputs: [("tokenizer", [m.tokenizer])])["model"]
    rounded = try bench.run("average/linear", ["out_dtype": "bfloat16"], inputs: [("models", [m.model])])["model"]
    dimensions.set("hidden_size", 8)
    narrow = try bench.run("model/init", .object(dimensions), inputs: [("tokenizer", [m.tokenizer])])["model"]
    adapter = try Self.adapter(bench, "adapter", m.model, rank: 2)
    secondAdapter = try Self.adapter(bench, "second-adapter", m.model, rank: 3)
  }

  private static func adapter(_ bench: Bench, _ name: String, _ model: Given, rank: Int) throws -> Given {
    let configuration = try ModelDirectory.configuration(model.path)
    var settings = LoRASettings()
    settings.rank = rank
    let adapter = Adapter(settings, try settings.modules(configuration))
    let random = Philox(seed: UInt64(rank), name: "adapter")
    for i in 0..<adapter.arena.count { adapter.arena.pointer[i] = random.uniformFloat(UInt64(i)) - 0.5 }
    let path = bench.path + "/" + name
    try AdapterDirectory.write(adapter, for: configuration, to: path)
    return Given(path)
  }

  // MARK: - Stages

  /// Parameters without a default, by stage.
  static let parameters: [String: JSONValue] = [
    "average/slerp": ["t": 0.5], "average/ties": ["density": [0.5]], "average/dare": ["density": [0.5]],
  ]

  /// Inputs that fit a stage; `parameter`: the one whose effect is looked for.
  static func inputs(_ stage: String, _ parameter: String) -> [(String, [Given])] {
    guard let m = try? Materials.get(), let own = try? get() else { return [] }
    switch stage {
    case "average/linear": return [("models", [m.model, own.other])]
    case "average/slerp": return [("base", [m.model]), ("model", [own.other])]
    case "average/task-arithmetic", "average/ties", "average/dare": return [("base", [m.model]), ("models", [m.tuned, own.other])]
    case "merge/lora":
      return [("base", [parameter == "compat" ? own.rounded : m.model]), ("adapters", [own.adapter, own.secondAdapter])]
    case "score/tokens": return [("models", [m.model, m.tuned]), ("data", [m.tokens])]
    case "score/drift": return [("base", [m.model]), ("model", [m.tuned]), ("tokens", [m.tokens]), ("corpus", [m.measured])]
    default: return []
    }
  }
}

import Kernels
import Modeling
import StageInterface

/// A model that answers and is not trained: its weights are packed once, and the unpacked ones given back. On them lie the adapters of the
/// input `adapter`, in their order.
enum ServedModel {
  static func load(_ directory: String, _ context: StageContext, _ pool: ThreadPool) throws -> Transformer {
    let model = try ModelDirectory.load(directory, pool: pool)
    let adapters = try context.inputs("adapter").map { try AdapterDirectory.load($0.path, for: model.configuration) }
    let stack = try AdapterStack(adapters, over: model.arena, pool)
    let weights = ModelWeights.packed(model.configuration, model.arena, pool: pool, release: true)
    return Transformer(weights.with(stack), pool: pool)
  }

  /// Whose answers these are: the digests of the model and of its adapters; nil where no model is given.
  static func identity(_ context: StageContext) -> String? {
    guard !context.inputs("model").isEmpty else { return nil }
    return (context.inputs("model") + context.inputs("adapter")).map(\.digest).joined(separator: " + ")
  }
}

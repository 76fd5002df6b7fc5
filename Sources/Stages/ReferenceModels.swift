import Kernels
import Modeling
import StageInterface

/// The models that a loss looks back at (anchors, teachers): each is in memory once, however many terms look at it.
final class ReferenceModels {
  private let configuration: ModelConfiguration
  private let pool: ThreadPool
  private var loaded: [(path: String, model: LoadedModel)] = []
  private var transformers: [(path: String, model: Transformer)] = []

  /// `configuration`: of the model that trains.
  init(_ configuration: ModelConfiguration, _ pool: ThreadPool) {
    self.configuration = configuration
    self.pool = pool
  }

  /// A model's weights, laid out as those that train.
  func arena(_ path: String) throws -> ParameterArena { try model(path).arena }

  /// A model to run beside the one that trains.
  func transformer(_ path: String) throws -> Transformer {
    if let known = transformers.first(where: { $0.path == path }) { return known.model }
    let found = try model(path)
    let transformer = Transformer(ModelWeights(found.configuration, found.arena), pool: pool)
    transformers.append((path, transformer))
    return transformer
  }

  private func model(_ path: String) throws -> LoadedModel {
    if let known = loaded.first(where: { $0.path == path }) { return known.model }
    let model = try Self.model(path, like: configuration, pool)
    loaded.append((path, model))
    return model
  }

  /// - Throws: for a model of another architecture.
  static func model(_ path: String, like configuration: ModelConfiguration, _ pool: ThreadPool) throws -> LoadedModel {
    let model = try ModelDirectory.load(path, pool: pool)
    guard model.arena.layout == ParameterLayout(configuration) else {
      throw StageFailure("is another kind of model than the one that trains: their tensors differ", file: path)
    }
    return model
  }
}

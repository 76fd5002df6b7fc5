import Merging
import StageInterface

/// The models that an averaging stage is given as the list `models`.
struct ModelList {
  let sources: [MergedModel.Source]

  /// Numbered from 1, in the order of the manifest.
  init(_ context: StageContext) throws {
    sources = context.inputs("models").enumerated().map { MergedModel.Source("model \($0 + 1)", $1.path) }
    guard !sources.isEmpty else { throw StageFailure("input 'models' has no models") }
  }

  /// One value a model.
  func values(_ given: [Double]?, _ parameter: String) throws -> [Double] {
    try OneForEach.values(given, parameter, count: sources.count, of: "model")
  }
}

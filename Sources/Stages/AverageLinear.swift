import Kernels
import Merging
import StageInterface

/// `average/linear`: a weighted mean of models; a model soup.
package struct AverageLinear: NativeStage {
  package static let name = "average/linear"

  package struct Parameters: Decodable, Sendable {
    let own: Own
    let storage: StorageParameters

    package init(from decoder: any Decoder) throws {
      own = try Own(from: decoder)
      storage = try StorageParameters(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let weight: [Double]?
    let normalize: Bool
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let list = try ModelList(context)
    var weights = try list.values(parameters.own.weight, "weight")
    if parameters.own.normalize {
      let sum = weights.reduce(0, +)
      guard sum != 0 else { throw StageFailure("parameter weight: the weights add up to 0; a mean needs another sum, or normalize: false") }
      weights = weights.map { $0 / sum }
    }
    let models = try MergedModel(list.sources)
    try models.write(
      .linear(weights: weights), try parameters.storage.storage(), to: try context.output("model"),
      pool: ThreadPool(threads: context.threads))
  }
}

import Kernels
import Merging
import StageInterface

/// `average/wise-ft`: the weights between a base model and its fine-tuned self.
package struct AverageWiSEFT: NativeStage {
  package static let name = "average/wise-ft"

  package struct Parameters: Decodable, Sendable {
    let alpha: Double
    let outside: String
    let maxShardSize: String
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let models = try WiseFT(base: try context.input("base"), tuned: try context.input("tuned"))
    try models.write(
      alpha: parameters.alpha, outside: WiseFT.Outside(rawValue: parameters.outside) ?? .error,
      shardLimit: try ShardSize.bytes(parameters.maxShardSize), to: try context.output("model"), pool: ThreadPool(threads: context.threads))
  }
}

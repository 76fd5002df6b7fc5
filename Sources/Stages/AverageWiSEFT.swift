import Kernels
import Merging
import StageInterface

/// `average/wise-ft`: the weights between a base model and its fine-tuned self.
package struct AverageWiSEFT: NativeStage {
  package static let name = "average/wise-ft"

  package struct Parameters: Decodable, Sendable {
    let alpha: Double
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let models = try WiseFT(base: try context.input("base"), tuned: try context.input("tuned"))
    try models.write(alpha: parameters.alpha, to: try context.output("model"), pool: ThreadPool(threads: context.threads))
  }
}

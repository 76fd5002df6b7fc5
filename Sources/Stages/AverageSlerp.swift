import Kernels
import Merging
import StageInterface

/// `average/slerp`: between two models along the sphere, tensor by tensor.
package struct AverageSlerp: NativeStage {
  package static let name = "average/slerp"

  package struct Parameters: Decodable, Sendable {
    let t: Double
    let storage: StorageParameters

    private enum Key: String, CodingKey { case t }

    package init(from decoder: any Decoder) throws {
      t = try decoder.container(keyedBy: Key.self).decode(Double.self, forKey: .t)
      storage = try StorageParameters(from: decoder)
    }
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let models = try MergedModel([.init("the base", try context.input("base")), .init("the other model", try context.input("model"))])
    try models.write(
      .slerp(t: parameters.t), try parameters.storage.storage(), to: try context.output("model"), pool: ThreadPool(threads: context.threads)
    )
  }
}

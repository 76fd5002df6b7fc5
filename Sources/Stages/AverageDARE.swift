import Merging
import StageInterface

/// `average/dare`: task vectors of which elements are dropped at random, the rest made larger instead; then added, or joined as TIES does.
package struct AverageDARE: NativeStage {
  package static let name = "average/dare"

  package struct Parameters: Decodable, Sendable {
    let own: Own
    let vectors: TaskVectorParameters
    let storage: StorageParameters

    package init(from decoder: any Decoder) throws {
      own = try Own(from: decoder)
      vectors = try TaskVectorParameters(from: decoder)
      storage = try StorageParameters(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let density: [Double]
    let variant: String
    let rescale: String
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let own = parameters.own
    try parameters.vectors.run(
      "dare_" + own.variant, context, parameters.storage, density: own.density,
      sparsification: .random(seed: own.seed, TaskVectors.Rescale(rawValue: own.rescale) ?? .density), elects: own.variant == "ties")
  }
}

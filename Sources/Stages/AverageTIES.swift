import Merging
import StageInterface

/// `average/ties`: task vectors trimmed to their largest elements, of which those count that agree with the elected sign.
package struct AverageTIES: NativeStage {
  package static let name = "average/ties"

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
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    try parameters.vectors.run(
      "ties", context, parameters.storage, density: parameters.own.density, sparsification: .magnitude, elects: true)
  }
}

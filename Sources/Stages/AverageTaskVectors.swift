import Kernels
import Merging
import StageInterface

/// What `average/task-arithmetic`, `average/ties` and `average/dare` share: a base, models, and what becomes of their differences.
struct TaskVectorParameters: Decodable, Sendable {
  let weight: [Double]?
  let lambda: Double
  let normalize: Bool
}

extension TaskVectorParameters {
  func run(
    _ name: String, _ context: StageContext, _ storage: StorageParameters, density: [Double]? = nil,
    sparsification: TaskVectors.Sparsification = .none, elects: Bool = false
  ) throws {
    let list = try ModelList(context)
    let vectors = TaskVectors(
      name: name, weights: try list.values(weight, "weight"), densities: try list.values(density, "density"),
      sparsification: sparsification, elects: elects, normalizes: normalize, lambda: lambda)
    let models = try MergedModel([.init("the base", try context.input("base"))] + list.sources)
    try models.write(
      vectors.method, try storage.storage(), to: try context.output("model"), pool: ThreadPool(threads: context.threads))
  }
}

/// `average/task-arithmetic`: θ0 + λ Σ w δ.
package struct AverageTaskArithmetic: NativeStage {
  package static let name = "average/task-arithmetic"

  package struct Parameters: Decodable, Sendable {
    let vectors: TaskVectorParameters
    let storage: StorageParameters

    package init(from decoder: any Decoder) throws {
      vectors = try TaskVectorParameters(from: decoder)
      storage = try StorageParameters(from: decoder)
    }
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    try parameters.vectors.run("task_arithmetic", context, parameters.storage)
  }
}

import Foundation
import Kernels
import Merging
import Modeling

/// Weight files of one tensor `t`, of any size, to merge without a model around them.
struct Tensors {
  let directory: TemporaryDirectory
  let values: [[Float]]
  let sources: [(name: String, weights: WeightSource)]

  /// A base of normal values and models that differ from it by normal values of a tenth.
  init(models: Int, count: Int, type: ElementType = .f32) throws {
    let base = Self.normal(count, stream: 0)
    try self.init([base] + (1...models).map { k in zip(base, Self.normal(count, stream: UInt64(k))).map { $0 + 0.1 * $1 } }, type: type)
  }

  init(_ values: [[Float]], type: ElementType = .f32) throws {
    directory = try TemporaryDirectory()
    var sources: [(name: String, weights: WeightSource)] = []
    for (index, values) in values.enumerated() {
      let path = "\(directory.path)/\(index)"
      let writer = try SafetensorsWriter(path: path, declaring: [TensorDeclaration(name: "t", type: type, shape: [values.count])])
      try writer.write(values, count: values.count, to: writer.tensors[0])
      try writer.finish()
      sources.append(("model \(index)", try WeightSource.file(path)))
    }
    self.sources = sources
    self.values = try sources.map { try $0.weights.files[0].floats(of: $0.weights.tensors[0]) }
  }

  func merged(_ method: MergeMethod, threads: Int = 2, type: ElementType? = nil) throws -> [Float] {
    let target = try TemporaryDirectory()
    try WeightMerge(sources, method: method, type: type).write(to: target.path, pool: ThreadPool(threads: threads))
    let file = try SafetensorsFile(path: target.path + "/model.safetensors")
    return try file.floats(of: file.tensors[0])
  }

  /// θ_k − θ_0, k from 1.
  func difference(_ k: Int) -> [Float] { zip(values[k], values[0]).map { $0 - $1 } }

  static func normal(_ count: Int, stream: UInt64) -> [Float] {
    let random = Philox(seed: 3, stream: stream)
    // The sum of four uniform values, near enough to normal.
    return (0..<count).map { i in
      let words = random.block(UInt64(i))
      return (Float(words.x >> 8) + Float(words.y >> 8) + Float(words.z >> 8) + Float(words.w >> 8)) * 0x1p-24 - 2
    }
  }
}

import Foundation
import Kernels
import Merging
import Modeling
import Testing

@Suite("merging weights") struct WeightMergeTests {
  let pool = ThreadPool(threads: 2)

  @Test("three models are added with their weights, across slices") func linear() throws {
    let directory = try TemporaryDirectory()
    let count = 600_000
    let values: [[Float]] = (3..<6).map { factor in (0..<count).map { i in Float(i * factor % 1009) / 64 - 7 } }
    let sources = try values.enumerated().map { ("model \($0.offset)", try write($0.element, .f32, to: directory.path + "/\($0.offset)")) }
    let weights = [0.5, -0.25, 2]
    try WeightMerge(sources, method: .linear(weights: weights)).write(to: directory.path, pool: pool)
    let merged = try SafetensorsFile(path: directory.path + "/model.safetensors")
    let expected: [Float] = (0..<count).map { i in
      let terms: [Double] = (0..<3).map { weights[$0] * Double(values[$0][i]) }
      return Float(terms[0] + terms[1] + terms[2])
    }
    #expect(try merged.floats(of: merged.tensors[0]) == expected)
  }

  @Test("a method is a name and a function, and is told where it is") func method() throws {
    let directory = try TemporaryDirectory()
    let source = try write([Float](repeating: 1, count: 300_000), .bf16, to: directory.path + "/a")
    let place = MergeMethod(name: "place") { slice in
      for i in 0..<slice.count { slice.target[i] = slice.tensor.name == "t" ? Float(slice.elements.lowerBound + i) : -1 }
    }
    try WeightMerge([("a", source)], method: place, type: .f32).write(to: directory.path, pool: pool)
    let merged = try SafetensorsFile(path: directory.path + "/model.safetensors")
    #expect(try merged.floats(of: merged.tensors[0]) == (0..<300_000).map { Float($0) })
  }

  @Test("tensors that are no floats are copied where they are equal, and refused where not") func integers() throws {
    let directory = try TemporaryDirectory()
    func source(_ name: String, _ value: Int64) throws -> (String, WeightSource) {
      let writer = try SafetensorsWriter(
        path: directory.path + "/" + name, declaring: [TensorDeclaration(name: "ids", type: .i64, shape: [1])])
      try withUnsafeBytes(of: value.littleEndian) { try writer.write($0, to: writer.tensors[0]) }
      try writer.finish()
      return (name, try WeightSource.file(directory.path + "/" + name))
    }
    let (a, b, c) = (try source("a", 5), try source("b", 5), try source("c", 6))
    try WeightMerge([a, b], method: .linear(weights: [0.5, 0.5])).write(to: directory.path, pool: pool)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: directory.path + "/model.safetensors"))
        == Data(contentsOf: URL(fileURLWithPath: directory.path + "/a")))
    #expect(
      failure(in: directory) {
        try WeightMerge([a, c], method: .linear(weights: [0.5, 0.5])).write(to: directory.path, pool: pool)
      }
        == "c: tensor 'ids' of type I64 differs from that of a, and cannot be averaged")
  }

  @Test("tensors that do not match are refused with both shapes") func mismatches() throws {
    let directory = try TemporaryDirectory()
    let short = try write([1, 2], .f32, to: directory.path + "/short")
    let long = try write([1, 2, 3], .f32, to: directory.path + "/long")
    #expect(
      failure(in: directory) { _ = try WeightMerge([("the base", short), ("the other", long)], method: .linear(weights: [1, 1])) }
        == "long: tensor 't' is [3] in the other and [2] in the base")
    let renamed = try write([1, 2], .f32, to: directory.path + "/renamed", name: "u")
    #expect(
      failure(in: directory) { _ = try WeightMerge([("the base", short), ("the other", renamed)], method: .linear(weights: [1, 1])) }
        == "renamed: lacks tensor 't' [2], which the base has")
  }

  private func write(_ values: [Float], _ type: ElementType, to path: String, name: String = "t") throws -> WeightSource {
    let writer = try SafetensorsWriter(path: path, declaring: [TensorDeclaration(name: name, type: type, shape: [values.count])])
    try writer.write(values, count: values.count, to: writer.tensors[0])
    try writer.finish()
    return try WeightSource.file(path)
  }
}

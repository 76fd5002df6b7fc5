import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import Testing

@Suite("shards") struct ShardTests {
  let pool = ThreadPool(threads: 2)

  @Test("weights beyond the limit are split as Hugging Face splits them, and are the same weights", arguments: [1, 700, 1 << 30])
  func split(limit: Int) throws {
    let models = try Models()
    let sources = try MergedModel([.init("a", models.base), .init("b", models.tuned)])
    try sources.write(.linear(weights: [0.5, 0.5]), .init(), to: models.result, pool: pool)
    let whole = try models.load(models.result)
    let split = models.directory.path + "/split"
    try sources.write(.linear(weights: [0.5, 0.5]), .init(shardLimit: limit), to: split, pool: pool)
    let again = try models.load(split)
    #expect((0..<whole.count).allSatisfy { whole.pointer[$0] == again.pointer[$0] })

    let names = try FileManager.default.contentsOfDirectory(atPath: split).filter { $0.hasPrefix("model") }.sorted()
    guard limit < 1 << 30 else {
      #expect(names == ["model.safetensors"])
      return
    }
    let index = try JSONValue(contentsOf: split + "/model.safetensors.index.json")
    let shards = Set(try #require(index["weight_map"]?.objectValue).members.compactMap(\.value.stringValue))
    let count = String(shards.count)
    #expect(names.filter { $0.hasSuffix(".safetensors") } == shards.sorted())
    #expect(shards.contains("model-00001-of-" + String(repeating: "0", count: 5 - count.count) + count + ".safetensors"))
    let files = try WeightSource.directory(split).files
    for file in files where file.tensors.count > 1 { #expect(file.header.dataCount <= limit) }
    #expect(index["metadata"]?["total_size"]?.integerValue == files.reduce(0) { $0 + $1.header.dataCount })
  }

  @Test("a type asked for is that of every weight, and of the configuration", arguments: [ElementType.bf16, .f16, .f32]) func type(
    type: ElementType
  ) throws {
    let models = try Models(ofBase: .bf16, ofTuned: .f16)
    let sources = try MergedModel([.init("a", models.base), .init("b", models.tuned)])
    try sources.write(.linear(weights: [0.5, 0.5]), .init(type: type), to: models.result, pool: pool)
    #expect(try WeightSource.directory(models.result).tensors.allSatisfy { $0.type == type })
    #expect(try JSONValue(contentsOf: models.result + "/config.json")["torch_dtype"]?.stringValue == type.torchName)
  }
}

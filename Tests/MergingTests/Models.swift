import Foundation
import JSONValues
import Kernels
import Merging
import Modeling

/// A directory that lasts as long as the value.
final class TemporaryDirectory {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("heirloom-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A tiny base model and what training made of it, on disk.
struct Models {
  let directory: TemporaryDirectory
  let configuration = ModelConfiguration(
    family: .llama, vocabularySize: 7, hiddenSize: 8, intermediateSize: 12, layers: 2, heads: 2, keyValueHeads: 1, bosToken: 1,
    eosTokens: [2])
  let pool = ThreadPool(threads: 1)

  var base: String { directory.path + "/base" }
  var tuned: String { directory.path + "/tuned" }
  var result: String { directory.path + "/result" }

  /// `change`: the size of what training changed.
  init(ofBase: ElementType = .f32, ofTuned: ElementType = .f32, change: Float = 0.01) throws {
    directory = try TemporaryDirectory()
    let arena = ParameterArena(configuration)
    for entry in arena.layout.entries { for index in entry.range { arena.pointer[index] = Float(index % 97) / 31 - 1.5 } }
    try write(configuration, arena, as: ofBase, to: base)
    for entry in arena.layout.entries { for index in entry.range { arena.pointer[index] += change * Float(index % 13 - 6) } }
    try write(configuration, arena, as: ofTuned, to: tuned)
  }

  func write(_ configuration: ModelConfiguration, _ arena: ParameterArena, as type: ElementType = .f32, to path: String) throws {
    let tokenizer = CompanionFile(name: "tokenizer.json", bytes: Array(#"{"model":{"vocab":{"a":0,"b":1}}}"#.utf8))
    try ModelDirectory.write(configuration, arena, as: type, companions: [tokenizer], to: path, pool: pool)
  }

  func load(_ path: String) throws -> ParameterArena { try ModelDirectory.load(path, pool: pool).arena }

  /// What is wrong with the pair; nil when nothing is.
  func failure() -> String? { failure { _ = try WiseFT(base: base, tuned: tuned) } }

  func failure(_ body: () throws -> Void) -> String? { MergingTests.failure(in: directory, body) }

  /// Puts every tensor of a model into a shard of its own.
  func shard(_ model: String) throws {
    let source = try SafetensorsFile(path: model + "/model.safetensors")
    var map = JSONObject()
    for (index, tensor) in source.tensors.enumerated() {
      let writer = try SafetensorsWriter(
        path: model + "/\(index)", declaring: [TensorDeclaration(name: tensor.name, type: tensor.type, shape: tensor.shape)])
      try source.bytes(of: tensor).withUnsafeBytes { try writer.write($0, to: writer.tensors[0]) }
      try writer.finish()
      map.append(tensor.name, .string("\(index)"))
    }
    let index = JSONValue.object(JSONObject([("weight_map", .object(map))]))
    try Data(index.encodedBytes()).write(to: URL(fileURLWithPath: model + "/" + WeightSource.indexName))
    try FileManager.default.removeItem(atPath: model + "/model.safetensors")
  }
}

func bytes(_ directory: String, _ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name)))
}

/// What goes wrong, with the directory taken out of the text; nil when nothing does.
func failure(in directory: TemporaryDirectory, _ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)".replacingOccurrences(of: directory.path + "/", with: "")
  }
}

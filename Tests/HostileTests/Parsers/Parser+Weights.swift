import Foundation
import JSONValues
import Kernels
import Modeling
import Tokenization

extension Parser {
  /// Weights and what goes with them.
  static let weights: [Parser] = [safetensors, model, shards, configuration, gguf, adapterConfiguration, adapterWeights]

  static let pool = ThreadPool(threads: 1)
  /// No reading of a small file takes more numbers than this.
  static let mostFloats = 1 << 20

  /// The fixtures of the engine's own tests.
  static let fixtures = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("ModelingTests/Fixtures").path

  static func fixture(_ name: String) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: fixtures + "/" + name) else { preconditionFailure("no fixture \(name)") }
    return [UInt8](data)
  }

  private static let safetensors = Parser("safetensors") { bytes in
    let file = try SafetensorsFile(path: Scratch.file("x.safetensors", bytes))
    for tensor in file.tensors where tensor.count <= mostFloats {
      _ = try file.bytes(of: tensor)
      _ = try file.floats(of: tensor)
    }
  }

  static let tiny = ModelConfiguration(
    family: .llama, vocabularySize: 8, hiddenSize: 4, intermediateSize: 4, layers: 1, heads: 1, keyValueHeads: 1, headDimension: 4,
    tieEmbeddings: true)

  private static let model = Parser("model") { bytes in
    let directory = Scratch.directory("model")
    if !FileManager.default.fileExists(atPath: directory + "/config.json") {
      Scratch.write(tiny.json(dtype: "float32").encodedBytes(), directory + "/config.json")
    }
    Scratch.write(bytes, directory + "/model.safetensors")
    let loaded = try ModelDirectory.load(directory, pool: pool)
    for entry in loaded.arena.layout.entries {
      let values = loaded.arena.view(entry.name)
      precondition((0..<entry.count).allSatisfy { values[$0].isFinite }, "a model was loaded with a number that is none")
    }
    pass(loaded)
  }

  /// What a configuration says is true of the weights, so a pass has to come to its end.
  private static func pass(_ model: LoadedModel) {
    let transformer = Transformer(ModelWeights(model.configuration, model.arena), pool: pool)
    let tokens = [Int32](repeating: 0, count: min(3, transformer.maximumPositions))
    transformer.forward(TokenBatch([tokens]), Activations(model.configuration, tokens: tokens.count, targets: 0, purpose: .inference))
  }

  /// The index of shards; the one shard is a good file.
  private static let shards = Parser("shards") { bytes in
    let directory = Scratch.directory("shards")
    if !FileManager.default.fileExists(atPath: directory + "/model-1.safetensors") {
      Scratch.write(fixture("tiny-llama/config.json"), directory + "/config.json")
      Scratch.write(fixture("tiny-llama/model.safetensors"), directory + "/model-1.safetensors")
    }
    Scratch.write(bytes, directory + "/model.safetensors.index.json")
    _ = try ModelDirectory.load(directory, pool: pool)
  }

  private static let configuration = Parser("model-config") { bytes in
    let configuration = try ModelConfiguration(json: try JSONValue(parsing: bytes))
    guard let again = try? ModelConfiguration(json: configuration.json(dtype: "float32")), again == configuration else {
      preconditionFailure("a configuration is not what was written")
    }
    let directory = Scratch.directory("configuration")
    if !FileManager.default.fileExists(atPath: directory + "/model.safetensors") {
      Scratch.write(fixture("tiny-llama/model.safetensors"), directory + "/model.safetensors")
    }
    Scratch.write(bytes, directory + "/config.json")
    pass(try ModelDirectory.load(directory, pool: pool))
  }

  private static let gguf = Parser("gguf") { bytes in
    let path = Scratch.file("x.gguf", bytes)
    let file = try GGUFFile(path: path)
    for tensor in file.tensors where tensor.count <= mostFloats { _ = try file.floats(of: tensor) }
    _ = try? GGUFVocabulary(metadata: GGUFModel.tokenizerMetadata(of: file))
    pass(try GGUFModel.load(path, pool: pool))
  }

  private static let (llama, qwen2) = (base("tiny-llama"), base("tiny-qwen2"))

  private static func base(_ name: String) -> ModelConfiguration {
    guard let json = try? JSONValue(parsing: fixture(name + "/config.json")), let configuration = try? ModelConfiguration(json: json)
    else { preconditionFailure("the fixture is damaged") }
    return configuration
  }

  private static let adapterConfiguration = Parser("adapter-config") { bytes in
    let directory = Scratch.directory("adapter")
    if !FileManager.default.fileExists(atPath: directory + "/adapter_model.safetensors") {
      Scratch.write(fixture("adapters/lora/adapter_model.safetensors"), directory + "/adapter_model.safetensors")
    }
    Scratch.write(bytes, directory + "/adapter_config.json")
    _ = try AdapterDirectory.load(directory, for: qwen2)
  }

  private static let adapterWeights = Parser("adapter-weights", longest: 16384) { bytes in
    let directory = Scratch.directory("adapter-weights")
    if !FileManager.default.fileExists(atPath: directory + "/adapter_config.json") {
      Scratch.write(fixture("adapters/stacked/adapter_config.json"), directory + "/adapter_config.json")
    }
    Scratch.write(bytes, directory + "/adapter_model.safetensors")
    _ = try AdapterDirectory.load(directory, for: llama)
  }
}

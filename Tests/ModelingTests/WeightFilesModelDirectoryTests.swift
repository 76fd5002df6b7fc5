import Foundation
import JSONValues
import Kernels
import Modeling
import Testing

@Suite("model directories") struct WeightFilesModelDirectoryTests {
  let pool = ThreadPool(threads: 2)

  @Test("what is written is read back", arguments: ModelConfiguration.Family.allCases, [true, false]) func roundTrip(
    family: ModelConfiguration.Family, tied: Bool
  ) throws {
    let directory = try TemporaryDirectory()
    let (configuration, arena) = smallModel(family, tied: tied)
    let tokenizer = CompanionFile(name: "tokenizer.json", bytes: Array("{}".utf8))
    try ModelDirectory.write(configuration, arena, companions: [tokenizer], to: directory.path + "/m", pool: pool)
    let model = try ModelDirectory.load(directory.path + "/m", pool: pool)
    #expect(model.configuration == configuration)
    for entry in arena.layout.entries { #expect(values(model.arena, entry.name) == values(arena, entry.name)) }
    #expect(try filesIn(directory.path + "/m") == ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
    #expect(model.companions.map(\.name) == ["generation_config.json", "tokenizer.json"])
    let generation = try JSONValue(contentsOf: directory.path + "/m/generation_config.json")
    #expect(generation == ["_from_model_config": true, "bos_token_id": 1, "eos_token_id": 2])
  }

  @Test("equal tensors give equal bytes, however they lay before") func canonical() throws {
    let directory = try TemporaryDirectory()
    let original = fixture("tiny-llama")
    let model = try ModelDirectory.load(original, pool: pool)
    try ModelDirectory.write(model.configuration, model.arena, companions: model.companions, to: directory.path + "/a", pool: pool)
    try splitIntoShards(original, to: directory.path + "/shards")
    let sharded = try ModelDirectory.load(directory.path + "/shards", pool: ThreadPool(threads: 1))
    try ModelDirectory.write(
      sharded.configuration, sharded.arena, companions: model.companions, to: directory.path + "/b", pool: ThreadPool(threads: 1))
    for name in try filesIn(directory.path + "/a") {
      #expect(try bytes(of: directory.path + "/a/" + name) == bytes(of: directory.path + "/b/" + name), "\(name)")
    }
    #expect(try bytes(of: directory.path + "/a/model.safetensors") == bytes(of: original + "/model.safetensors"), "transformers' bytes")
  }

  @Test("half precision is rounded once and says so in the configuration", arguments: [(ElementType.bf16, "bfloat16"), (.f16, "float16")])
  func halves(type: ElementType, name: String) throws {
    let directory = try TemporaryDirectory()
    let (configuration, arena) = smallModel()
    try ModelDirectory.write(configuration, arena, as: type, to: directory.path + "/a", pool: pool)
    #expect(try JSONValue(contentsOf: directory.path + "/a/config.json")["torch_dtype"] == .string(name))
    let once = try ModelDirectory.load(directory.path + "/a", pool: pool)
    try ModelDirectory.write(configuration, once.arena, as: type, to: directory.path + "/b", pool: pool)
    #expect(try bytes(of: directory.path + "/a/model.safetensors") == bytes(of: directory.path + "/b/model.safetensors"))
    let name = "model.layers.1.mlp.up_proj.weight"
    #expect(zip(values(arena, name), values(once.arena, name)).allSatisfy { abs($0 - $1) <= abs($0) / 256 })
  }

  @Test("tensors that do not fit are named with both shapes") func misfits() throws {
    let directory = try TemporaryDirectory()
    let (configuration, arena) = smallModel()
    try ModelDirectory.write(configuration, arena, to: directory.path, pool: pool)
    var wider = configuration
    wider.vocabularySize = 13
    wider.tieEmbeddings = false
    try directory.write(wider.json(dtype: "float32").encoded(), "config.json")
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "model.safetensors: 2 tensors do not fit the configuration: 'model.embed_tokens.weight' is [11, 8] where the configuration asks for [13, 8]; "
        + "missing 'lm_head.weight' [13, 8]")
    var deeper = configuration
    deeper.layers = 1
    try directory.write(deeper.json(dtype: "float32").encoded(), "config.json")
    let message = try #require(failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) })
    #expect(
      message.hasPrefix(
        "model.safetensors: 9 tensors do not fit the configuration: unexpected 'model.layers.1.input_layernorm.weight' [8]; unexpected"))
    #expect(message.hasSuffix("; and 3 more"))
  }

  @Test("a configuration that asks for the impossible is refused before anything is laid out") func impossible() throws {
    let directory = try TemporaryDirectory()
    let (configuration, arena) = smallModel()
    try ModelDirectory.write(configuration, arena, to: directory.path, pool: pool)
    let huge = 1 << 24
    func message(_ change: (inout ModelConfiguration) -> Void) throws -> String? {
      var changed = configuration
      change(&changed)
      try directory.write(changed.json(dtype: "float32").encoded(), "config.json")
      return failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
    }
    #expect(
      try message { $0.layers = huge } == "model.safetensors: the configuration asks for 16777216 layers, but there are 20 tensors")
    #expect(
      try message { ($0.heads, $0.headDimension) = (huge, huge) }
        == "config.json: head_dim 16777216 is not supported; at most 256 is")
    #expect(
      try message { ($0.vocabularySize, $0.hiddenSize) = (huge, huge) }
        == "model.safetensors: the configuration asks for a matrix of vocab_size × hidden_size = 16777216 × 16777216 weights")
    #expect(
      try message { $0.vocabularySize = huge }
        == "model.safetensors: 1 tensor does not fit the configuration: 'model.embed_tokens.weight' is [11, 8] where the configuration asks for [16777216, 8]"
    )
  }

  @Test("a weight that is not finite names its tensor", arguments: [(Float.nan, "nan"), (-.infinity, "-inf")]) func nonFinite(
    value: Float, text: String
  ) throws {
    let directory = try TemporaryDirectory()
    let (configuration, arena) = smallModel()
    arena.view("model.layers.1.mlp.up_proj.weight")[8 * 3 + 5] = value
    try ModelDirectory.write(configuration, arena, to: directory.path, pool: pool)
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "model.safetensors: tensor 'model.layers.1.mlp.up_proj.weight' holds \(text) at row 3, column 5")
  }

  @Test("a tied model may repeat its embedding as head, but not another matrix") func repeatedHead() throws {
    let directory = try TemporaryDirectory()
    let (untied, arena) = smallModel(tied: false)
    let embedding = arena.view("model.embed_tokens.weight")
    arena.view("lm_head.weight").update(from: embedding, count: 88)
    try ModelDirectory.write(untied, arena, to: directory.path, pool: pool)
    var tied = untied
    tied.tieEmbeddings = true
    try directory.write(tied.json(dtype: "float32").encoded(), "config.json")
    let model = try ModelDirectory.load(directory.path, pool: pool)
    #expect(model.arena.layout["lm_head.weight"] == nil)
    embedding[3] += 1
    try ModelDirectory.write(arena, as: .f32, to: directory.path + "/model.safetensors", pool: pool)
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "model.safetensors: 'lm_head.weight' differs from 'model.embed_tokens.weight', but config.json says that they are tied")
  }

  @Test("a directory without configuration, or with a damaged one, is said so") func configuration() throws {
    let directory = try TemporaryDirectory()
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "config.json: cannot be opened: No such file or directory")
    try directory.write("{\"model_type\": }", "config.json")
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "config.json: line 1, column 16: expected a value")
    try directory.write("{\"model_type\": \"bert\"}", "config.json")
    #expect(
      failure(in: directory) { _ = try ModelDirectory.load(directory.path, pool: pool) }
        == "config.json: model_type 'bert' is not supported; supported: llama, qwen2, qwen3")
  }
}

func filesIn(_ directory: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }

/// The same model in two shards with an index, tensors dealt out in turn.
private func splitIntoShards(_ model: String, to directory: String) throws {
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  let source = try SafetensorsFile(path: model + "/model.safetensors")
  var map = JSONObject()
  for shard in 0..<2 {
    let part = source.tensors.enumerated().filter { $0.offset % 2 == shard }.map(\.element)
    let name = "model-0000\(shard + 1)-of-00002.safetensors"
    let writer = try SafetensorsWriter(
      path: directory + "/" + name, declaring: part.map { TensorDeclaration(name: $0.name, type: $0.type, shape: $0.shape) })
    for tensor in writer.tensors {
      map.append(tensor.name, .string(name))
      try source.bytes(of: #require(source[tensor.name])).withUnsafeBytes { try writer.write($0, to: tensor) }
    }
    try writer.finish()
  }
  let index = JSONValue.object(JSONObject([("metadata", .object(JSONObject())), ("weight_map", .object(map))]))
  try Data(index.encodedBytes()).write(to: URL(fileURLWithPath: directory + "/" + WeightSource.indexName))
  try FileManager.default.copyItem(atPath: model + "/config.json", toPath: directory + "/config.json")
}

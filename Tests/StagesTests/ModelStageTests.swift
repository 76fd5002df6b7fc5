import Foundation
import JSONValues
import Kernels
import Modeling
import Testing
import Tokenization

@Suite("model/import, model/init, average/wise-ft") struct ModelStageTests {
  @Test(
    "a Hugging Face directory keeps its weights and files, and importing what was imported changes nothing",
    arguments: ["tiny-llama", "tiny-llama-untied", "tiny-qwen2", "tiny-qwen3"])
  func huggingFace(name: String) throws {
    let bench = try Bench()
    let source = try bench.checkpoint(name)
    let imported = try bench.run("model/import", inputs: [("source", [source])])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: imported["model"].path).sorted() == [
        "config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
      ])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: imported["tokenizer"].path).sorted() == [
        "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
      ])
    #expect(try weights(imported["model"]) == weights(source))
    for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
      #expect(try digest(of: imported["model"][file].path) == digest(of: source[file].path), "\(file)")
    }
    #expect(try bench.run("model/import", inputs: [("source", [imported["model"]])]).digests() == imported.digests())
  }

  @Test("shards and one file give the same bytes, at any number of threads")
  func shards() throws {
    let bench = try Bench()
    let whole = try bench.checkpoint("tiny-llama")
    let sharded = try bench.copy(whole, to: "sharded")
    try shard(sharded)
    let expected = try bench.run("model/import", inputs: [("source", [whole])]).digests()
    #expect(try bench.run("model/import", inputs: [("source", [sharded])]).digests() == expected)
    #expect(try bench.run("model/import", inputs: [("source", [sharded])], threads: 2).digests() == expected)
  }

  @Test("a GGUF file gives the weights of the checkpoint it was made from, and its own tokenizer", arguments: ["tiny-llama", "tiny-qwen2"])
  func gguf(name: String) throws {
    let bench = try Bench()
    let file = try bench.write(
      withMerges([UInt8](Data(contentsOf: URL(fileURLWithPath: Bench.modelingFixture(name + ".gguf"))))), "model.gguf")
    let imported = try bench.run("model/import", inputs: [("source", [file])])
    #expect(try weights(imported["model"]) == weights(Given(Bench.modelingFixture(name))))
    let tokenizer = try Tokenizer.load(directory: imported["tokenizer"].path)
    #expect(tokenizer.id("t7") == 7)
    #expect(try digest(of: imported["tokenizer"]["tokenizer.json"].path) == digest(of: imported["model"]["tokenizer.json"].path))
  }

  @Test("random weights depend on the seed alone, and the tokenizer travels with them")
  func initialized() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let model = try bench.run("model/init", Materials.dimensions, inputs: [("tokenizer", [materials.tokenizer])], threads: 2)["model"]
    #expect(try digest(of: model.path) == digest(of: materials.model.path))
    #expect(try digest(of: model["tokenizer.json"].path) == digest(of: materials.tokenizer["tokenizer.json"].path))
    let configuration = try json(of: model["config.json"])
    #expect(configuration["vocab_size"] == 280 && configuration["hidden_size"] == 16 && configuration["num_key_value_heads"] == 2)
    #expect(configuration["bos_token_id"] == 0 && configuration["eos_token_id"] == 2)
  }

  @Test("α = 0 gives the base's bytes, α = 1 the tuned weights, α = ½ their mean")
  func wiseFT() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let inputs = [("base", [materials.model]), ("tuned", [materials.tuned])]
    func average(_ alpha: Double, threads: Int = 1) throws -> Given {
      try bench.run("average/wise-ft", ["alpha": .number(alpha)], inputs: inputs, threads: threads)["model"]
    }
    #expect(try digest(of: average(0).path) == digest(of: materials.model.path))
    #expect(try digest(of: average(1)["model.safetensors"].path) == digest(of: materials.tuned["model.safetensors"].path))
    let mean = try average(0.5)
    #expect(try digest(of: mean.path) == digest(of: average(0.5, threads: 2).path))
    let (base, tuned, half) = (try weights(materials.model), try weights(materials.tuned), try weights(mean))
    #expect(base != tuned)
    for (name, values) in half {
      let expected = try zip(#require(base[name]), #require(tuned[name])).map { Float((Double($0) + Double($1)) / 2) }
      #expect(values == expected, "\(name)")
    }
  }

  // MARK: - Files

  private func weights(_ model: Given) throws -> [String: [Float]] {
    let file = try SafetensorsFile(path: model["model.safetensors"].path)
    return Dictionary(uniqueKeysWithValues: try file.tensors.map { ($0.name, try file.floats(of: $0)) })
  }

  /// Puts the tensors by turns into two files with an index.
  private func shard(_ model: Given) throws {
    let file = try SafetensorsFile(path: model["model.safetensors"].path)
    var map = JSONObject()
    for part in 0..<2 {
      let name = "model-0000\(part + 1)-of-00002.safetensors"
      let own = file.tensors.enumerated().filter { $0.offset % 2 == part }.map(\.element)
      let writer = try SafetensorsWriter(
        path: model[name].path, declaring: own.map { TensorDeclaration(name: $0.name, type: $0.type, shape: $0.shape) })
      for tensor in writer.tensors {
        try file.bytes(of: #require(file[tensor.name])).withUnsafeBytes { try writer.write($0, to: tensor) }
        map.append(tensor.name, .string(name))
      }
      try writer.finish()
    }
    try FileManager.default.removeItem(atPath: model["model.safetensors"].path)
    let index: JSONValue = ["metadata": ["total_size": 0], "weight_map": .object(map)]
    try Data(index.encodedBytes()).write(to: URL(fileURLWithPath: model["model.safetensors.index.json"].path))
  }

  /// The file with an empty list of merges, which the fixtures lack, and a name that keeps its tensors at multiples of 32 bytes.
  private func withMerges(_ file: [UInt8]) -> [UInt8] {
    func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    func string(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + Array(text.utf8) }
    let merges = string("tokenizer.ggml.merges") + number(UInt32(9)) + number(UInt32(8)) + number(UInt64(0))
    let name = string("general.name") + number(UInt32(8))
    let filler = 32 - (merges.count + name.count + 8) % 32
    let entries = file[16..<24].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return file[..<16] + number(entries + 2) + merges + name + string(String(repeating: "x", count: filler)) + file[24...]
  }
}

extension Bench {
  /// A checkpoint of the modelling tests with a tokenizer of fewer tokens than its vocabulary.
  func checkpoint(_ name: String) throws -> Given {
    let source = try copy(Given(Self.modelingFixture(name)), to: name)
    for file in ["golden.json", "golden.safetensors"] { try FileManager.default.removeItem(atPath: source[file].path) }
    let tokens = ["<s>", "</s>"] + (33...126).map { String(UnicodeScalar(UInt8($0))) }
    var definition = TokenizerDefinition(
      preTokenizer: .gpt2, vocabulary: tokens.enumerated().map { (token: $1, id: Int32($0)) }, merges: [])
    definition.addedTokens = [AddedToken(id: 0, content: "<s>"), AddedToken(id: 1, content: "</s>")]
    try TokenizerFiles.write(
      definition, TokenizerConfiguration(bosToken: "<s>", eosToken: "</s>", modelMaxLength: 64),
      to: source.path)
    return source
  }
}

import Foundation
import JSONValues
import Kernels
import Modeling
import Testing

@Suite("GGUF") struct WeightFilesGGUFTests {
  @Test("blocks of every type have the reference's values to the bit") func blocks() throws {
    let file = try GGUFFile(path: fixture("blocks.gguf"))
    #expect(
      file.tensors.map(\.name) == ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"])
    let expected = try bytes(of: fixture("blocks.f32"))
    var place = 0
    for tensor in file.tensors {
      #expect(tensor.name == tensor.type.name)
      let found = littleEndian(try file.floats(of: tensor))
      #expect(found == Array(expected[place..<place + found.count]), "\(tensor.name)")
      place += found.count
    }
    #expect(place == expected.count)
    #expect(file.isLossy)
  }

  @Test("a model has the weights of the checkpoint it was made from", arguments: ["tiny-llama", "tiny-qwen2"], [1, 2])
  func model(name: String, threads: Int) throws {
    let pool = ThreadPool(threads: threads)
    let original = try ModelDirectory.load(fixture(name), pool: pool)
    let model = try LoadedModel.load(fixture(name + ".gguf"), pool: pool)
    for entry in original.arena.layout.entries {
      #expect(values(model.arena, entry.name) == values(original.arena, entry.name), "\(entry.name)")
    }
    #expect(!model.isLossy)
    var expected = original.configuration
    expected.extras = JSONObject()
    #expect(model.configuration == expected)
    #expect(model.tokenizerMetadata?["tokenizer.ggml.pre"] == "smollm")
    #expect(model.tokenizerMetadata?["tokenizer.ggml.tokens"]?.arrayValue?.count == original.configuration.vocabularySize)
    #expect(model.tokenizerMetadata?["general.architecture"] == nil)
  }

  @Test("a GGUF file is known by what it holds, not by its name") func names() throws {
    let directory = try TemporaryDirectory()
    let pool = ThreadPool(threads: 1)
    let file = try bytes(of: fixture("tiny-llama.gguf"))
    #expect(try LoadedModel.load(directory.write(file, "0123"), pool: pool).configuration.vocabularySize == 160)
    try directory.write(file, "a.gguf")
    #expect(try LoadedModel.load(directory.path, pool: pool).configuration.vocabularySize == 160)
    try directory.write(file, "b.gguf")
    #expect(
      failure(in: directory) { _ = try LoadedModel.load(directory.path, pool: pool) }
        == "DIR: holds several GGUF files (a.gguf, b.gguf): name one of them")
    #expect(
      failure(in: directory) { _ = try LoadedModel.load(directory.path + "/none", pool: pool) }
        == "none: cannot be opened: No such file or directory")
    let text = try directory.write("not a model", "model.safetensors")
    #expect(
      failure(in: directory) { _ = try LoadedModel.load(text, pool: pool) }
        == "model.safetensors: does not begin with 'GGUF': not a GGUF file")
  }

  /// All value types, in version 2 as in 3.
  @Test("metadata of every type is read", arguments: [2, 3] as [UInt32]) func metadata(version: UInt32) throws {
    let directory = try TemporaryDirectory()
    var builder = GGUFBuilder(version: version)
    builder.metadata = [
      ("u8", 0, [255]), ("i8", 1, [255]), ("u16", 2, [255, 255]), ("i16", 3, [254, 255]), ("u32", 4, [255, 255, 255, 255]),
      ("i32", 5, littleEndian(Int32(-3))), ("f32", 6, littleEndian((1e-5 as Float).bitPattern)), ("bool", 7, [1]),
      ("text", 8, GGUFBuilder.string("é")), ("u64", 10, littleEndian(UInt64(7))), ("i64", 11, littleEndian(Int64.min)),
      ("f64", 12, littleEndian((0.1).bitPattern)),
    ]
    builder.add("list", ["a", ""])
    let file = try GGUFFile(path: try directory.write(builder.bytes, "m.gguf"))
    #expect(
      JSONValue.object(file.metadata).encoded()
        == #"{"u8":255,"i8":-1,"u16":65535,"i16":-2,"u32":4294967295,"i32":-3,"f32":0.00001,"bool":true,"text":"é","u64":7,"#
        + #""i64":-9223372036854775808,"f64":0.1,"list":["a",""]}"#)
  }

  @Test("Llama 3's rotary divisors become its rope_scaling again") func llama3() throws {
    let directory = try TemporaryDirectory()
    let scaling = RopeScaling.llama3(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192)
    let theta = 500000.0
    let divisors = (0..<32).map { index in
      let frequency = pow(theta, -Double(index) / 32)
      return Float(frequency / scaling.scaled(frequency))
    }
    var builder = Self.llama(hidden: 128, heads: 2)
    builder.add("llama.rope.freq_base", Float(theta))
    builder.tensors.append(("rope_freqs.weight", [32], 0, nil, littleEndian(divisors)))
    let file = try GGUFFile(path: try directory.write(builder.bytes, "m.gguf"))
    #expect(try GGUFModel.configuration(of: file).ropeScaling == scaling)

    builder.tensors[1].data = littleEndian(divisors.map { $0 * 1.01 })
    let other = try GGUFFile(path: try directory.write(builder.bytes, "m.gguf"))
    #expect(
      failure(in: directory) { _ = try GGUFModel.configuration(of: other) }
        == "m.gguf: 'rope_freqs.weight' holds divisors that are not those of Llama 3's rope scaling")
  }

  @Test(
    "what a model of this kind cannot be is refused",
    arguments: [
      ("general.architecture", nil, "has no general.architecture"),
      ("general.architecture", "gemma", "has the architecture 'gemma', which is not supported; supported: llama, qwen2, qwen3"),
      ("llama.rope.scaling.type", "yarn", "has the rope scaling 'yarn', which is not supported; supported: none, linear, llama3"),
      ("llama.block_count", nil, "has no llama.block_count"),
      ("llama.block_count", "two", "llama.block_count must be one integer, not a string"),
      ("llama.attention.layer_norm_rms_epsilon", "x", "llama.attention.layer_norm_rms_epsilon must be a number, not a string"),
    ] as [(String, String?, String)]) func refused(key: String, value: String?, message: String) throws
  {
    let directory = try TemporaryDirectory()
    var builder = Self.llama(hidden: 8, heads: 2)
    builder.metadata.removeAll { $0.key == key }
    if let value { builder.add(key, value) }
    let file = try GGUFFile(path: try directory.write(builder.bytes, "m.gguf"))
    #expect(failure(in: directory) { _ = try GGUFModel.configuration(of: file) } == "m.gguf: " + message)
  }

  @Test("tensors that do not fit the metadata are named with both shapes") func misfits() throws {
    let directory = try TemporaryDirectory()
    let pool = ThreadPool(threads: 1)
    var builder = Self.llama(hidden: 8, heads: 2)
    builder.tensors.append(("output_norm.weight", [9], 0, nil, [UInt8](repeating: 0, count: 36)))
    let short = try directory.write(builder.bytes, "m.gguf")
    let message = try #require(failure(in: directory) { _ = try LoadedModel.load(short, pool: pool) })
    #expect(
      message.hasPrefix(
        "m.gguf: 10 tensors do not fit the configuration: 'model.norm.weight' is [9] where the configuration asks for [8]; missing 'model.layers.0"
      ))
    builder.tensors.append(("blk.0.ffn_gate_exps.weight", [1], 0, nil, [0, 0, 0, 0]))
    let unknown = try directory.write(builder.bytes, "m.gguf")
    #expect(
      failure(in: directory) { _ = try LoadedModel.load(unknown, pool: pool) }
        == "m.gguf: tensor 'blk.0.ffn_gate_exps.weight' is none that a model of this architecture has")
  }

  static func llama(hidden: UInt32, heads: UInt32) -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", "llama")
    for (key, value) in [
      ("block_count", 1), ("context_length", 16), ("embedding_length", hidden), ("feed_forward_length", 12),
      ("attention.head_count", heads),
    ] {
      builder.add("llama.\(key)", value)
    }
    builder.add("llama.attention.layer_norm_rms_epsilon", 1e-5 as Float)
    builder.tensors = [("token_embd.weight", [UInt64(hidden), 3], 0, nil, [UInt8](repeating: 0, count: 12 * Int(hidden)))]
    return builder
  }
}

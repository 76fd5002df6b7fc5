import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import Testing

@Suite("WiSE-FT") struct WiseFTTests {
  let pool = ThreadPool(threads: 2)

  @Test("at 0 the weights are the base's bytes, at 1 the tuned model's; everything else is the base's", arguments: [0, 1]) func ends(
    alpha: Int
  ) throws {
    let models = try Models()
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: Double(alpha), to: models.result, pool: pool)
    let source = alpha == 0 ? models.base : models.tuned
    #expect(try bytes(models.result, "model.safetensors") == bytes(source, "model.safetensors"))
    for name in ["config.json", "generation_config.json", "tokenizer.json"] {
      #expect(try bytes(models.result, name) == bytes(models.base, name), "\(name)")
    }
  }

  @Test("between, every weight is (1 − α) θ₀ + α θ_ft, rounded once", arguments: [0.1, 0.5, 0.9]) func between(alpha: Double) throws {
    let models = try Models()
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: alpha, to: models.result, pool: pool)
    let (base, tuned) = (try models.load(models.base), try models.load(models.tuned))
    let result = try models.load(models.result)
    for entry in result.layout.entries {
      for index in entry.range {
        let expected = Float((1 - alpha) * Double(base.pointer[index]) + alpha * Double(tuned.pointer[index]))
        #expect(result.pointer[index].bitPattern == expected.bitPattern)
      }
    }
  }

  @Test("weights that training did not touch stay what they are, at every α", arguments: [0.1, 0.3, 0.7, 0.9]) func untouched(alpha: Double)
    throws
  {
    let models = try Models(change: 0)
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: alpha, to: models.result, pool: pool)
    #expect(try bytes(models.result, "model.safetensors") == bytes(models.base, "model.safetensors"))
  }

  @Test("the bytes do not depend on the number of threads, or on shards") func threads() throws {
    let models = try Models()
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: 0.25, to: models.result, pool: ThreadPool(threads: 1))
    let once = try bytes(models.result, "model.safetensors")
    try models.shard(models.tuned)
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: 0.25, to: models.result, pool: pool)
    #expect(try bytes(models.result, "model.safetensors") == once)
  }

  @Test("a sharded model is copied shard by shard at the end of the line") func shardedCopy() throws {
    let models = try Models()
    try models.shard(models.tuned)
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: 1, to: models.result, pool: pool)
    let copied = try models.load(models.result)
    let tuned = try models.load(models.tuned)
    #expect((0..<copied.count).allSatisfy { copied.pointer[$0] == tuned.pointer[$0] })
    #expect(try bytes(models.result, WeightSource.indexName) == bytes(models.tuned, WeightSource.indexName))
  }

  @Test(
    "the wider of both types is kept, and the configuration says so",
    arguments: [
      (ElementType.bf16, ElementType.f32, "float32"), (.f32, .bf16, "float32"), (.bf16, .bf16, "bfloat16"), (.f16, .bf16, "float32"),
    ]) func types(ofBase: ElementType, ofTuned: ElementType, name: String) throws
  {
    let models = try Models(ofBase: ofBase, ofTuned: ofTuned)
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: 0.5, to: models.result, pool: pool)
    let weights = try WeightSource.directory(models.result)
    #expect(weights.tensors.allSatisfy { $0.type.torchName == name })
    #expect(try JSONValue(contentsOf: models.result + "/config.json")["torch_dtype"] == .string(name))
    _ = try models.load(models.result)
  }

  @Test("models that do not match are refused with both figures") func mismatches() throws {
    let models = try Models()
    var other = models.configuration
    other.vocabularySize = 9
    try models.write(other, ParameterArena(other), to: models.tuned)
    #expect(models.failure() == "tuned: has a vocabulary of 9, the base one of 7: their weights cannot be averaged")
    other = models.configuration
    other.intermediateSize = 8
    try models.write(other, ParameterArena(other), to: models.tuned)
    #expect(models.failure() == "tuned: has intermediate_size 8, the base 12")
    other = models.configuration
    other.family = .qwen3
    try models.write(other, ParameterArena(other), to: models.tuned)
    #expect(models.failure() == "tuned: is of family qwen3, the base of llama")
    other = models.configuration
    other.tieEmbeddings = false
    try models.write(other, ParameterArena(other), to: models.tuned)
    #expect(models.failure() == "tuned/model.safetensors: has tensor 'lm_head.weight' [7, 8], which the base lacks")
  }

  @Test(
    "tokenizers that number tokens otherwise are refused",
    arguments: [
      (#"{"model":{"vocab":{"a":1,"b":0}}}"#, "tuned: has another vocabulary: token 'a' has id 1, in the base it has id 0"),
      (#"{"model":{"vocab":{"a":0,"c":1}}}"#, "tuned: has another vocabulary: token 'b' is missing, in the base it has id 1"),
      (#"{"model":{"vocab":{"a":0}}}"#, "tuned: has a tokenizer of 1 tokens, the base one of 2"),
      (#"{"model":{"vocab":{"a":0}},"added_tokens":[{"id":1,"content":"b"}]}"#, nil),
      (#"{"model": {"vocab": {"b": 1, "a": 0}}}"#, nil),
    ] as [(String, String?)]) func tokenizers(tuned: String, message: String?) throws
  {
    let models = try Models()
    try Data(tuned.utf8).write(to: URL(fileURLWithPath: models.tuned + "/tokenizer.json"))
    #expect(models.failure() == message)
  }

  @Test("an α beyond the ends goes on in the same direction, where that is asked for", arguments: [-0.5, 1.5])
  func beyond(alpha: Double) throws {
    let models = try Models()
    try WiseFT(base: models.base, tuned: models.tuned).write(alpha: alpha, outside: .extrapolate, to: models.result, pool: pool)
    let (base, tuned) = (try models.load(models.base), try models.load(models.tuned))
    let result = try models.load(models.result)
    #expect(
      (0..<base.count).allSatisfy {
        result.pointer[$0] == Float((1 - alpha) * Double(base.pointer[$0]) + alpha * Double(tuned.pointer[$0]))
      })
  }

  @Test("an α outside of 0…1, and weights that are not finite, are refused") func refused() throws {
    let models = try Models()
    let average = try WiseFT(base: models.base, tuned: models.tuned)
    #expect(models.failure { try average.write(alpha: 1.5, to: models.result, pool: pool) } == "alpha must lie between 0 and 1, not 1.5")
    #expect(models.failure { try average.write(alpha: .nan, to: models.result, pool: pool) } == "alpha must lie between 0 and 1, not nan")
    #expect(
      models.failure { try average.write(alpha: .infinity, outside: .extrapolate, to: models.result, pool: pool) }
        == "alpha must lie between 0 and 1, not inf")
    let broken = ParameterArena(models.configuration)
    broken.view("model.norm.weight")[2] = .nan
    try models.write(models.configuration, broken, to: models.tuned)
    #expect(
      models.failure { try WiseFT(base: models.base, tuned: models.tuned).write(alpha: 0.5, to: models.result, pool: pool) }
        == "tuned/model.safetensors: tensor 'model.norm.weight' holds nan at element 2")
  }
}

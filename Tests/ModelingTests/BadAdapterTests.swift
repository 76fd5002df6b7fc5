import Foundation
import JSONValues
import Kernels
import Modeling
import Testing

/// What is wrong with an adapter is one line that names the file at fault.
@Suite struct BadAdapterTests {
  private let pool = ThreadPool(threads: 1)

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    var change: @Sendable (inout JSONObject) -> Void = { _ in }

    init(_ name: String, _ message: String, _ change: @escaping @Sendable (inout JSONObject) -> Void) {
      (testDescription, self.message, self.change) = (name, message, change)
    }
  }

  static let faults = [
    Fault("unknown peft_type", "adapter_config.json: 'peft_type' is \"IA3\"; only \"LORA\" adapters are read") {
      $0.set("peft_type", "IA3")
    },
    Fault("no peft_type", "adapter_config.json: lacks 'peft_type'") { $0.set("peft_type", nil) },
    Fault("rank 0", "adapter_config.json: an adapter of rank 0 adapts nothing: r must be at least 1") { $0.set("r", 0) },
    Fault("rank 0 of a pattern", "adapter_config.json: an adapter of rank 0 adapts nothing: r must be at least 1") {
      $0.set("rank_pattern", ["q_proj": 0])
    },
    Fault("no rank", "adapter_config.json: lacks the integer 'r'") { $0.set("r", nil) },
    Fault(
      "modules_to_save",
      "adapter_config.json: 'modules_to_save' is [\"lm_head\"], which is not built here: an adapter is low-rank terms on linear layers"
    ) { $0.set("modules_to_save", ["lm_head"]) },
    Fault("bias", "adapter_config.json: 'bias' is \"all\", which is not built here: an adapter is low-rank terms on linear layers") {
      $0.set("bias", "all")
    },
    Fault(
      "a base that changed",
      "adapter_config.json: 'init_lora_weights' is \"pissa\", which changes the base: convert the adapter to a plain one with PEFT first"
    ) { $0.set("init_lora_weights", "pissa") },
    Fault(
      "a module that no model has",
      "adapter_config.json: target_modules: no linear layer of the model's blocks is called 'c_attn'; it has q_proj, k_proj, v_proj, o_proj, "
        + "gate_proj, up_proj, down_proj"
    ) { $0.set("target_modules", ["c_attn"]) },
    Fault("a pattern for nothing", "adapter_config.json: target_modules: 'c_.*' matches no linear layer of the model's blocks") {
      $0.set("target_modules", "c_.*")
    },
    Fault(
      "a pattern without an end",
      "adapter_config.json: '((.*)*)*!' takes more steps on 'model.layers.0.self_attn.q_proj' than a pattern may"
    ) { $0.set("rank_pattern", ["((.*)*)*!": 2]) },
    Fault("no pattern at all", "adapter_config.json: target_modules: '(' is no regular expression") { $0.set("target_modules", "(") },
    Fault("no targets", "adapter_config.json: lacks 'target_modules'") { $0.set("target_modules", nil) },
    Fault("dropout 1", "adapter_config.json: lora_dropout must be at least 0 and below 1, not 1.0") { $0.set("lora_dropout", 1) },
    Fault("a layer that the base lacks", "adapter_config.json: 'layers_to_transform' names layer 7; the base has 2") {
      $0.set("layers_to_transform", [0, 7])
    },
    Fault(
      "another rank",
      "adapter_model.safetensors: tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' is [4, 48] where the configuration "
        + "and the base ask for [8, 48]"
    ) { $0.set("r", 8) },
    Fault(
      "a module without tensors",
      "adapter_model.safetensors: lacks tensor 'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight', which the configuration "
        + "asks for"
    ) { $0.set("target_modules", ["q_proj", "k_proj", "v_proj", "down_proj"]) },
    Fault(
      "magnitudes that are not there",
      "adapter_model.safetensors: lacks tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector', which the "
        + "configuration asks for"
    ) { $0.set("use_dora", true) },
    Fault(
      "tensors that nothing asks for",
      "adapter_model.safetensors: tensor 'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight' belongs to no module that the "
        + "configuration asks for and the base has"
    ) { $0.set("target_modules", ["q_proj", "v_proj"]) },
  ]

  @Test(arguments: faults)
  func `a configuration that does not fit`(fault: Fault) throws {
    let directory = try copy()
    let path = directory.path + "/adapter_config.json"
    var members = try #require(try JSONValue(parsing: PositionedFile.contents(of: path)).objectValue)
    fault.change(&members)
    try directory.write(JSONValue.object(members).encodedBytes(), "adapter_config.json")
    #expect(try failure(directory, on: "tiny-qwen2") == fault.message)
  }

  @Test func `an adapter of another base`() throws {
    #expect(
      try failure(copy(), on: "tiny-qwen3")
        == "adapter_model.safetensors: tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' is [4, 48] where the "
        + "configuration and the base ask for [4, 40]")
  }

  @Test func `a truncated file, and one that is missing`() throws {
    let directory = try copy()
    let weights = try PositionedFile.contents(of: directory.path + "/adapter_model.safetensors")
    try directory.write(Array(weights.dropLast(100)), "adapter_model.safetensors")
    let message = try #require(try failure(directory, on: "tiny-qwen2"))
    #expect(message.hasPrefix("adapter_model.safetensors: "))
    #expect(!message.contains("\n"))
    try FileManager.default.removeItem(atPath: directory.path + "/adapter_model.safetensors")
    #expect(
      try failure(directory, on: "tiny-qwen2") == "adapter_model.safetensors: cannot be opened: No such file or directory")
  }

  @Test func `a number that is none`() throws {
    let directory = try copy()
    var weights = try PositionedFile.contents(of: directory.path + "/adapter_model.safetensors")
    weights.replaceSubrange((weights.count - 4)..., with: [0, 0, 0xC0, 0x7F])
    try directory.write(weights, "adapter_model.safetensors")
    let message = try #require(try failure(directory, on: "tiny-qwen2"))
    #expect(message.hasPrefix("adapter_model.safetensors: tensor 'base_model.model.model.layers.1."))
    #expect(message.contains("holds nan at row"))
  }

  @Test func `DoRA among several`() throws {
    let tiny = TinyModel(.llama, tied: true)
    let dora = try tiny.adapter { $0.isWeightDecomposed = true }
    let error = #expect(throws: ModelError.self) { try AdapterStack([tiny.adapter(), dora], over: tiny.arena, pool) }
    #expect(
      error?.message == "a DoRA adapter cannot be one of several: its magnitudes belong to one base; merge the earlier ones first")
  }

  private func copy() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
      try directory.write(try PositionedFile.contents(of: AdapterFixture.directory("lora") + "/" + name), name)
    }
    return directory
  }

  private func failure(_ directory: TemporaryDirectory, on base: String) throws -> String? {
    let configuration = try ModelDirectory.configuration(GoldenFixture.directory + base)
    do throws(ModelError) {
      _ = try AdapterDirectory.load(directory.path, for: configuration)
      return nil
    } catch {
      return error.description.replacingOccurrences(of: directory.path + "/", with: "")
    }
  }
}

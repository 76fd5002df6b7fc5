import JSONValues
import Kernels
import Modeling
import Testing

@Suite("Stages and adapters") struct AdapterStageTests {
  private let bench: Bench
  private let m: Materials

  init() throws {
    bench = try Bench()
    m = try Materials.get()
  }

  private func train(_ config: JSONValue, _ more: [(String, [Given])] = [], seed: Int = 42, threads: Int = 1) throws -> Outcome {
    try bench.run(
      "train/sft", ["learning_rate": 0.01, "max_steps": 3, "seed": .integer(seed), "peft_config": config],
      inputs: [("model", [m.model]), ("data", [m.tokens])] + more, threads: threads)
  }

  private func failure(_ parameters: JSONValue, _ more: [(String, [Given])] = []) -> String? {
    bench.failure("train/sft", parameters, inputs: [("model", [m.model]), ("data", [m.tokens])] + more)
  }

  // MARK: - Outputs

  @Test("with an adapter, the model is the base with the adapter merged; the base's tokenizer goes with it")
  func merged() throws {
    let outcome = try train(AdapterMaterials.config())
    let pool = ThreadPool(threads: 1)
    let base = try ModelDirectory.load(m.model.path, pool: pool)
    let adapter = try AdapterDirectory.load(outcome["adapter"].path, for: base.configuration)
    adapter.merge(into: base.arena, pool)
    let expected = withExtendedLifetime(base.arena) { Array(base.arena.buffer.elements) }
    #expect(try AdapterMaterials.weights(outcome["model"]) == expected)
    #expect(try digest(of: outcome["model"]["tokenizer.json"].path) == digest(of: m.tokenizer["tokenizer.json"].path))
    #expect(try json(of: outcome["adapter"]["adapter_config.json"])["peft_type"] == "LORA")
  }

  @Test("without one there is no output `adapter`, and threads move no byte of either")
  func outputs() throws {
    let plain = try bench.run("train/sft", ["max_steps": 1], inputs: [("model", [m.model]), ("data", [m.tokens])])
    #expect(plain.names == ["model", "log"])
    let config = AdapterMaterials.config(("lora_dropout", 0.3), ("use_dora", true))
    let one = try train(config)
    #expect(one.names == ["model", "adapter", "log"])
    #expect(try one.digests() == train(config, threads: 2).digests())
  }

  @Test("the log says which weights trained, as a formula")
  func formula() throws {
    let weights = try json(of: train(AdapterMaterials.config(("use_dora", true)))["log"])["weights"]
    #expect(weights?["formula"] == "m·(W0 + 2·B1A1)/‖W0 + 2·B1A1‖")
    #expect(weights?["terms"] == [["rank": 4, "scale": 2, "state": "trained"]])
    let tensors = try #require(weights?["tensors"]?.integerValue)
    #expect(tensors == 2 * 7 * 3)
  }

  // MARK: - Sequences

  @Test("a second adapter: on top of a merged one, on top of a frozen one, or the same one going on")
  func sequences() throws {
    let first = try train(AdapterMaterials.config())
    let given = [("adapter", [first["adapter"]])]
    let fresh = try train(AdapterMaterials.config(("lora_alpha", 2)), given)
    #expect(try json(of: fresh["log"])["weights"]?["formula"] == "W0 + 2·B1A1 + 0.5·B2A2")
    #expect(try states(fresh) == ["merged", "trained"])

    let stack = try train(AdapterMaterials.config(("lora_alpha", 2), ("sequence", "stack")), given)
    #expect(try json(of: stack["log"])["weights"]?["formula"] == "W0 + 2·B1A1 + 0.5·B2A2")
    #expect(try states(stack) == ["frozen", "trained"])
    let configuration = try ModelDirectory.configuration(m.model.path)
    let whole = try AdapterDirectory.load(stack["adapter"].path, for: configuration)
    let earlier = try AdapterDirectory.load(first["adapter"].path, for: configuration)
    #expect(whole.modules.allSatisfy { $0.rank == 8 && $0.scale == 1 })
    #expect(whole.composition == [AdapterTerm(rank: 4, scale: 2), AdapterTerm(rank: 4, scale: 0.5)])
    for (both, one) in zip(whole.modules, earlier.modules) {
      let rows = 4 * one.linear.inputs
      let isSame = withExtendedLifetime((whole, earlier)) {
        UnsafeBufferPointer(start: both.a, count: rows).elementsEqual(UnsafeBufferPointer(start: one.a, count: rows))
      }
      #expect(isSame)
    }

    // A stack of three is handed on as one adapter, and the formula keeps its terms.
    let third = try train(AdapterMaterials.config(("sequence", "stack")), [("adapter", [stack["adapter"]])])
    #expect(try json(of: third["log"])["weights"]?["formula"] == "W0 + 2·B1A1 + 0.5·B2A2 + 2·B3A3")

    let more = try train(AdapterMaterials.config(("sequence", "continue")), given)
    #expect(try json(of: more["log"])["weights"]?["formula"] == "W0 + 2·B1A1")
    #expect(try digest(of: more["adapter"].path) != digest(of: first["adapter"].path))
    #expect(try first.digests() == train(AdapterMaterials.config(("sequence", "continue"))).digests())
  }

  private func states(_ outcome: Outcome) throws -> [String] {
    try #require(json(of: outcome["log"])["weights"]?["terms"]?.arrayValue).compactMap { $0["state"]?.stringValue }
  }

  @Test("reinforcement fine-tuning gives an adapter and the merged model as well")
  func reinforcement() throws {
    var parameters = try #require(DeadKeyTests.reinforcementBase.objectValue)
    parameters.set("peft_config", AdapterMaterials.reinforcementConfig())
    let outcome = try bench.run("train/rft", .object(parameters), inputs: [("model", [m.model]), ("prompts", [m.records])])
    #expect(outcome.names == ["model", "adapter", "log"])
    #expect(try json(of: outcome["log"])["weights"]?["formula"] == "W0 + 2·B1A1")
    #expect(try AdapterMaterials.weights(outcome["model"]) != AdapterMaterials.weights(m.model))
  }

  // MARK: - Answers

  @Test("a model under its adapter answers as the merged one does")
  func answers() throws {
    let outcome = try train(AdapterMaterials.config(("use_dora", true)))
    let apart = try bench.run(
      "evaluate", inputs: [("model", [m.model]), ("adapter", [outcome["adapter"]]), ("suite", [m.measured])])
    let merged = try bench.run("evaluate", inputs: [("model", [outcome["model"]]), ("suite", [m.measured])])
    let plain = try bench.run("evaluate", inputs: [("model", [m.model]), ("suite", [m.measured])])
    func value(_ outcome: Outcome) throws -> Double {
      let metrics = try #require(json(of: outcome["scores"])["metrics"]?.objectValue)
      return try #require(metrics.members.first?.value["value"]?.numberValue)
    }
    #expect(abs(try value(apart) - value(merged)) < 1e-4 * abs(try value(merged)))
    #expect(abs(try value(apart) - value(plain)) > 1e-3 * abs(try value(plain)))

    // The answers belong to model and adapter together.
    let inputs = [("answers", [apart["answers"]]), ("suite", [m.measured])]
    _ = try bench.run("score", inputs: inputs + [("model", [m.model]), ("adapter", [outcome["adapter"]])])
    let refused = bench.failure("score", inputs: inputs + [("model", [m.model])])
    #expect(refused?.contains("holds the answers of another model") == true)
  }

  @Test("rollouts under an adapter are those of the merged model, to rounding")
  func rollouts() throws {
    let outcome = try train(AdapterMaterials.config())
    let parameters: JSONValue = ["limit": 3, "num_generations": 1, "max_completion_length": 6, "temperature": 0]
    let apart = try bench.run(
      "rollout", parameters, inputs: [("model", [m.model]), ("adapter", [outcome["adapter"]]), ("prompts", [m.records])])
    let merged = try bench.run("rollout", parameters, inputs: [("model", [outcome["model"]]), ("prompts", [m.records])])
    #expect(try rows(of: apart["rollouts"]).count == 3)
    let texts = try [apart, merged].map { try rows(of: $0["rollouts"]).map { $0["completions"]?[0]?["text"] } }
    #expect(texts[0] == texts[1])
  }

  // MARK: - Parts of the model

  @Test("what is frozen keeps its bytes")
  func frozen() throws {
    let outcome = try bench.run(
      "train/sft",
      ["learning_rate": 0.01, "max_steps": 2, "train_blocks": 1, "trains": [#"model\.norm\.weight"#], "freezes": [#".*\.mlp\..*"#]],
      inputs: [("model", [m.model]), ("data", [m.tokens])])
    let pool = ThreadPool(threads: 1)
    let (before, after) = (try ModelDirectory.load(m.model.path, pool: pool), try ModelDirectory.load(outcome["model"].path, pool: pool))
    for entry in before.arena.layout.entries {
      let trains = entry.name == "model.norm.weight" || entry.name.hasPrefix("model.layers.1.") && !entry.name.contains("mlp")
      let values = UnsafeBufferPointer(start: after.arena.view(entry.name), count: entry.count)
      let isSame = withExtendedLifetime((before, after)) {
        values.elementsEqual(UnsafeBufferPointer(start: before.arena.view(entry.name), count: entry.count))
      }
      #expect(isSame == !trains, "\(entry.name)")
    }
    #expect(try json(of: outcome["log"])["weights"]?["tensors"] == 7)
  }

  // MARK: - Mistakes

  @Test("what does not go together is one clear line")
  func mistakes() throws {
    let first = try train(AdapterMaterials.config())
    let given = [("adapter", [first["adapter"]])]
    let config = AdapterMaterials.config()
    expect(failure(["train_blocks": 3]), is: "train_blocks is 3; the model has 2 blocks")
    expect(
      failure(["trains": ["norm"]]),
      is: "trains: 'norm' matches the whole name of no tensor, such as 'model.layers.0.input_layernorm.weight'")
    expect(failure(["freezes": ["("]]), is: "freezes: '(' is no regular expression")
    expect(failure(["freezes": [".*"]]), is: "nothing trains: freezes takes all that train_blocks and trains leave")
    expect(
      failure(["peft_config": config, "train_blocks": 1]),
      is: "peft_config trains an adapter and nothing else: train_blocks, trains and freezes have no place beside it")
    expect(failure([:], given), is: "input 'adapter' is given, and there is no peft_config: nothing trains an adapter")
    expect(
      failure(["peft_config": AdapterMaterials.config(("target_modules", ["lm_head"]))]),
      is: "target_modules: no linear layer of the model's blocks is called 'lm_head'; it has q_proj, k_proj, v_proj, o_proj, gate_proj, "
        + "up_proj, down_proj")
    expect(
      failure(["peft_config": AdapterMaterials.config(("use_dora", true), ("sequence", "stack"))], given),
      is: "a DoRA adapter cannot be one of several: its magnitudes belong to one base; merge the earlier ones first")
    let message = failure(["peft_config": AdapterMaterials.config(("r", 2), ("sequence", "continue"))], given)
    #expect(message?.hasSuffix("adapter: goes on training, and its r (4) is not peft_config's (2)") == true)
    let wider = try bench.run("model/init", Materials.dimensions.with("hidden_size", 32), inputs: [("tokenizer", [m.tokenizer])])["model"]
    let misfit = bench.failure("evaluate", inputs: [("model", [wider]), ("adapter", [first["adapter"]]), ("suite", [m.written])])
    let tensor = "tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' is [4, 16]"
    #expect(misfit?.contains("adapter_model.safetensors: " + tensor) == true)
  }
}

extension JSONValue {
  /// An object with one member changed.
  fileprivate func with(_ key: String, _ value: JSONValue) -> JSONValue {
    var members = objectValue ?? JSONObject()
    members.set(key, value)
    return .object(members)
  }
}

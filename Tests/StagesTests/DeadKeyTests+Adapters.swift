import JSONValues
import Testing

/// The rows of what trains, and of each field of `peft_config`.
extension DeadKeyTests {
  static let adapters: [Probe] = ["train/sft", "train/rft"].flatMap { stage -> [Probe] in
    let config = stage == "train/sft" ? AdapterMaterials.config() : AdapterMaterials.reinforcementConfig()
    return [
      Probe(stage, "train_blocks", nil, 1), Probe(stage, "trains", [], [#".*\.mlp\..*"#]), Probe(stage, "freezes", [], [#".*norm.*"#]),
      Probe(stage, "peft_config", nil, config),
      Probe(stage, "o_lora_lambda", 0, 0.1, ["peft_config": config]),
    ]
  }

  @Test(
    "two values of a field of peft_config give other outputs",
    arguments: [
      ("r", 2), ("lora_alpha", 3), ("lora_dropout", 0.4), ("target_modules", ["q_proj"]), ("use_rslora", true), ("use_dora", true),
      ("sequence", "stack"), ("sequence", "continue"),
    ] as [(String, JSONValue)])
  func adapterField(name: String, value: JSONValue) throws {
    let m = try Materials.get()
    let bench = try Bench()
    let digests = try [AdapterMaterials.config(), AdapterMaterials.config((name, value))].map { config in
      try bench.run(
        "train/sft", ["learning_rate": 0.01, "max_steps": 2, "peft_config": config],
        inputs: [("model", [m.model]), ("data", [m.tokens])] + (name == "sequence" ? [("adapter", [AdapterMaterials.trained.get()])] : [])
      )
      .digests()
    }
    #expect(digests[0] != digests[1])
  }
}

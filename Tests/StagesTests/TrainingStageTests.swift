import JSONValues
import Testing

@Suite("train/sft") struct TrainingStageTests {
  @Test("one and two threads give the same model and the same log")
  func threads() throws {
    let materials = try Materials.get()
    let bench = try Bench()
    let inputs = [("model", [materials.model]), ("data", [materials.tokens])]
    let parameters: JSONValue = ["learning_rate": 0.005, "max_steps": 8, "gradient_accumulation_steps": 2, "weight_decay": 0.1]
    let one = try bench.run("train/sft", parameters, inputs: inputs, threads: 1)
    #expect(try one.digests() == bench.run("train/sft", parameters, inputs: inputs, threads: 2).digests())
    #expect(try digest(of: one["model"]["tokenizer.json"].path) == digest(of: materials.tokenizer["tokenizer.json"].path))
  }

  @Test("the loss falls, and the log has TRL's columns, one value a step")
  func log() throws {
    let materials = try Materials.get()
    let outcome = try Bench().run(
      "train/sft", ["learning_rate": 0.01, "max_steps": 60, "lr_scheduler_type": "constant", "per_device_train_batch_size": 16],
      inputs: [("model", [materials.model]), ("data", [materials.tokens])])
    let log = try json(of: outcome["log"])
    #expect(
      log.objectValue?.keys == [
        "step", "loss", "entropy", "mean_token_accuracy", "num_tokens", "learning_rate", "grad_norm", "epoch",
      ])
    #expect(log["step"]?.arrayValue == (1...60).map { .integer($0) })
    let losses = try numbers(log["loss"])
    #expect(losses.count == 60 && losses.suffix(5).reduce(0, +) < 0.7 * losses.prefix(5).reduce(0, +))
    #expect(log["learning_rate"]?.arrayValue.map { Set($0) } == [0.01])
  }

  @Test("an optimizer's state is given where asked for, and is carried over", arguments: ["train/sft", "train/rft"])
  func optimizer(stage: String) throws {
    let m = try Materials.get()
    let bench = try Bench()
    let isSFT = stage == "train/sft"
    var parameters = try #require((isSFT ? ["learning_rate": 0.01, "max_steps": 2] : DeadKeyTests.reinforcementBase).objectValue)
    parameters.set("save_optimizer", true)
    let inputs = [("model", [m.model]), isSFT ? ("data", [m.tokens]) : ("prompts", [m.records])]
    let first = try bench.run(stage, .object(parameters), inputs: inputs)
    #expect(first.names.contains("optimizer"))
    let carried = try bench.run(stage, .object(parameters), inputs: inputs + [("optimizer", [first["optimizer"]])])
    #expect(try digest(of: carried["model"].path) != digest(of: first["model"].path))
    expect(
      bench.failure(stage, .object(parameters), inputs: inputs + [("optimizer", [m.model["model.safetensors"]])]),
      is: m.model["model.safetensors"].path + ": is no optimizer's state: its metadata has no 'step'")
  }

  @Test("data given as two inputs are joined")
  func joined() throws {
    let materials = try Materials.get()
    let log = try json(
      of: Bench().run(
        "train/sft", ["learning_rate": 0.001, "per_device_train_batch_size": 16],
        inputs: [("model", [materials.model]), ("data", [materials.tokens, materials.tokens])])["log"])
    #expect(log["step"]?.arrayValue?.count == 6)
    #expect(log["epoch"]?.arrayValue?.last == 1)
  }
}

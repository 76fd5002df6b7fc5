import JSONValues
import Testing

@Suite("Merging stages") struct MergingStageTests {
  @Test("a parameter of one value a model says how many there are")
  func counts() throws {
    let bench = try Bench()
    let inputs = MergingMaterials.inputs("average/ties", "")
    expect(
      bench.failure("average/ties", ["density": [0.1, 0.2, 0.3]], inputs: inputs),
      is: "parameter density: 3 values for 2 models; give one for each, or one for all")
    expect(
      bench.failure("average/linear", ["weight": [1, -1]], inputs: MergingMaterials.inputs("average/linear", "")),
      is: "parameter weight: the weights add up to 0; a mean needs another sum, or normalize: false")
    expect(
      bench.failure("average/linear", ["max_shard_size": "5 apples"], inputs: MergingMaterials.inputs("average/linear", "")),
      is: "parameter max_shard_size: '5 apples' is no size; write 5GB, 500MB, 2GiB or none")
    expect(
      bench.failure("merge/lora", ["alpha": -0.1], inputs: MergingMaterials.inputs("merge/lora", "")),
      is: "alpha must lie between 0 and 1, not -0.1")
  }

  @Test("models of different shapes are refused with both figures")
  func shapes() throws {
    let bench = try Bench()
    let (m, own) = (try Materials.get(), try MergingMaterials.get())
    let message = bench.failure("average/linear", inputs: [("models", [m.model, own.narrow])])
    #expect(message?.hasSuffix("/out/model: has hidden_size 8, model 1 16") == true, "\(message ?? "")")
    let adapted = bench.failure("merge/lora", inputs: [("base", [own.narrow]), ("adapters", [own.adapter])])
    #expect(adapted?.contains("is [2, 16] where the configuration and the base ask for [2, 8]") == true, "\(adapted ?? "")")
  }

  @Test("a mean of a model with itself is the model, whatever the shards")
  func same() throws {
    let bench = try Bench()
    let m = try Materials.get()
    let mean = try bench.run("average/linear", inputs: [("models", [m.model, m.model, m.model])])["model"]
    #expect(try digest(of: mean.path) == digest(of: m.model.path))
    let sharded = try bench.run("average/linear", ["max_shard_size": "3KB"], inputs: [("models", [m.model])])["model"]
    let whole = try bench.run("average/linear", ["max_shard_size": "none"], inputs: [("models", [sharded])])["model"]
    #expect(try digest(of: whole.path) == digest(of: m.model.path))
  }

  @Test("merge/lora says what the weights have become")
  func formula() throws {
    let bench = try Bench()
    let outcome = try bench.run("merge/lora", ["weight": [1, 0.5]], inputs: MergingMaterials.inputs("merge/lora", ""))
    let report = try json(of: outcome["report"])
    #expect(report["formula"] == "W = W0 + 4·B1·A1 + 1.3333333730697632·B2·A2")
    #expect(try #require(report["largest_change"]?["value"]?.numberValue) > 0)
    #expect(report["vanished"] == 0)
  }

  @Test("merge/lora compares the logits of what it wrote, unless told not to")
  func logits() throws {
    let bench = try Bench()
    let inputs = MergingMaterials.inputs("merge/lora", "")
    let logits = try json(of: bench.run("merge/lora", ["alpha": 0.5], inputs: inputs)["report"])["logits"]
    #expect(logits?["rows"] == 64)
    #expect(try #require(logits?["largest_difference"]?.numberValue) < 1e-4)
    #expect(logits?["equal_argmax"] == 1)
    let narrower = try json(of: bench.run("merge/lora", ["out_dtype": "bfloat16"], inputs: inputs)["report"])["logits"]
    #expect(try #require(narrower?["largest_difference"]?.numberValue) > 1e-4)
    let skipped = try json(of: bench.run("merge/lora", ["check_logits": "never"], inputs: inputs)["report"])["logits"]
    #expect(skipped == ["skipped": "check_logits is never"])
  }

  @Test(
    "bytes do not depend on the number of threads",
    arguments: ["average/ties", "average/dare", "merge/lora", "score/tokens", "score/drift"])
  func threads(stage: String) throws {
    let bench = try Bench()
    let digests = try [1, 3].map {
      try bench.run(
        stage, MergingMaterials.parameters[stage] ?? [:], inputs: MergingMaterials.inputs(stage, ""), threads: $0
      ).digests()
    }
    #expect(digests[0] == digests[1])
  }
}

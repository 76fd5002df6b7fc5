import JSONValues
import Planning
import Testing

/// Versions are not left to memory: bytes that change under the same version would be taken from stores that hold the old ones.
///
/// Where a change of the bytes is meant, raise `version` in the stage's contract and record the digest that the failure shows.
@Suite("Bytes and versions") struct VersionTests {
  @Test("a stage of this version gives these bytes", arguments: Bench.contracts.map(\.name))
  func bytes(stage: String) throws {
    let recorded = Self.recorded[stage] ?? "nothing"
    let outcome = try Self.outcome(stage)
    let digest = try outcome.digests().sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.prefix(16))" }.joined(separator: ", ")
    let found = "\(try Bench.contract(stage).version): \(digest)"
    #expect(found == recorded)
  }

  static let recorded = [
    "average/dare": "1: model 04cfd111248cb9bc",
    "average/linear": "1: model 5c1e686c336fe039",
    "average/slerp": "1: model 7eb74dc2bdbaff88",
    "average/task-arithmetic": "1: model e25be8e4d302d30e",
    "average/ties": "1: model 05bf07fc5b088b45",
    "average/wise-ft": "1: model 4df41f2e7934e16f",
    "data/import": "1: heldout ab240ad0a828dd1a, train 394d02b89da6143c",
    "data/tasks": "1: heldout 691865815a2bf7db, train 30472eb02f433c9b",
    "data/inspect": "1: report 6b7df9964aa15b8e, table dd1cc00223ad89fa",
    "data/mix": "1: counts 32eda50fc84138e6, mixed 78d356cd9ff66ed0",
    "data/rewrite": "1: report ab66f046ca26c4f0, rewritten 1e0bf3ed892f7431, samples b6e6257dc099303d",
    "evaluate": "1: answers d3fd18b2b4654df7, samples fb5dcd62f7a198d3, scores df853bce6bcfdde3",
    "filter/accepted": "1: accepted a119be6bf270c890, report dd7bc52e1f779560",
    "filter/rif":
      "1: kept ecb980b362552f32, kept_rollouts 96641246d0fde246, pass_rates 2085b99b81e0b7ef, report 771dc748c6034ae7, summary 613472c5d95a2b8a",
    "gate": "1: report a6334ec6da74e97b, verdict 6ea1b8fca475c131",
    "merge/lora": "1: model ea39cba73cbedfbd, report e88cc1cdc61b5884",
    "model/import": "1: model 8c92ba53e3ef9e4c, tokenizer 2f195b1ba36a0a5b",
    "model/init": "1: model 630be86eb5451fb1",
    "model/promote": "1: model f029910527f7d59b",
    "report/forgetting": "1: report 0c948b3e8bb24cc7, table 25f51f2b3f88027a",
    "report/pareto": "1: report 1b2de94874f29040, table 2902dcaba91bf54c",
    "report/scores": "2: report 487d0526e1101acc, table 5f4c2f4ed76357bc",
    "rollout": "2: rollouts d63fd95755554a65, statistics 0091136d5ba11043",
    "score": "1: samples 32f31cb3e2426478, scores df853bce6bcfdde3",
    "score/fisher": "1: fisher 34f118fe14f3c0a1",
    "score/loss": "1: weights 2de8105c50276463",
    "score/drift": "1: report c91d5d8982453d2f",
    "score/tokens": "1: report 9927d384abc6b243, tokens 9af92428ce1c608c",
    "tokenize": "1: tokens 721c938e5f851954",
    "tokenizer/train": "1: tokenizer c7a5dd4c40c2ad9c",
    "train/rft": "1: log 3d051ee01c5e9fc8, model d2d48cea2ad10c35",
    "train/sft": "1: log 79581ce699d90a2a, model 7ac303e7f5e86a35",
  ]

  private static func outcome(_ stage: String) throws -> Outcome {
    let m = try Materials.get()
    let bench = try Bench()
    switch stage {
    case let stage where DataMaterials.stages.contains(stage):
      return try bench.run(stage, DeadKeyTests.dataBase(stage), inputs: DataMaterials.probe(stage, ""))
    case "average/wise-ft": return try bench.run(stage, ["alpha": 0.25], inputs: [("base", [m.model]), ("tuned", [m.tuned])])
    case "data/import": return try bench.run(stage, ["heldout": 2], inputs: [("source", [m.rows])])
    case "data/tasks": return try bench.run(stage, ["task": "sort", "train": 16, "heldout": 8, "difficulty": 5, "seed": 9])
    case "evaluate":
      return try bench.run(stage, ["temperature": 0.7, "top_p": 0.9], inputs: [("model", [m.model]), ("suite", [m.written])])
    case "filter/accepted", "filter/rif": return try bench.run(stage, ["seed": 4], inputs: RewardMaterials.probe(stage, ""))
    case "score": return try bench.run(stage, ["scorer": ["rule": "numeric"]], inputs: RewardMaterials.probe(stage, ""))
    case "model/import": return try bench.run(stage, inputs: [("source", [try bench.checkpoint("tiny-qwen2")])])
    case "model/init": return try bench.run(stage, Materials.dimensions, inputs: [("tokenizer", [m.tokenizer])])
    case "report/forgetting": return try bench.run(stage, inputs: ForgettingMaterials.probe(""))
    case "report/scores": return try bench.run(stage, inputs: [("base", m.baseScores), ("models", m.otherScores)])
    case "rollout":
      return try bench.run(stage, DeadKeyTests.rolloutBase, inputs: [("model", [m.model]), ("prompts", [m.records])])
    case "train/rft":
      return try bench.run(stage, DeadKeyTests.reinforcementBase, inputs: [("model", [m.model]), ("prompts", [m.records])])
    case "score/fisher": return try bench.run(stage, ["samples": 9], inputs: [("model", [m.model]), ("data", [m.tokens])])
    case "score/loss": return try bench.run(stage, inputs: [("model", [m.model]), ("data", [m.tokens])])
    case "tokenize": return try bench.run(stage, inputs: [("data", [m.records]), ("tokenizer", [m.tokenizer])])
    case "tokenizer/train": return try bench.run(stage, ["vocab_size": 290], inputs: [("data", [m.records, m.written])])
    case "train/sft":
      return try bench.run(
        "train/sft", ["learning_rate": 0.01, "max_steps": 5, "weight_decay": 0.1], inputs: [("model", [m.model]), ("data", [m.tokens])])
    default: return try bench.run(stage, MergingMaterials.parameters[stage] ?? [:], inputs: MergingMaterials.inputs(stage, ""))
    }
  }
}

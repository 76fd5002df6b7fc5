import JSONValues

/// The rows of the stages that merge models, and of those that compare them.
extension DeadKeyTests {
  static let merging: [Probe] =
    averages + [
      Probe("merge/lora", "alpha", 0.5, 1), Probe("merge/lora", "outside", "error", "extrapolate", ["alpha": 1.5]),
      Probe("merge/lora", "weight", [1], [1, 2]), Probe("merge/lora", "compat", "none", "peft-safe"),
      Probe("merge/lora", "check_logits", "auto", "never"),
      Probe("merge/lora", "out_dtype", nil, "bfloat16"), Probe("merge/lora", "max_shard_size", "5GB", "4KB"),

      Probe("score/tokens", "threshold", 0.001, 0.5), Probe("score/tokens", "bins", 20, 10),
      Probe("score/tokens", "hardest", 50, 1), Probe("score/tokens", "limit", nil, 2),

      Probe("score/drift", "positions", "targets", "all"), Probe("score/drift", "limit", nil, 2),
    ]

  private static let averages: [Probe] =
    stored("average/linear") + stored("average/slerp") + vectors("average/task-arithmetic") + vectors("average/ties")
    + vectors("average/dare") + [
      Probe("average/wise-ft", "alpha", 0.25, 0.75), Probe("average/wise-ft", "outside", "error", "extrapolate", ["alpha": 1.5]),
      Probe("average/wise-ft", "max_shard_size", "5GB", "4KB"),

      Probe("average/linear", "weight", [1], [1, 2]), Probe("average/linear", "normalize", true, false),

      Probe("average/slerp", "t", 0.25, 0.75),

      Probe("average/ties", "density", [0.5], [0.5, 0.2]),

      Probe("average/dare", "density", [0.5], [0.5, 0.2]), Probe("average/dare", "variant", "linear", "ties"),
      Probe("average/dare", "rescale", "density", "l1"), Probe("average/dare", "seed", 0, 1),
    ]

  private static func stored(_ stage: String) -> [Probe] {
    [Probe(stage, "out_dtype", nil, "float16"), Probe(stage, "max_shard_size", "5GB", "4KB")]
  }

  private static func vectors(_ stage: String) -> [Probe] {
    stored(stage) + [
      Probe(stage, "weight", [1], [1, 2]), Probe(stage, "lambda", 1, 0.5), Probe(stage, "normalize", true, false),
    ]
  }
}

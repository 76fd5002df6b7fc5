import JSONValues

/// The rows of `rollout` and `train/rft`. The model is not trained, so its completions are chance: rewarded is how few tokens repeat, and a
/// completion ends where it says an `a` or an `e`.
extension DeadKeyTests {
  static let variety: JSONValue = [["name": "variety", "kind": "repetition", "ngram_size": 1, "weight": 1]]
  static let briefness: JSONValue = [["name": "variety", "kind": "length", "max_length": 4, "weight": 1]]

  static let rolloutBase: JSONValue = [
    "limit": 6, "num_generations": 3, "max_completion_length": 8, "stop": ["a", "e"], "rewards": variety,
  ]
  static let reinforcementBase: JSONValue = [
    "learning_rate": 0.01, "max_steps": 2, "rollout_batch_size": 4, "num_generations": 4, "max_completion_length": 8, "stop": ["a", "e"],
    "rewards": variety,
  ]

  static let reinforcement: [Probe] =
    asked("rollout") + asked("train/rft") + [
      Probe("rollout", "greedy", false, true), Probe("rollout", "limit", 3, 4),

      Probe("train/rft", "algorithm", "grpo", "rloo"), Probe("train/rft", "learning_rate", 0.01, 0.02),
      Probe("train/rft", "lr_scheduler_type", "linear", "constant"), Probe("train/rft", "warmup_steps", 0, 2),
      Probe("train/rft", "warmup_ratio", 0, 0.5), Probe("train/rft", "num_train_epochs", 0.1, 0.2, ["max_steps": -1]),
      Probe("train/rft", "max_steps", 2, 3), Probe("train/rft", "rollout_batch_size", 3, 4),
      Probe("train/rft", "global_batch_size", nil, 2), Probe("train/rft", "num_iterations", 1, 2),
      Probe("train/rft", "per_device_train_batch_size", 1, 4),

      Probe("train/rft", "loss_type", "dapo", "grpo"), Probe("train/rft", "scale_rewards", "group", "none"),
      Probe("train/rft", "advantage_delta", 1e-4, 0.5), Probe("train/rft", "epsilon", 0.2, 0.01, ["num_iterations": 3]),
      Probe("train/rft", "epsilon_high", nil, 0.01, ["num_iterations": 3]), Probe("train/rft", "delta", nil, 1.001, ["num_iterations": 3]),
      Probe("train/rft", "importance_sampling_level", "token", "sequence", ["num_iterations": 3]),
      Probe("train/rft", "mask_truncated_completions", false, true),
      Probe(
        "train/rft", "drop_zero_variance", false, true, ["num_generations": 2, "max_completion_length": 2, "beta": 0.1, "max_steps": 4]),

      Probe("train/rft", "beta", 0, 0.1), Probe("train/rft", "kl_estimator", "k1", "k3", ["beta": 0.1]),
      Probe("train/rft", "kl_placement", "loss", "reward", ["beta": 0.1]),
      Probe("train/rft", "kl_reference", "previous", "moving_average", ["beta": 0.1, "ref_model_sync_steps": 1, "max_steps": 3]),
      Probe("train/rft", "kl_clip", 20, 1e-4, ["beta": 0.1, "max_steps": 4]),
      Probe("train/rft", "kl_value_clip", nil, 1e-6, ["beta": 0.1, "max_steps": 4]),
      Probe("train/rft", "kl_target", nil, 5, ["beta": 0.1, "kl_horizon": 20, "max_steps": 3]),
      Probe("train/rft", "kl_horizon", 20, 40, ["beta": 0.1, "kl_target": 5, "max_steps": 3]),
      Probe("train/rft", "ref_model_mixup_alpha", 0.5, 1, moving), Probe("train/rft", "ref_model_sync_steps", 1, 2, moving),

      Probe("train/rft", "max_grad_norm", 1, 0.1), Probe("train/rft", "weight_decay", 0, 0.1), Probe("train/rft", "adam_beta1", 0.9, 0.8),
      Probe("train/rft", "adam_beta2", 0.999, 0.9), Probe("train/rft", "adam_epsilon", 1e-8, 1e-3),
      Probe("train/rft", "data_seed", nil, 5), Probe("train/rft", "save_steps", 1, 20),
    ]

  private static let letters = JSONValue.array("abcdefghijklmnopqrstuvwxyz".map { .string(String($0)) })

  private static let moving: JSONValue = ["beta": 0.1, "kl_reference": "moving_average", "ref_model_sync_steps": 1, "max_steps": 3]

  /// What all that sample ask for: prompts, sampling and rewards.
  static func asked(_ stage: String, template: String = "{prompt}") -> [Probe] {
    [
      Probe(stage, "format", "auto", "chat"), Probe(stage, "system", nil, "Be brief.", ["format": "chat"]),
      Probe(stage, "template", .string(template), .string("now " + template)), Probe(stage, "delimiter", "", "\n"),
      Probe(stage, "add_bos", false, true),
      Probe(stage, "num_generations", 3, 4), Probe(stage, "temperature", 1, 0.7), Probe(stage, "top_p", 1, 0.5),
      Probe(stage, "top_k", 0, 3), Probe(stage, "min_p", 0, 0.3), Probe(stage, "max_completion_length", 6, 8),
      Probe(stage, "min_completion_length", 0, 8), Probe(stage, "stop", [], letters), Probe(stage, "rewards", variety, briefness),
      Probe(stage, "seed", 0, 1), Probe(stage, "max_num_seqs", 2, 64),
    ]
  }
}

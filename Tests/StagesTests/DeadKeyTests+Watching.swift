import JSONValues

/// The rows of evaluations inside training, and of the optimizer's state, which `train/sft` and `train/rft` share. What they watch is likelihood where the row is of how a
/// suite is asked, for a model this small answers nothing right.
extension DeadKeyTests {
  static let watching: [Probe] = watched("train/sft") + watched("train/rft")

  private static func watched(_ stage: String) -> [Probe] {
    let steep: JSONValue = ["eval_steps": 1, "learning_rate": 0.1, "lr_scheduler_type": "constant", "max_steps": 4]
    return [
      Probe(stage, "eval_steps", 1, 2), Probe(stage, "early_stopping_patience", 1, 4, steep),
      Probe(stage, "early_stopping_threshold", 0, 100, steep), Probe(stage, "eval_limit", nil, 5, ["eval_steps": 1]),
      Probe(stage, "eval_format", "auto", "chat", ["eval_steps": 1]),
      Probe(stage, "eval_system", nil, "Be brief.", ["eval_steps": 1, "eval_format": "chat"]),
      Probe(stage, "eval_template", nil, "{prompt} or", ["eval_steps": 1]),
      Probe(stage, "per_device_eval_batch_size", 1, 32, ["eval_steps": 1]), Probe(stage, "save_optimizer", false, true),
    ]
  }

  /// The suites that a row of these needs.
  static func watchedSuites(_ parameter: String, _ m: Materials) -> [(String, [Given])] {
    switch parameter {
    case "eval_steps", "early_stopping_patience", "early_stopping_threshold", "eval_limit": [("retention", [m.measured])]
    case "eval_format", "eval_system", "eval_template", "per_device_eval_batch_size": [("target", [m.chosen])]
    default: []
    }
  }
}

import JSONValues

/// The rows of mixing, inspecting, rewriting, gates and Pareto reports. The model is not trained: its answers are chance and end at an `a` or
/// an `e`, so bounds are set where chance crosses them.
extension DeadKeyTests {
  static func dataBase(_ stage: String) -> JSONValue {
    switch stage {
    case "data/mix": ["replay_ratio": 0.15]
    case "data/inspect":
      ["limit": 12, "max_completion_length": 8, "stop": ["a", "e"], "sure_above": 0.0001, "unlikely_below": 0.9999]
    case "data/rewrite": ["template": "{prompt} {completion} ", "max_completion_length": 8, "stop": ["a", "e"]]
    case "gate": ["bounds": [["metric": "general", "max_drop": 5]], "on_failure": "report"]
    default: [:]
    }
  }

  static let data: [Probe] =
    [
      Probe("data/mix", "strategy", "replay", "concatenate"), Probe("data/mix", "replay_ratio", 0.05, 0.1),
      Probe("data/mix", "ratios", nil, [3, 1, 1], ["strategy": "interleave"]), Probe("data/mix", "ratio_of", "result", "first"),
      Probe("data/mix", "replay_by", "source", "record"), Probe("data/mix", "total", nil, 6, ["strategy": "interleave"]),
      Probe("data/mix", "replacement", false, true), Probe("data/mix", "when_short", "error", "take_all", ["replay_ratio": 0.5]),
      Probe("data/mix", "source_column", nil, "source"), Probe("data/mix", "seed", 0, 1),

      Probe("data/inspect", "title", "Data", "Records"), Probe("data/inspect", "threshold", 0.8, 0.5),
      Probe("data/inspect", "shingle", "word", "character"), Probe("data/inspect", "shingle_size", 5, 3),
      Probe("data/inspect", "num_perm", 128, 64), Probe("data/inspect", "examples", 5, 1),
      Probe("data/inspect", "sure_above", 0.0001, 0.9), Probe("data/inspect", "unlikely_below", 0.9999, 0.00001),
      Probe("data/inspect", "scorer", nil, ["rule": "choice"]), Probe("data/inspect", "limit", nil, 5),
      Probe("data/inspect", "format", "auto", "chat"), Probe("data/inspect", "system", nil, "Be brief.", ["format": "chat"]),
      Probe("data/inspect", "template", "{prompt}", "now {prompt}"), Probe("data/inspect", "delimiter", "", "\n"),
      Probe("data/inspect", "add_bos", false, true), Probe("data/inspect", "max_completion_length", 1, 8),
      Probe("data/inspect", "stop", [], ["a", "e"]), Probe("data/inspect", "max_num_seqs", 2, 64),

      Probe("gate", "bounds", [["metric": "general", "max_drop": 5]], [["metric": "copy", "max_drop": 5]]),
      Probe("gate", "on_failure", "fail", "report"), Probe("gate", "title", "Gate", "Bounds"), Probe("gate", "suite_axis", "suite", "task"),
      Probe("gate", "confidence", 0.95, 0.5), Probe("gate", "resamples", 200, 300), Probe("gate", "seed", 0, 1, ["resamples": 100]),

      Probe("report/pareto", "title", "One", "Other"), Probe("report/pareto", "suite_axis", "suite", "kind"),
      Probe("report/pareto", "seed_axis", "seed", "run"), Probe("report/pareto", "reference_method", nil, "flow"),
      Probe("report/pareto", "confidence", 0.95, 0.5), Probe("report/pareto", "resamples", 200, 300),
      Probe("report/pareto", "seed", 0, 1, ["resamples": 100]),
    ] + rewriting

  private static let rewriting: [Probe] =
    asked("data/rewrite", template: "{prompt} {completion} ").filter { $0.parameter != "rewards" } + [
      Probe("data/rewrite", "scorer", nil, ["rule": "choice"]),
      Probe("data/rewrite", "when_wrong", "original", "drop", ["unjudged": "rewrite"]),
      Probe("data/rewrite", "unjudged", "original", "rewrite"),
    ]
}

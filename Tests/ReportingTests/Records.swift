import JSONValues

/// Records as the shipped stages write them, small.
enum Records {
  static func scores(_ suite: String, _ right: [Int], stderr: Double = 0.25) -> JSONValue {
    let share = Double(right.reduce(0, +)) / Double(right.count)
    return [
      "suite": .string(suite), "kind": "generation", "metric": "exact_match", "higher_is_better": true, "n": .integer(right.count),
      "metrics": ["exact_match": ["value": .number(share), "stderr": .number(stderr)]], "best_constant": ["answer": "x", "score": 0.125],
      "complete": 1, "records": "00", "per_record": ["exact_match": .array(right.map { .integer($0) })],
    ]
  }

  /// `samples` lines: prompt, completion, target.
  static func samples(_ rows: [(String, String, String)]) -> String {
    rows.enumerated().map { id, row in
      JSONValue.object(
        JSONObject([
          ("doc_id", .integer(id)), ("prompt", .string(row.0)), ("completion", .string(row.1)), ("complete", true),
          ("extracted", .string(row.1)), ("target", .string(row.2)), ("exact_match", .integer(row.1 == row.2 ? 1 : 0)),
        ])
      ).encoded() + "\n"
    }.joined()
  }

  static func log(_ steps: Int, _ value: (Int) -> Double = { 1 / Double($0) }) -> JSONValue {
    let range = 1...steps
    return [
      "step": .array(range.map { .integer($0) }), "loss": .array(range.map { .number(value($0)) }),
      "learning_rate": .array(range.map { _ in 0.00125 }), "kl": .array(range.map { $0 == 1 ? .null : .number(0.5) }),
    ]
  }

  static func change(_ difference: Double, _ verdict: String) -> JSONValue {
    [
      "difference": .number(difference), "low": .number(difference - 4.5), "high": .number(difference + 4.5), "comparisons": 1,
      "p_value": 0.01, "outside_noise": .bool(abs(difference) > 4.5), "verdict": .string(verdict), "fell": [0, 2], "rose": [1],
    ]
  }

  /// One method on two tasks, one seed: learned the second, and forgot some of the first.
  static func forgetting(method: String = "sft", tasks: [String] = ["copy", "swap"]) -> JSONValue {
    func summary(_ mean: Double) -> JSONValue { ["mean": .number(mean), "sd": nil, "seeds": 1] }
    let cells = [[50.0, 0.0], [93.75, 12.5], [37.5, 87.5]]
    let metrics: JSONValue = ["avg_acc": 62.5, "gain": 59.375, "fm": -28.125, "bwt": -56.25, "fwt": 12.5]
    let suite: JSONValue = [
      "suite": "facts", "metric": "exact_match", "higher_is_better": true, "base": 80, "after": [75, 68.75], "points": -11.25,
      "percent": -14.0625, "verdict": "forgetting", "severity": "severe", "from_base": change(-11.25, "forgetting"),
    ]
    let general: JSONValue = [
      "mean_points": -11.25, "worst": "facts", "worst_points": -11.25, "severity": "severe", "low": -20, "high": -2.5,
      "outside_noise": true, "suites": [suite],
    ]
    let seed: JSONValue = [
      "seed": nil, "R": .array(cells.map { .array($0.map { .number($0) }) }),
      "R_stderr": .array(cells.map { .array($0.map { _ in 6.25 }) }), "metrics": metrics, "tasks_forgotten": 1,
      "tasks": [
        [
          "task": .string(tasks[0]), "from_base": change(-12.5, "within noise"), "from_best": change(-56.25, "forgetting"),
          "from_learned": nil,
        ],
        ["task": .string(tasks[1]), "from_base": change(87.5, "gain"), "from_best": change(0, "same"), "from_learned": change(0, "same")],
      ],
      "general": general,
    ]
    return [
      "unit": "points", "confidence": 0.95, "resamples": 1000, "changed_share": 0.2, "reference_method": .string(method),
      "learning_told_by": "gain",
      "suites": .array(
        tasks.map {
          [
            "suite": .string($0), "metric": "exact_match", "n": 16, "records": "00", "best_constant": 12.5, "smallest_drop": 30,
            "smallest_drop_from_best": 35,
          ]
        }),
      "methods": [
        [
          "method": .string(method), "labels": ["method": .string(method)], "tasks": .array(tasks.map { .string($0) }), "learned": true,
          "metrics": .object(JSONObject((metrics.objectValue?.members ?? []).map { ($0.key, summary($0.value.numberValue ?? 0)) })),
          "missing": ["intransigence": "there is no joint run"],
          "R": .array(cells.map { .array($0.map(summary)) }),
          "general": ["mean_points": -11.25, "worst": "facts", "worst_points": -11.25, "severity": "severe"],
          "seeds": [seed],
        ]
      ],
      "comparisons": [
        ["method": .string(method), "against": "other", "metric": "fm", "claim": "forgets more", "claim_at_equal_gain": nil, "seeds": []]
      ],
      "warnings": ["task copy: the best evaluation is the one before the first step"],
    ]
  }

  static func part(_ records: Int, variance: Double, _ rates: [(Double, Int)]) -> JSONValue {
    [
      "records": .integer(records), "completions": .integer(records * 4), "pass_rate": 0.375, "reward_mean": 0.4,
      "reward_variance": .number(variance), "reward_variance_within": 0.125, "frac_reward_zero_std": 0.5,
      "pass_rate_histogram": .array(rates.map { ["pass_rate": .number($0.0), "records": .integer($0.1)] }),
      "reward_variance_histogram": ["zero": 2, "edges": [0.1, 0.2], "records": [1, 1], "beyond": 0],
    ]
  }

  static let filter: JSONValue = [
    "criterion": "any_correct", "filter_key": "exact", "threshold": 1, "control": "none", "records": 4, "kept": 2, "dropped": 2,
    "share_kept": 0.5, "reasons": ["some correct": 2, "none correct": 2], "before": part(4, variance: 0.0625, [(0, 2), (0.5, 2)]),
    "after": part(2, variance: 0.25, [(0.5, 2)]), "per_record": [],
  ]

  static let statistics: JSONValue = [
    "prompts": 4, "completions": 16, "completion_tokens": 80, "reward": 0.4, "reward_variance": 0.0625, "frac_reward_zero_std": 0.5,
    "unscored": 0, "rewards/exact/mean": 0.4, "completions/mean_length": 5, "length_histogram": ["4-7": 16],
  ]

  static let tokens: JSONValue = [
    "records": 2, "tokens": 6, "threshold": 0.1,
    "models": [
      [
        "loss": 1.5, "mean_p": 0.4, "median_p": 0.375, "share_above": 0.5, "mean_token_accuracy": 0.5, "mean_rank": 3, "entropy": 2.25,
        "histogram": [1, 2, 3], "hard": ["count": 3, "per_record": 1.5],
        "hardest": [["record": 1, "position": 4, "id": 7, "text": " swap", "p": 0.03125, "rank": 9, "entropy": 2]],
        "hard_strings": [["id": 7, "text": " swap", "hard": 2, "of": 3]], "labels": ["epoch": 1],
      ]
    ],
  ]

  static let tokenStatistics: JSONValue = [
    "records": 2, "tokens": 20, "trained_tokens": 6, "truncated": 0, "split": 0, "dropped": 0, "dropped_reasons": [],
    "length": ["min": 8, "mean": 10, "p50": 10, "max": 12],
    "length_histogram": [["up_to": 8, "records": 1], ["up_to": 16, "records": 1]],
  ]
}

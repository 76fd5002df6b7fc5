import Foundation
import JSONValues
import Testing

/// What can be wrong with what `rollout` and `train/rft` are given, and the one message that each fault has.
@Suite("Bad input of rollout and train/rft") struct ReinforcementBadInputTests {
  private let bench: Bench
  private let model: Given

  init() throws {
    bench = try Bench()
    model = try Materials.get().model
    let prompts = [("a b", "b a"), ("c d", "d c"), ("e f", "f e")]
    try bench.write(prompts.map { Self.row($0.0, $0.1) }.joined(), "prompts.jsonl")
  }

  private static func row(_ prompt: String, _ answer: String) -> String {
    #"{"prompt":"\#(prompt)","answer":"\#(answer)","verify":{"rule":"exact"}}"# + "\n"
  }

  /// Two completions of three prompts; the seed asks them in their order.
  private func failure(
    _ stage: String, _ parameters: [(String, JSONValue)] = [], model: Given? = nil, prompts: String = "prompts.jsonl",
    program: String? = nil, timeout: Double = 60, rollouts: String? = nil
  ) throws -> String? {
    var given: [(String, JSONValue)] = [("num_generations", 2), ("max_completion_length", 4)]
    if stage == "train/rft" { given += [("data_seed", 7), ("rollout_batch_size", 3), ("max_steps", 3)] }
    if program != nil { given.append(("rewards", Self.judge(timeout))) }
    var all = JSONObject(given)
    for (name, value) in parameters { all.set(name, value) }
    let asked = rollouts.map { ("rollouts", [Given(bench.path + "/" + $0)]) } ?? ("prompts", [Given(bench.path + "/" + prompts)])
    return bench.failure(
      stage, .object(all),
      inputs: [("model", [model ?? self.model]), asked, ("reward_program", try program.map { [try bench.write($0, "judge.sh")] } ?? [])])
  }

  private static func judge(_ timeout: Double = 60) -> JSONValue {
    [["name": "judge", "kind": "command", "command": ["sh", "{program}"], "timeout": .number(timeout)]]
  }

  // MARK: - Prompts

  @Test("a prompt that does not fit the context is named by its line", arguments: ["rollout", "train/rft"])
  func long(stage: String) throws {
    try bench.write(Self.row("a b", "b a") + Self.row(String(repeating: "z9", count: 31), "q"), "long.jsonl")
    expect(
      try failure(stage, prompts: "long.jsonl"),
      is: "long.jsonl:2: the prompt has 62 tokens; with 4 new ones that is more than the model's context of 64")
    #expect(try failure(stage, [("max_completion_length", 2)], prompts: "long.jsonl") == nil)
  }

  // MARK: - Reward programs

  @Test("a reward program that fails is one error, with the prompt's line", arguments: ["rollout", "train/rft"], programs)
  func program(stage: String, _ fault: Fault) throws {
    expect(try failure(stage, program: fault.program, timeout: fault.timeout), is: fault.message)
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: String
    let timeout: Double
    let message: String

    init(_ name: String, _ program: String, timeout: Double = 60, _ message: String) {
      (testDescription, self.program, self.timeout, self.message) = (name, program, timeout, message)
    }
  }

  private static let programs = [
    Fault("dies at once", "exit 3", "prompts.jsonl:1: reward 'judge': the program ended with status 3, with 0 of 6 records answered"),
    Fault(
      "dies half-way", "for i in 1 2 3; do read -r line; echo $i; done; echo 'lost the way' >&2; kill -9 $$",
      "prompts.jsonl:2: reward 'judge': the program was ended by signal 9, with 3 of 6 records answered; its standard error ends: lost the way"
    ),
    Fault(
      "malformed", "echo 1; echo 1; echo 1; echo 1; echo one; cat > /dev/null",
      "prompts.jsonl:3: reward 'judge': the program answered 'one', not a finite number, null or {\"score\": …}"),
    Fault(
      "too few", "echo 1; echo 1; echo; cat > /dev/null",
      "prompts.jsonl:2: reward 'judge': the program ended its batch with 2 of 6 records answered"),
    Fault(
      "too many", "printf '1\\n1\\n1\\n1\\n1\\n1\\n7\\n'; cat > /dev/null",
      "reward 'judge': the program answered more lines than there were records; the first beyond them is '7'"),
    Fault(
      "hangs", "echo 1; cat > /dev/null", timeout: 0.5,
      "prompts.jsonl:1: reward 'judge': the program did not answer within 0.5 s, with 1 of 6 records answered"),
  ]

  @Test("a sum that no reward can be", arguments: ["rollout", "train/rft"])
  func sum(stage: String) throws {
    expect(
      try failure(stage, [("rewards", [["kind": "length", "min_length": 1, "weight": 1e39]])]),
      is: "prompts.jsonl:1: rewards: the weighted sum is 1e+39, beyond what a reward can be")
  }

  // MARK: - Nothing to compare with

  @Test("rewards that are all null: a rollout says so, training ends at once")
  func allNull() throws {
    let program = "while read -r line; do if [ -n \"$line\" ]; then echo null; else echo; fi; done"
    let asked = try bench.run(
      "rollout", ["num_generations": 2, "max_completion_length": 4, "rewards": Self.judge()],
      inputs: [
        ("model", [model]), ("prompts", [Given(bench.path + "/prompts.jsonl")]), ("reward_program", [bench.write(program, "judge.sh")]),
      ])
    for sample in try rows(of: asked["rollouts"]).flatMap({ $0["completions"]?.arrayValue ?? [] }) {
      #expect(sample["reward"] == .null && sample["rewards"] == ["judge": nil])
    }
    let statistics = try json(of: asked["statistics"])
    #expect(statistics["unscored"] == 6)
    for name in ["reward", "rewards/judge/mean", "rewards/judge/std"] { #expect(statistics[name] == .null) }
    expect(
      try failure("train/rft", program: program),
      is: "no completion of step 1 could be scored: 'judge' gave null for all of them; the first answers prompts.jsonl:1")
  }

  @Test("a later step whose rewards are all null is named; the steps before it are kept")
  func laterNull() throws {
    let program = """
      reward=1
      while read -r line; do if [ -n "$line" ]; then echo $reward; else echo; reward=null; fi; done
      """
    expect(
      try failure("train/rft", [("save_steps", 1)], program: program),
      is: "no completion of step 2 could be scored: 'judge' gave null for all of them; the first answers prompts.jsonl:3")
    #expect(bench.contains("checkpoint/checkpoint") && !bench.contains("out/model"))
  }

  @Test("null rewards beside others stand outside: no NaN, and what was scored is learnt from")
  func someNull() throws {
    // Of the six completions of a step only the first and the second, both of one prompt, and the last are scored.
    let program = """
      n=0
      while read -r line; do
        n=$((n + 1))
        case $n in 1) echo 1;; 2) echo 0;; 6) echo 1;; 7) echo; n=0;; *) echo null;; esac
      done
      """
    let trained = try bench.run(
      "train/rft",
      [
        "num_generations": 2, "max_completion_length": 4, "data_seed": 7, "rollout_batch_size": 3, "max_steps": 2, "learning_rate": 0.001,
        "rewards": Self.judge(),
      ],
      inputs: [
        ("model", [model]), ("prompts", [Given(bench.path + "/prompts.jsonl")]), ("reward_program", [bench.write(program, "judge.sh")]),
      ])
    let log = try json(of: trained["log"])
    #expect(log["unscored"] == [3, 3] && log["updates"] == [1, 1])
    #expect(try numbers(log["reward"]).allSatisfy { abs($0 - 2.0 / 3) < 1e-12 })
    // Half of the two scored groups has equal rewards: the one with a single reward.
    #expect(log["frac_reward_zero_std"] == [0.5, 0.5])
    for (name, values) in try #require(log.objectValue).members {
      #expect(try numbers(values).count == 2, "\(name) is a number at each step")
    }
  }

  @Test("one completion a prompt", arguments: ["grpo", "rloo"])
  func alone(algorithm: String) throws {
    expect(
      try failure("train/rft", [("num_generations", 1), ("algorithm", .string(algorithm))]),
      is: "\(algorithm) compares the completions of one prompt with each other: num_generations is 1 and must be at least 2")
    #expect(try failure("train/rft", [("num_generations", 1), ("algorithm", "remax"), ("learning_rate", 0.001)]) == nil)
  }

  // MARK: - Rollouts that are given

  private func rollouts(_ parameters: [(String, JSONValue)] = []) throws -> String {
    let given: [(String, JSONValue)] = [("num_generations", 2), ("max_completion_length", 4)]
    var all = JSONObject(given)
    for (name, value) in parameters { all.set(name, value) }
    let made = try bench.run("rollout", .object(all), inputs: [("model", [model]), ("prompts", [Given(bench.path + "/prompts.jsonl")])])
    return try text(of: made["rollouts"])
  }

  @Test("sampled at another temperature than they are learnt from")
  func temperature() throws {
    try bench.write(rollouts([("temperature", 0.7)]), "warm.jsonl")
    expect(
      try failure("train/rft", rollouts: "warm.jsonl"),
      is:
        "warm.jsonl:1: the completions were sampled at temperature 0.7, and are to be learnt from at 1: a policy ratio needs one temperature"
    )
    #expect(try failure("train/rft", [("temperature", 0.7)], rollouts: "warm.jsonl") == nil)
    // The likeliest tokens' log-probabilities are those of temperature 1.
    try bench.write(rollouts([("temperature", 0)]), "greedy.jsonl")
    #expect(try failure("train/rft", rollouts: "greedy.jsonl") == nil)
    try bench.write(rollouts().replacingOccurrences(of: #""sampling_temperature":1"#, with: #""sampling_temperature":"hot""#), "hot.jsonl")
    expect(
      try failure("train/rft", rollouts: "hot.jsonl"), is: "hot.jsonl:1: 'sampling_temperature' must be a number, 0 or more")
  }

  @Test("without what the algorithm compares, beyond the context, of another vocabulary")
  func given() throws {
    let lines = try rollouts()
    try bench.write(lines, "rollouts.jsonl")
    expect(
      try failure("train/rft", [("algorithm", "remax")], rollouts: "rollouts.jsonl"),
      is: "rollouts.jsonl:1: there is no greedy completion, which remax compares with: make the rollouts with 'greedy: true'")
    let first = try #require(lines.split(separator: "\n").first)
    try bench.write(first + "\n" + rollouts([("num_generations", 1)]), "alone.jsonl")
    expect(
      try failure("train/rft", [("algorithm", "rloo")], rollouts: "alone.jsonl"),
      is: "alone.jsonl:2: there is 1 completion; rloo compares the completions of one prompt with each other and needs 2")
    expect(
      try failure("train/rft", [("max_completion_length", 63)], rollouts: "rollouts.jsonl"),
      is: "rollouts.jsonl:1: prompt and completion have 65 tokens; the model's context is 64")
    try bench.write(lines.replacingOccurrences(of: #""prompt_ids":["#, with: #""prompt_ids":[280,"#), "foreign.jsonl")
    expect(
      try failure("train/rft", rollouts: "foreign.jsonl"),
      is: "foreign.jsonl:1: token 280 is outside the model's vocabulary of 280: another tokenizer made it")
  }

  // MARK: - Numbers that are none

  /// The model with another number as all gains of its final norm.
  private func spoilt(_ value: Float, _ name: String) throws -> Given {
    let copy = try bench.copy(model, to: name)
    let weights = [UInt8](try Data(contentsOf: URL(fileURLWithPath: copy["model.safetensors"].path)))
    let gain = withUnsafeBytes(of: value.bitPattern.littleEndian) { [UInt8]($0) }
    try bench.write(weights.dropLast(64) + (0..<16).flatMap { _ in gain }, name + "/model.safetensors")
    return copy
  }

  @Test("a model with a weight that is no number", arguments: ["rollout", "train/rft"], [Float.nan, .infinity])
  func notANumber(stage: String, value: Float) throws {
    expect(
      try failure(stage, model: spoilt(value, "spoilt")),
      is: "spoilt/model.safetensors: tensor 'model.norm.weight' holds \(value) at row 0, column 0")
  }

  @Test("a model whose weights overflow, however it is sampled", arguments: [[], [("top_p", 0.9)], [("top_k", 5)], [("temperature", 0)]])
  func overflow(sampling: [(String, JSONValue)]) throws {
    let model = try spoilt(3e38, "huge")
    expect(
      try failure("rollout", sampling, model: model), is: "huge: the model's log-probabilities are not finite: its weights are spoilt")
    expect(
      try failure("train/rft", sampling, model: model),
      is: "a log-probability of the policy is not finite at step 1, before any update: the weights it began with make it so")
  }

  @Test("a learning rate at which training diverges: the step, the reason, and the last checkpoint kept")
  func diverging() throws {
    let program = "while read -r line; do if [ -n \"$line\" ]; then echo $((${#line} % 7)); else echo; fi; done"
    let settings: [(String, JSONValue)] = [
      ("learning_rate", 1e38), ("lr_scheduler_type", "constant_with_warmup"), ("warmup_steps", 2), ("num_generations", 4),
    ]
    expect(
      try failure("train/rft", settings + [("save_steps", 1)], program: program),
      is:
        "the norm of the policy's weights is not finite at step 2; the last checkpoint was written after step 1: a lower learning_rate or max_grad_norm may help"
    )
    #expect(bench.contains("checkpoint/checkpoint") && bench.contains("checkpoint/steps.jsonl") && !bench.contains("out/model"))
    expect(
      try failure("train/rft", settings, program: program),
      is:
        "the norm of the policy's weights is not finite at step 2; there is no checkpoint yet: a lower learning_rate or max_grad_norm may help"
    )
  }
}

extension Bench {
  /// Whether some stage's work directory has this file.
  fileprivate func contains(_ path: String) -> Bool {
    let works = (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
    return works.contains { FileManager.default.fileExists(atPath: "\(self.path)/\($0)/\(path)") }
  }
}

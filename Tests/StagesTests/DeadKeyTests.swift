import JSONValues
import Planning
import Stages
import Testing

/// No dead keys: whatever is in a key moves bytes, and what only `affects: speed` moves none.
@Suite("No dead keys") struct DeadKeyTests {
  @Test("every parameter of every native stage has a row")
  func rows() {
    let expected = Bench.contracts.flatMap { contract in contract.parameters.map { "\(contract.name) \($0.name)" } }
    #expect(Set(Self.probes.map(\.description)) == Set(expected))
    #expect(Self.probes.count == expected.count)
  }

  @Test("two values of a parameter give other outputs; one that affects speed alone gives the same", arguments: probes)
  func parameter(probe: Probe) throws {
    let contract = try Bench.contract(probe.stage)
    let declaration = try #require(contract.parameter(probe.parameter))
    let outcomes = try [probe.first, probe.second].map { try probe.outcome($0) }
    switch declaration.affects {
    case .bytes, .bytesWhenSet: #expect(outcomes[0] != outcomes[1])
    case .speed: #expect(outcomes[0] == outcomes[1] && outcomes[0].hasPrefix("done"))
    }
  }

  struct Probe: Sendable, CustomTestStringConvertible, CustomStringConvertible {
    let stage: String
    let parameter: String
    let first: JSONValue
    let second: JSONValue
    let others: JSONValue

    var description: String { "\(stage) \(parameter)" }
    var testDescription: String { description }

    init(_ stage: String, _ parameter: String, _ first: JSONValue, _ second: JSONValue, _ others: JSONValue = [:]) {
      (self.stage, self.parameter, self.first, self.second, self.others) = (stage, parameter, first, second, others)
    }

    /// The digests of the outputs, or the error.
    func outcome(_ value: JSONValue) throws -> String {
      var parameters = try #require(base.objectValue)
      for (name, value) in others.objectValue?.members ?? [] { parameters.set(name, value) }
      parameters.set(parameter, value)
      let materials = try Materials.get()
      let inputs = try inputs(materials) + (stage.hasPrefix("train/") ? DeadKeyTests.watchedSuites(parameter, materials) : [])
      let bench = try Bench()
      do {
        let digests = try bench.run(stage, .object(parameters), inputs: inputs).digests()
        return "done " + digests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " ")
      } catch {
        // One value may be a way to fail: `faults: error`, `on_failure: fail`.
        guard value == "error" || value == "fail" else { throw error }
        return bench.shown(error)
      }
    }

    private var base: JSONValue {
      switch stage {
      case "model/init": Materials.dimensions
      case "tokenizer/train": ["vocab_size": 270]
      case "data/tasks": ["task": "reverse", "train": 8, "heldout": 4, "difficulty": 4]
      case "train/sft": ["learning_rate": 0.01, "max_steps": 3]
      case "average/wise-ft": ["alpha": 0.5]
      case "rollout": DeadKeyTests.rolloutBase
      case "train/rft": DeadKeyTests.reinforcementBase
      default: MergingMaterials.parameters[stage] ?? DeadKeyTests.dataBase(stage)
      }
    }

    /// What holds adapters apart wants earlier ones.
    private func earlier() throws -> [(String, [Given])] {
      parameter == "o_lora_lambda" ? [("adapter", [try AdapterMaterials.trained.get()])] : []
    }

    /// Log-likelihoods show a token more in front of the prompt; answers need not.
    private func inputs(_ m: Materials) throws -> [(String, [Given])] {
      switch stage {
      case "model/init": [("tokenizer", [m.tokenizer])]
      case "tokenizer/train": [("data", [m.records])]
      case "data/import": [("source", [m.rows])]
      case "tokenize": [("data", [parameter == "target" ? m.records : m.topics]), ("tokenizer", [m.tokenizer])]
      case "train/sft": [("model", [m.model]), ("data", [m.tokens])] + (try earlier()) + (try DeadKeyTests.beside(stage, m))
      case "score/loss", "score/fisher": try DeadKeyTests.beside(stage, m)
      case "evaluate" where parameter == "endpoint": [("suite", [m.written])]
      case "rollout" where parameter == "endpoint": [("tokenizer", [m.tokenizer]), ("prompts", [m.records])]
      case "evaluate": [("model", [m.model]), ("suite", [parameter == "add_bos" ? m.chosen : m.written])]
      case "filter/rif", "filter/accepted", "score": RewardMaterials.probe(stage, parameter)
      case "average/wise-ft": [("base", [m.model]), ("tuned", [m.tuned])]
      case "rollout": [("model", [m.model]), ("prompts", [m.records])]
      case "train/rft":
        [("model", [m.model]), ("prompts", [m.records])] + (try earlier()) + (try DeadKeyTests.beside(stage, m))
      case "report/scores": [("base", m.baseScores), ("models", m.otherScores)]
      case "report/forgetting": ForgettingMaterials.probe(parameter)
      case let stage where DataMaterials.stages.contains(stage): DataMaterials.probe(stage, parameter)
      default: MergingMaterials.inputs(stage, parameter)
      }
    }
  }

  // MARK: - Rows

  static let probes: [Probe] =
    [
      Probe("tokenizer/train", "vocab_size", 262, 270), Probe("tokenizer/train", "min_frequency", 1, 100),
      Probe("tokenizer/train", "pre_tokenizer", "gpt2", "gpt2-digits"),
      Probe("tokenizer/train", "special_tokens", ["<a>"], ["<a>", "<b>"]),
      Probe("tokenizer/train", "model_max_length", 64, 128),

      Probe("data/tasks", "task", "reverse", "copy"), Probe("data/tasks", "train", 8, 9), Probe("data/tasks", "heldout", 4, 5),
      Probe("data/tasks", "difficulty", 3, 4), Probe("data/tasks", "alphabet", 8, 26), Probe("data/tasks", "style", "symbols", "words"),
      Probe("data/tasks", "form", "generation", "multiple_choice"), Probe("data/tasks", "seed", 0, 1),

      Probe("data/import", "fields", [:], ["completion": "reply"], ["heldout": 2]), Probe("data/import", "heldout", 1, 2),
      Probe("data/import", "train", nil, 2), Probe("data/import", "deduplicate", true, false),
      Probe("data/import", "suite", "one", "other", ["heldout": 2]),
      Probe("data/import", "kind", "generation", "multiple_choice", ["heldout": 2]),
      Probe("data/import", "scorer", nil, ["rule": "numeric"], ["heldout": 2]),
      Probe("data/import", "max_new_tokens", 8, 9, ["heldout": 2]), Probe("data/import", "seed", 0, 3, ["heldout": 2]),

      Probe("tokenize", "format", "auto", "chat"), Probe("tokenize", "system", nil, "Be brief.", ["format": "chat"]),
      Probe("tokenize", "template", "{prompt}", "{topic}: {prompt}"), Probe("tokenize", "delimiter", "", "\n"),
      Probe("tokenize", "target", "completion", "answer", ["delimiter": "\n"]), Probe("tokenize", "completion_only_loss", true, false),
      Probe("tokenize", "add_bos", false, true),
      Probe("tokenize", "add_eos", true, false), Probe("tokenize", "max_length", nil, 12, ["overflow": "drop"]),
      Probe("tokenize", "overflow", "truncate", "drop", ["max_length": 16, "completion_only_loss": false]),
      Probe("tokenize", "faults", "error", "drop", ["template": "{kind}: {prompt}"]),
    ] + endpoints + model + training + reinforcement + adapters + watching + evaluation + reports + rewards + losses + merging + data

  private static let model: [Probe] = [
    Probe("model/init", "family", "llama", "qwen2"), Probe("model/init", "hidden_size", 16, 24),
    Probe("model/init", "intermediate_size", 24, 32), Probe("model/init", "num_hidden_layers", 1, 2),
    Probe("model/init", "num_attention_heads", 2, 4), Probe("model/init", "num_key_value_heads", nil, 1),
    Probe("model/init", "head_dim", nil, 4), Probe("model/init", "max_position_embeddings", 32, 64),
    Probe("model/init", "rope_theta", 10000, 100000), Probe("model/init", "rms_norm_eps", 1e-5, 1e-6),
    Probe("model/init", "tie_word_embeddings", true, false), Probe("model/init", "initializer_range", 0.02, 0.03),
    Probe("model/init", "seed", 0, 1),
  ]

  private static let training: [Probe] = [
    Probe("train/sft", "learning_rate", 0.01, 0.02), Probe("train/sft", "lr_scheduler_type", "linear", "cosine"),
    Probe("train/sft", "warmup_steps", 0, 2), Probe("train/sft", "warmup_ratio", 0, 0.5),
    Probe("train/sft", "num_train_epochs", 0.5, 1, ["max_steps": -1]), Probe("train/sft", "max_steps", 2, 3),
    Probe("train/sft", "per_device_train_batch_size", 4, 8), Probe("train/sft", "gradient_accumulation_steps", 1, 2),
    Probe("train/sft", "max_grad_norm", 1, 0.1), Probe("train/sft", "weight_decay", 0, 0.1), Probe("train/sft", "adam_beta1", 0.9, 0.8),
    Probe("train/sft", "adam_beta2", 0.999, 0.9), Probe("train/sft", "adam_epsilon", 1e-8, 1e-3), Probe("train/sft", "seed", 1, 2),
    Probe("train/sft", "data_seed", 1, 2), Probe("train/sft", "save_steps", 1, 200),
  ]

  private static let evaluation: [Probe] = [
    Probe("evaluate", "format", "auto", "chat"), Probe("evaluate", "system", nil, "Be brief.", ["format": "chat", "max_new_tokens": 2]),
    Probe("evaluate", "template", nil, "{prompt} or"), Probe("evaluate", "add_bos", false, true),
    Probe("evaluate", "limit", nil, 5), Probe("evaluate", "max_new_tokens", 2, 8),
    Probe("evaluate", "temperature", 0, 1), Probe("evaluate", "top_k", nil, 1, ["temperature": 1]),
    Probe("evaluate", "top_p", nil, 0.01, ["temperature": 1]), Probe("evaluate", "seed", 0, 1, ["temperature": 1]),
    Probe("evaluate", "per_device_eval_batch_size", 1, 32),
  ]

  private static let rewards: [Probe] = [
    Probe("filter/rif", "criterion", "any_correct", "nonzero_variance"), Probe("filter/rif", "filter_key", "accuracy", "format"),
    Probe("filter/rif", "threshold", 1, 0.5), Probe("filter/rif", "filter_low", 0.01, 0.3, ["criterion": "pass_rate"]),
    Probe("filter/rif", "filter_high", 0.6, 0.99, ["criterion": "pass_rate"]),
    Probe("filter/rif", "control", "none", "random_same_size"), Probe("filter/rif", "when_empty", "error", "keep_all", ["threshold": 2]),
    Probe("filter/rif", "seed", 0, 1, ["control": "random_same_size"]), Probe("filter/accepted", "filter_key", "accuracy", "format"),
    Probe("filter/accepted", "threshold", 1, 0.5), Probe("filter/accepted", "max_per_prompt", nil, 1),
    Probe("filter/accepted", "deduplicate", true, false), Probe("filter/accepted", "drop_truncated", true, false),
    Probe("filter/accepted", "prompt", "record", "text"), Probe("filter/accepted", "seed", 0, 1, ["max_per_prompt": 1]),
    Probe("score", "scorer", nil, ["rule": "numeric"]), Probe("score", "metric", nil, "acc_norm"),
  ]

  private static let reports: [Probe] = [
    Probe("report/scores", "title", "Scores", "Results"), Probe("report/scores", "suite_axis", "suite", "task"),
    Probe("report/scores", "groups", [:], ["all": ["copy", "sort"]]), Probe("report/scores", "confidence", 0.95, 0.5),
    Probe("report/scores", "resamples", 200, 300), Probe("report/scores", "seed", 0, 1),
    Probe("report/forgetting", "title", "Forgetting", "Results"), Probe("report/forgetting", "step_axis", "task", "again"),
    Probe("report/forgetting", "suite_axis", "suite", "kind"), Probe("report/forgetting", "seed_axis", "seed", "run"),
    Probe("report/forgetting", "reference_method", nil, "rft"), Probe("report/forgetting", "moderate_drop", 5, 12),
    Probe("report/forgetting", "severe_drop", 15, 60), Probe("report/forgetting", "chance_margin", 5, 10),
    Probe("report/forgetting", "changed_share", 0.2, 0.3), Probe("report/forgetting", "confidence", 0.95, 0.5),
    Probe("report/forgetting", "resamples", 200, 300), Probe("report/forgetting", "seed", 0, 1, ["resamples": 100]),
  ]
}

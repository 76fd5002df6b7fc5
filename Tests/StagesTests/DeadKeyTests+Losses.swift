import JSONValues
import Testing

/// The rows of the losses and terms of `train/sft` and `train/rft`, and of the stages that measure for them.
extension DeadKeyTests {
  static let losses: [Probe] =
    terms("train/sft") + terms("train/rft") + [
      Probe("train/sft", "loss", "nll", "dft"), Probe("train/sft", "tau", nil, 2, ["loss": "talr"]),
      Probe("train/sft", "tau_scope", "microbatch", "step", ["loss": "talr", "gradient_accumulation_steps": 3]),
      Probe("train/sft", "talr_floor", 0, 0.5, ["loss": "talr"]), Probe("train/sft", "eaft_alpha", 1, 2, ["loss": "eaft"]),
      Probe("train/sft", "beta", 0, 0.5), Probe("train/sft", "distill_lambda", 0, 0.5),
      Probe("train/sft", "distill_temperature", 1, 3, ["distill_lambda": 0.5]),

      Probe("score/loss", "tau", nil, 2), Probe("score/loss", "per_device_eval_batch_size", 1, 7),

      Probe("score/fisher", "labels", "model", "data"), Probe("score/fisher", "samples", nil, 5), Probe("score/fisher", "gamma", 0.5, 1),
      Probe("score/fisher", "seed", 1, 2), Probe("score/fisher", "save_steps", 3, 200),
    ]

  /// Steps enough for the weights to have left the anchor, and for an update after that.
  private static func terms(_ stage: String) -> [Probe] {
    let rows: [(String, JSONValue, JSONValue, [(String, JSONValue)])] = [
      ("l2_lambda", 0, 0.5, []), ("l2_reduction", "sum", "mean", [("l2_lambda", 0.5)]), ("ewc_lambda", 0, 100, []),
      ("cpo_lambda", 0, 10, []), ("cpo_share", 0.1, 0.5, [("cpo_lambda", 10)]),
    ]
    return rows.map { name, first, second, others in
      Probe(stage, name, first, second, .object(JSONObject([("max_steps", 4)] + others)))
    }
  }

  /// What the probes of losses look at beside model and data: made once.
  static func beside(_ stage: String, _ m: Materials) throws -> [(String, [Given])] {
    let more = try LossMaterials.get()
    switch stage {
    case "score/fisher": return [("model", [m.model]), ("data", [m.tokens]), ("previous", [more.fisher])]
    case "score/loss": return [("model", [m.model]), ("data", [m.tokens])]
    default: return [("fisher", [more.fisher]), ("anchor", [m.model]), ("past", [m.model, m.tuned])]
    }
  }
}

/// A Fisher and weights of the tiny model, made by the stages themselves.
final class LossMaterials: Sendable {
  static let shared = Result { try LossMaterials() }

  static func get() throws -> LossMaterials { try shared.get() }

  /// Of the model, on the tokens.
  let fisher: Given
  let weights: Given

  private init() throws {
    let m = try Materials.get()
    let inputs = [("model", [m.model]), ("data", [m.tokens])]
    fisher = try m.bench.run("score/fisher", ["samples": 12], inputs: inputs)["fisher"]
    weights = try m.bench.run("score/loss", inputs: inputs)["weights"]
  }
}

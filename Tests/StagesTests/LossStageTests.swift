import Foundation
import JSONValues
import Kernels
import Modeling
import Testing
import Training

@Suite("Losses and terms of the training stages, score/loss, score/fisher") struct LossStageTests {
  private let bench: Bench
  private let m: Materials
  private let more: LossMaterials

  init() throws {
    bench = try Bench()
    m = try Materials.get()
    more = try LossMaterials.get()
  }

  private var inputs: [(String, [Given])] { [("model", [m.model]), ("data", [m.tokens])] }

  private func train(
    _ parameters: [(String, JSONValue)], _ inputs: [(String, [Given])] = [], stage: String = "train/sft", threads: Int = 1
  ) throws -> Outcome {
    let base = stage == "train/rft" ? DeadKeyTests.reinforcementBase : ["learning_rate": 0.01]
    var all = try #require(base.objectValue)
    all.set("max_steps", 4)
    for (name, value) in parameters { all.set(name, value) }
    let own = stage == "train/rft" ? [("model", [m.model]), ("prompts", [m.records])] : self.inputs
    return try bench.run(stage, .object(all), inputs: own.filter { own in !inputs.contains { $0.0 == own.0 } } + inputs, threads: threads)
  }

  private func weights(_ given: Given) throws -> [Float] {
    let arena = try ModelDirectory.load(given.path, pool: ThreadPool(threads: 1)).arena
    return withExtendedLifetime(arena) { Array(arena.buffer.elements) }
  }

  private func distance(_ outcome: Outcome, from start: Given) throws -> Double {
    zip(try weights(outcome["model"]), try weights(start)).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
  }

  // MARK: - score/loss

  @Test("score/loss gives exp(-f/tau) of each record, the same bytes at any batch size and thread count")
  func losses() throws {
    let json = try json(of: more.weights)
    #expect(json["model"]?.stringValue == m.model.digest)
    #expect(json["data"]?[0]?["tokens"]?.stringValue == m.tokens.digest)
    let losses = try numbers(json["data"]?[0]?["losses"])
    let sorted = losses.sorted()
    let tau = try #require(json["tau"]?.numberValue)
    #expect(losses.count == 48 && tau == (sorted[23] + sorted[24]) / 2)
    for (loss, weight) in zip(losses, try numbers(json["data"]?[0]?["weights"])) {
      #expect((weight - exp(-loss / tau)).magnitude < 1e-12)
    }
    let expected = try digest(of: more.weights.path)
    for (size, threads) in [(1, 1), (48, 2)] {
      let outcome = try bench.run(
        "score/loss", ["per_device_eval_batch_size": .integer(size)], inputs: inputs, threads: threads)
      #expect(try digest(of: outcome["weights"].path) == expected)
    }
  }

  @Test("FLOW trains with those weights, and logs the plain loss and their mean")
  func flow() throws {
    let outcome = try train([("loss", "flow")], [("weights", [more.weights])])
    let log = try json(of: outcome["log"])
    let keys = try #require(log.objectValue?.keys)
    #expect(Array(keys.suffix(3)) == ["epoch", "nll", "mean_weight"])
    let plain = try train([])
    #expect(try digest(of: outcome["model"].path) != digest(of: plain["model"].path))
    // The first step sees the same model.
    #expect(try numbers(log["nll"])[0] == numbers(json(of: plain["log"])["loss"])[0])
    #expect(try numbers(log["loss"])[0] < numbers(log["nll"])[0])
  }

  @Test("weights are refused where they are not of the records, and missed where FLOW needs them")
  func otherWeights() throws {
    func failure(_ inputs: [(String, [Given])]) -> String? {
      do {
        _ = try train([("loss", "flow")], inputs)
        return nil
      } catch { return bench.shown(error) }
    }
    expect(failure([]), is: "loss is 'flow', and there is no input 'weights'")
    let other = try bench.run("tokenize", inputs: [("data", [m.topics]), ("tokenizer", [m.tokenizer])])["tokens"]
    let weights = try bench.copy(more.weights, to: "weights.json")
    expect(
      failure([("weights", [weights]), ("data", [m.tokens, other])]),
      is: "weights.json: holds no weights of the records to train on, \(other.digest), but of \(m.tokens.digest)")
    let short = try text(of: weights).replacingOccurrences(of: #""weights":["#, with: #""weights":[0.5,"#)
    expect(
      failure([("weights", [try bench.write(short, "long.json")])]),
      is: "long.json: holds 49 weights for the 48 records of \(m.tokens.digest)")
    let negative = try text(of: weights).replacingOccurrences(of: #""weights":["#, with: #""weights":[-1,"#)
    expect(
      failure([("weights", [try bench.write(negative, "negative.json")])]),
      is: "negative.json: the weight of record 1 of \(m.tokens.digest) must be a number from 0 on")
    expect(
      failure([("weights", [try bench.write("{}", "empty.json")])]),
      is: "empty.json: is no table of record weights: it lacks 'model', 'tau' or 'data'")
  }

  // MARK: - score/fisher

  @Test("a Fisher names its model, has its tensors, and is the same bytes at any thread count")
  func fisher() throws {
    let file = try FisherFile(path: more.fisher.path)
    #expect(file.origin == FisherFile.Origin(model: m.model.digest, labels: "model", records: 12))
    let again = try bench.run("score/fisher", ["samples": 12], inputs: inputs, threads: 2)
    #expect(try digest(of: again["fisher"].path) == digest(of: more.fisher.path))
    let online = try bench.run("score/fisher", ["samples": 12, "gamma": 0.5], inputs: inputs + [("previous", [more.fisher])])
    let configuration = try ModelDirectory.configuration(m.model.path)
    let pool = ThreadPool(threads: 1)
    let one = try file.load(configuration, pool: pool)
    let both = try FisherFile(path: online["fisher"].path).load(configuration, pool: pool)
    for i in stride(from: 0, to: one.count, by: 17) {
      #expect((both.pointer[i] - 1.5 * one.pointer[i]).magnitude <= 1e-6 * both.pointer[i])
    }
  }

  @Test("EWC takes a Fisher with the model it was measured at, wherever that is given, and refuses any other")
  func consolidation() throws {
    let long: [(String, JSONValue)] = [("max_steps", 20), ("learning_rate", 0.003)]
    let held = try train(long + [("ewc_lambda", 1e4)], [("fisher", [more.fisher])])
    let free = try train(long + [("ewc_lambda", 1e-9)], [("fisher", [more.fisher])])
    // λ/2 Σ F (θ − θ*)² before the last step, each over its λ.
    let distances = try [(held, 1e4), (free, 1e-9)].map { outcome, lambda in
      try #require(numbers(json(of: outcome["log"])["loss/ewc"]).last) / lambda
    }
    #expect(distances[0] > 0 && distances[0] < 0.2 * distances[1], "\(distances)")
    #expect(try json(of: held["log"]).objectValue?.keys.last == "loss/ewc")
    // Begun at another model, the Fisher's own is the anchor, or one of those named for it.
    let later = ("model", [m.tuned])
    let anchored = try train([("ewc_lambda", 10)], [later, ("fisher", [more.fisher]), ("anchor", [m.model])])
    let named = try train([("ewc_lambda", 10)], [later, ("fisher", [more.fisher]), ("fisher_models", [m.model])])
    #expect(try anchored.digests() == named.digests())
    let fisher = try bench.copy(more.fisher, to: "fisher.safetensors")
    for stage in ["train/sft", "train/rft"] {
      expect(
        failure(stage, [("ewc_lambda", 10)], [later, ("fisher", [fisher])]),
        is:
          "fisher.safetensors: is the Fisher information of another model, \(m.model.digest), than those given as 'model', 'anchor' or 'fisher_models'"
      )
      expect(failure(stage, [("ewc_lambda", 10)], []), is: "ewc_lambda is above 0, and there is no input 'fisher'")
      expect(failure(stage, [("cpo_lambda", 10)], []), is: "cpo_lambda is above 0, and there is no input 'past'")
    }
  }

  private func failure(_ stage: String, _ parameters: [(String, JSONValue)], _ inputs: [(String, [Given])]) -> String? {
    do {
      _ = try train(parameters, inputs, stage: stage)
      return nil
    } catch { return bench.shown(error) }
  }

  @Test("files that are no Fisher, or not of the model's shapes, and anchors of another architecture")
  func foreign() throws {
    let weights = Given(m.model.path + "/model.safetensors")
    let plain = try bench.copy(weights, to: "weights.safetensors")
    expect(
      failure("train/sft", [("ewc_lambda", 1)], [("fisher", [plain])]),
      is: "weights.safetensors: is no Fisher information: its metadata has no 'fisher' that names its model")
    var dimensions = try #require(Materials.dimensions.objectValue)
    dimensions.set("intermediate_size", 32)
    let wide = try bench.run("model/init", .object(dimensions), inputs: [("tokenizer", [m.tokenizer])])["model"]
    let strange = try bench.copy(wide, to: "wide")
    for (stage, parameter) in [
      ("train/sft", "l2_lambda"), ("train/sft", "beta"), ("train/sft", "cpo_lambda"), ("train/rft", "l2_lambda"),
    ] {
      expect(
        failure(stage, [(parameter, 1)], [("anchor", [strange]), ("past", [m.model])]),
        is: "wide: is another kind of model than the one that trains: their tensors differ")
    }
    expect(
      failure("train/sft", [("distill_lambda", 1)], [("teacher", [strange])]),
      is: "wide: is another kind of model than the one that trains: their tensors differ")
    // The right model's name on other tensors.
    let file = try bench.run("score/fisher", ["samples": 2], inputs: [("model", [wide]), ("data", [m.tokens])])["fisher"]
    let arena = try FisherFile(path: file.path).load(try ModelDirectory.configuration(wide.path), pool: ThreadPool(threads: 1))
    try FisherFile.write(
      arena, .init(model: m.model.digest, labels: "model", records: 2), to: bench.path + "/renamed.safetensors",
      pool: ThreadPool(threads: 1))
    let message = failure("train/sft", [("ewc_lambda", 1)], [("fisher", [Given(bench.path + "/renamed.safetensors")])])
    #expect(message?.hasPrefix("renamed.safetensors: 6 tensors do not fit the configuration: ") == true, "\(message ?? "")")
  }

  // MARK: - Terms

  @Test("every term together: a column each, and the same bytes at any thread count", arguments: ["train/sft", "train/rft"])
  func together(stage: String) throws {
    var parameters: [(String, JSONValue)] = [("l2_lambda", 0.1), ("ewc_lambda", 10), ("cpo_lambda", 1)]
    if stage == "train/sft" { parameters += [("loss", "talr"), ("beta", 0.1), ("distill_lambda", 0.1)] }
    let beside = [("fisher", [more.fisher]), ("past", [m.tuned])]
    let outcome = try train(parameters, beside, stage: stage)
    let columns = try #require(try json(of: outcome["log"]).objectValue?.keys.filter { $0.hasPrefix("loss/") })
    #expect(columns == (stage == "train/sft" ? ["loss/kl", "loss/distill"] : []) + ["loss/l2", "loss/ewc", "loss/cpo"])
    let log = try json(of: outcome["log"])
    for column in columns {
      let values = try numbers(log[column])
      #expect(values[0] >= 0 && values.last ?? 0 > 0, "\(column)")
    }
    #expect(try train(parameters, beside, stage: stage, threads: 2).digests() == outcome.digests())
  }

  @Test("terms hold the weights of a policy too")
  func policy() throws {
    let free = try distance(try train([], stage: "train/rft"), from: m.model)
    for (parameters, beside) in [
      ([("l2_lambda", JSONValue.number(1e4))], []), ([("ewc_lambda", .number(1e8))], [("fisher", [more.fisher])]),
    ] as [([(String, JSONValue)], [(String, [Given])])] {
      #expect(try distance(try train(parameters, beside, stage: "train/rft"), from: m.model) < 0.9 * free)
    }
  }

  @Test(
    "terms that hold the model's own weights are refused where an adapter trains; the others go with it",
    arguments: ["train/sft", "train/rft"])
  func adapter(stage: String) throws {
    let lora = stage == "train/sft" ? AdapterMaterials.config() : AdapterMaterials.reinforcementConfig()
    for name in ["l2_lambda", "ewc_lambda", "cpo_lambda"] {
      expect(
        failure(stage, [(name, 1), ("peft_config", lora)], [("fisher", [more.fisher]), ("past", [m.model])]),
        is: "\(name) is above 0, and with peft_config an adapter trains: it holds the model's own weights")
    }
    guard stage == "train/sft" else { return }
    let log = try json(of: train([("loss", "talr"), ("beta", 0.5), ("peft_config", lora)])["log"])
    #expect(try numbers(log["loss/kl"]).last ?? 0 > 0)
    #expect(try numbers(log["tau"]).allSatisfy { $0 > 0 })
  }

  @Test("inputs of terms that are off move no byte")
  func off() throws {
    let beside = [
      ("fisher", [more.fisher]), ("past", [m.tuned]), ("anchor", [m.tuned]), ("weights", [more.weights]), ("teacher", [m.tuned]),
    ]
    #expect(try train([], beside).digests() == train([]).digests())
  }
}

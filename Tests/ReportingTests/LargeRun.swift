import Foundation
import JSONValues

/// A run of hundreds of instances: methods that each learn a sequence of tasks, with scores after every step, as the recipe that sets SFT
/// against RFT makes them.
enum LargeRun {
  static let tasks = ["lookup", "addition", "minimum", "multiplication", "compare", "subtraction", "division"]
  static let general = ["lcm-choice", "lcm", "copy", "sentences"]
  static let steps = 120
  static let records = 96

  /// - Parameter count: at least so many instances.
  static func write(_ count: Int) throws -> SyntheticRun {
    // Thousands of durable writes: where memory can be had as a file system, they cost nothing.
    let memory = "/dev/shm"
    let hasMemory = FileManager.default.isWritableFile(atPath: memory)
    let run = try SyntheticRun(in: hasMemory ? memory : FileManager.default.temporaryDirectory.path)
    var instances = 0
    func add(
      _ name: String, _ stage: String, axes: [(String, JSONValue)] = [], groups: [(name: String, axes: [(String, JSONValue)])] = [],
      changed: JSONObject = JSONObject(), inputs: [(name: String, from: [String])] = [], outputs: [SyntheticRun.Output] = [],
      _ seconds: Double
    ) throws {
      instances += 1
      try run.add(
        name, stage, axes: axes, groups: groups, parameters: changed, changed: changed.keys, inputs: inputs, outputs: outputs,
        instances % 9 == 0 ? .cached : .ran(seconds))
    }
    func scores(
      _ name: String, _ suite: String, _ model: String, seed: Int, groups: [(name: String, axes: [(String, JSONValue)])] = []
    ) throws {
      let right = (0..<records).map { (($0 * 7 + seed * 13) % 10) < 3 + seed % 6 ? 1 : 0 }
      let lines = right.enumerated().map { place, isRight in
        (
          "Question: \(suite) number \(place) of what was asked \(place * seed % 31)\nAnswer: ",
          isRight == 1 ? "\(place)" : "\(place + 1) or so", "\(place)"
        )
      }
      try add(
        name, "evaluate", axes: [("suite", .string(suite))], groups: groups,
        inputs: [("model", [model]), ("suite", ["data[\(suite)].heldout"])],
        outputs: [.init("scores", "scores", Records.scores(suite, right)), .init("samples", "file", Records.samples(lines))], 0.8)
    }
    for suite in tasks + general {
      try add(
        "data[\(suite)]", "data/tasks", axes: [("suite", .string(suite))],
        outputs: [
          .init("train", "dataset", "{\"n\":\"\(suite)\"}\n"),
          .init("heldout", "suite", files: [("records.jsonl", Array("{\"n\":\"\(suite)\"}\n".utf8))]),
        ], 0.1)
    }
    try add("base", "model/import", inputs: [("source", ["./models/base"])], outputs: [model("base")], 3)
    for suite in tasks + general { try scores("base_scores[\(suite)]", suite, "base.model", seed: 1) }
    var methods: [String] = []
    while instances < count - 1 {
      let method = methods.count % 2 == 0 ? "sft-\(methods.count / 2 + 1)" : "grpo-\(methods.count / 2 + 1)"
      try learn(method, methods.count, add, scores) { instances >= count - 1 }
      methods.append(method)
    }
    try add("forgetting", "report/forgetting", inputs: [("base", ["base.model"])], outputs: [.init("table", "json", table(methods))], 0.2)
    try run.finish()
    return run
  }

  private typealias Add = (
    String, String, [(String, JSONValue)], [(name: String, axes: [(String, JSONValue)])], JSONObject, [(name: String, from: [String])],
    [SyntheticRun.Output], Double
  ) throws -> Void
  private typealias Scores = (String, String, String, Int, [(name: String, axes: [(String, JSONValue)])]) throws -> Void

  private static func learn(_ method: String, _ place: Int, _ add: Add, _ scores: Scores, isEnough: () -> Bool) throws {
    let isRFT = place % 2 == 1
    var model = "base.model"
    for (step, task) in tasks.enumerated() where !isEnough() {
      let group = "\(isRFT ? "rft" : "sft")[\(method),\(task)]"
      let groups: [(name: String, axes: [(String, JSONValue)])] = [
        (isRFT ? "rft" : "sft", [("method", .string(method)), ("task", .string(task))])
      ]
      var data = "data[\(task)].train"
      if isRFT {
        try add(
          "\(group).rollouts", "rollout", [], groups, JSONObject(), [("model", [model]), ("prompts", [data])],
          [.init("rollouts", "rollouts", "{\"of\":\"\(group)\"}\n"), .init("statistics", "json", Records.statistics)], 6)
        try add(
          "\(group).kept", "filter/rif", [], groups, JSONObject(), [("rollouts", ["\(group).rollouts.rollouts"])],
          [.init("kept", "dataset", "{\"kept\":\"\(group)\"}\n"), .init("report", "json", Records.filter)], 0.2)
        data = "\(group).kept.kept"
      }
      try add(
        "\(group).train", isRFT ? "train/rft" : "train/sft", [], groups,
        JSONObject(of: ["learning_rate": .number(1e-5 * Double(place + 1)), "seed": 17]),
        [("model", [model]), ("data", [data])], [Self.model(group), .init("log", "json", log(place * 10 + step, isRFT))], 12)
      model = "\(group).train.model"
      for suite in tasks { try scores("\(group).scores[\(suite)]", suite, model, place + step, groups) }
      for suite in general { try scores("\(group).general[\(suite)]", suite, model, place + step + 3, groups) }
    }
  }

  private static func model(_ name: String) -> SyntheticRun.Output {
    .init("model", "model", files: [("config.json", Array("{\"name\":\"\(name)\"}".utf8))])
  }

  private static func log(_ seed: Int, _ isRFT: Bool) -> JSONValue {
    func wave(_ step: Int, _ scale: Double) -> JSONValue {
      let noise = Double((step * 37 + seed * 101) % 97) / 97 - 0.5
      return .number((2 / (1 + Double(step) / 20) + noise * 0.3 + Double(seed % 7) * 0.1) * scale)
    }
    let names =
      ["loss", "entropy", "grad_norm", "learning_rate", "mean_token_accuracy"]
      + (isRFT ? ["reward", "rewards/accuracy_reward/mean", "kl", "completions/mean_length"] : [])
    let columns = names.enumerated().map { place, name -> (String, JSONValue) in
      (name, .array((1...steps).map { wave($0 + place * 11, Double(place + 1) * 0.25) }))
    }
    return .object(JSONObject([("step", .array((1...steps).map { .integer($0) }))] + columns))
  }

  /// The matrix of one method, for each of them a little off.
  private static func table(_ methods: [String]) -> JSONValue {
    let two = Records.forgetting(tasks: Array(tasks.prefix(2)))
    let all = methods.enumerated().map { place, method -> JSONValue in
      let rows = (0...tasks.count).map { step in
        JSONValue.array(
          tasks.indices.map { task in
            let value = 20 + Double((step * 17 + task * 23 + place * 7) % 60) + (step > task ? 15 : 0)
            return ["mean": .number(value), "sd": nil, "seeds": 1]
          })
      }
      var json = two["methods"]?[0]?.objectValue ?? JSONObject()
      json.set("method", .string(method))
      json.set("labels", ["method": .string(method)])
      json.set("tasks", .array(tasks.map { .string($0) }))
      json.set("R", .array(rows))
      return .object(json)
    }
    var json = two.objectValue ?? JSONObject()
    json.set("methods", .array(all))
    return .object(json)
  }
}

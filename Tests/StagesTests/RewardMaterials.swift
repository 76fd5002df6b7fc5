import Datasets
import Evaluation
import Foundation
import JSONValues
import Reinforcement

/// Scored rollouts and kept answers, made once.
final class RewardMaterials: Sendable {
  private static let shared = Result { try RewardMaterials() }

  static func get() throws -> RewardMaterials { try shared.get() }

  private static let directory: String = {
    atexit { try? FileManager.default.removeItem(atPath: RewardMaterials.directory) }
    return Bench.freshPath()
  }()

  /// Eight records of four completions: 0 to 4 right, one half right, one right and cut off, one that could not be scored.
  let rollouts: Given
  /// What `evaluate` kept of a generation suite, and of one of multiple choice.
  let written: Outcome
  let chosen: Outcome

  private init() throws {
    let materials = try Materials.get()
    let bench = try Bench(Self.directory)
    rollouts = try bench.write("", "rollouts.jsonl")
    try RolloutFile.write(Self.groups.enumerated().map { Self.rollout($0, $1) }, to: rollouts.path)
    written = try bench.run("evaluate", inputs: [("model", [materials.model]), ("suite", [materials.written])])
    chosen = try bench.run("evaluate", inputs: [("model", [materials.model]), ("suite", [materials.chosen])])
  }

  private static let groups: [[Double?]] = [
    [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0.5, 0.5, 0, 0], [0, 0, 0, 1], [nil, nil, nil, nil],
  ]

  /// Record 6's right completion is cut off; format is 1 for every other completion; the second of two right ones repeats the first's text.
  private static func rollout(_ index: Int, _ values: [Double?]) -> Rollout {
    let record = Record(
      .prompted(.text("sum \(index) "), completion: .text(" gold")), answers: ["\(index)"], verify: .numeric(NumericRule()),
      extras: JSONObject([("level", .integer(index)), ("source", "made")]))
    return Rollout(
      record: record, promptText: "Q: sum \(index)", promptIDs: [5, Int32(index)],
      samples: values.enumerated().map { place, value in
        let format = Double(place % 2)
        return Rollout.Sample(
          text: value == 1 ? " \(index)/\(min(place, 2))" : " wrong \(place)", ids: [7, Int32(place), 2],
          logProbabilities: [-0.5, -1.25, -0.1], finish: index == 6 && value == 1 ? .length : .stop,
          rewards: RewardBreakdown(
            components: [.init("accuracy", value), .init("format", format)], total: value.map { 0.9 * $0 + 0.1 * format }))
      })
  }

  /// Inputs for a table of stages; nothing where they could not be made.
  static func probe(_ stage: String, _ parameter: String) -> [(String, [Given])] {
    guard let own = try? get(), let materials = try? Materials.get() else { return [] }
    guard stage == "score" else { return [("rollouts", [own.rollouts])] }
    return parameter == "metric"
      ? [("answers", [own.chosen["answers"]]), ("suite", [materials.chosen])]
      : [("answers", [own.written["answers"]]), ("suite", [materials.written])]
  }
}

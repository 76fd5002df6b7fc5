import Datasets
import Foundation
import JSONValues
import Reinforcement
import StageInterface

/// `filter/rif`: the records that a model can learn from, by its own scored completions of them.
package struct FilterRIF: NativeStage {
  package static let name = "filter/rif"

  package struct Parameters: Decodable, Sendable {
    let criterion: String
    let filterKey: String
    let threshold: Double
    let filterLow: Double
    let filterHigh: Double
    let control: String
    let whenEmpty: String
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let file = RolloutFile(try context.input("rollouts"))
    let filter = try filter(parameters)
    var instances: [InstanceScores] = []
    var records: [Record] = []
    try file.read { rollout, _ throws(DatasetError) in
      instances.append(try InstanceScores(rollout, index: instances.count, component: parameters.filterKey))
      records.append(rollout.record)
    }
    let report = FilterReport(filter, component: parameters.filterKey, instances)
    try refuseNothing(report, file)

    let kept = report.verdicts.map(\.isKept)
    try RecordFile.write(zip(records, kept).lazy.filter { $1 }.map { $0.0 }, to: try context.output("kept"))
    let writer = try RolloutWriter(try context.output("kept_rollouts"))
    var index = 0
    try file.read { rollout, _ throws(DatasetError) in
      if kept[index] { try writer.append(rollout) }
      index += 1
    }
    try writer.close()
    try RecordFile.write(rows: instances.lazy.map(report.passRateRow), to: try context.output("pass_rates"))
    try write(report.json.encoded(pretty: true) + "\n", to: try context.output("report"))
    try write(FilterRIFTable(report).text, to: try context.output("summary"))
    if report.isUnfiltered { context.warn("the criterion keeps none of the records, so all are kept") }
    context.log("\(report.keptCount) of \(instances.count) records kept")
    for (name, value) in [("kept", report.keptCount), ("dropped", instances.count - report.keptCount)] {
      context.metric(step: 0, name, Double(value))
    }
  }

  private static func filter(_ parameters: Parameters) throws -> InstanceFilter {
    guard parameters.filterLow < parameters.filterHigh else {
      throw StageFailure("parameter filter_low: \(parameters.filterLow) is not below filter_high, \(parameters.filterHigh)")
    }
    var filter = InstanceFilter(
      InstanceFilter.Criterion(rawValue: parameters.criterion) ?? .anyCorrect, threshold: parameters.threshold, low: parameters.filterLow,
      high: parameters.filterHigh, control: InstanceFilter.Control(rawValue: parameters.control) ?? .none, seed: parameters.seed)
    filter.keepsAllWhenEmpty = parameters.whenEmpty == "keep_all"
    return filter
  }

  /// A dataset without records would fail whoever is to train on it, with less to say about why.
  private static func refuseNothing(_ report: FilterReport, _ file: RolloutFile) throws {
    guard !report.instances.isEmpty else { throw StageFailure("holds no rollouts", file: file.name) }
    guard report.instances.contains(where: { $0.scored > 0 }) else {
      throw StageFailure("no completion could be scored: '\(report.component)' is null for all of them", file: file.name)
    }
    guard report.keptCount > 0 else {
      let reasons = report.reasons.map { "\($0.reason.rawValue) \($0.count)" }.joined(separator: ", ")
      throw StageFailure(
        "criterion \(report.filter.criterion.rawValue) keeps none of the \(report.instances.count) records (\(reasons))", file: file.name)
    }
  }

  private static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }
}

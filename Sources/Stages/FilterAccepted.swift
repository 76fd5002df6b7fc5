import Datasets
import Foundation
import JSONValues
import Reinforcement
import StageInterface

/// `filter/accepted`: a model's own right completions, as records to train on.
package struct FilterAccepted: NativeStage {
  package static let name = "filter/accepted"

  package struct Parameters: Decodable, Sendable {
    let filterKey: String
    let threshold: Double
    let maxPerPrompt: Int?
    let deduplicate: Bool
    let dropTruncated: Bool
    let prompt: String
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let rule = AcceptedCompletions(
      component: parameters.filterKey, threshold: parameters.threshold, maximum: parameters.maxPerPrompt,
      deduplicates: parameters.deduplicate, dropsTruncated: parameters.dropTruncated,
      promptForm: AcceptedCompletions.PromptForm(rawValue: parameters.prompt) ?? .record, seed: parameters.seed)
    let file = RolloutFile(try context.input("rollouts"))
    var counts = AcceptedCompletions.Counts()
    var records: [Record] = []
    try file.read { rollout, _ throws(DatasetError) in records += try rule.records(rollout, index: counts.records, &counts) }
    guard counts.completions > counts.notScored else {
      throw StageFailure(
        counts.records == 0
          ? "holds no rollouts" : "no completion could be scored: '\(parameters.filterKey)' is null for all of them", file: file.name)
    }
    guard !records.isEmpty else {
      throw StageFailure(
        "none of \(counts.completions) completions is accepted: \(counts.belowThreshold) below the threshold, \(counts.truncated) truncated",
        file: file.name)
    }
    try RecordFile.write(records, to: try context.output("accepted"))
    let report = counts.json.encoded(pretty: true) + "\n"
    try Data(report.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    context.log("\(counts.accepted) of \(counts.completions) completions accepted, of \(counts.recordsKept) of \(counts.records) records")
  }
}

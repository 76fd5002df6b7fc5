import Foundation
import JSONValues
import StageInterface

/// One `scores` artifact as a report reads it: which model and suite, the headline metric, and each record's score.
struct SuiteScores {
  /// The axis values that tell the model: all but the suite's. Empty for a model without axes.
  let model: [(axis: String, value: JSONValue)]
  let suite: String
  let metric: String
  let value: Double
  let standardError: Double?
  /// Of the headline metric; what paired intervals are made from.
  let perRecord: [Double]
  /// Tells suites with other records apart.
  let records: String
  let isHigherBetter: Bool
  let bestConstant: Double?

  init(_ element: StageOrder.Element, suiteAxis: String) throws {
    let json = try JSONValue(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: element.path))))
    guard let metric = json["metric"]?.stringValue, let score = json["metrics"]?[metric], let value = score["value"]?.numberValue,
      let perRecord = json["per_record"]?[metric]?.arrayValue?.compactMap(\.numberValue), let records = json["records"]?.stringValue
    else { throw StageFailure("is no scores file", file: element.path) }
    let labels = element.labels?.members ?? []
    model = labels.filter { $0.key != suiteAxis }.map { (axis: $0.key, value: $0.value) }
    suite = labels.first { $0.key == suiteAxis }?.value.stringValue ?? json["suite"]?.stringValue ?? "suite"
    self.metric = metric
    self.value = value
    standardError = score["stderr"]?.numberValue
    self.perRecord = perRecord
    self.records = records
    isHigherBetter = json["higher_is_better"]?.boolValue ?? true
    bestConstant = json["best_constant"]?["score"]?.numberValue
  }

  /// What a table calls the model: "learning_rate 0.001, alpha 0.5".
  var modelName: String {
    model.map { axis, value in "\(axis) \(value.stringValue ?? value.encoded())" }.joined(separator: ", ")
  }

  /// Shares of right answers are shown in points of a hundred; other metrics as they are.
  var scale: Double { metric.hasPrefix("acc") || metric == "exact_match" ? 100 : 1 }
}

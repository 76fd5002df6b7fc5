import Datasets
import JSONValues

/// One `scores` artifact as a report reads it: which model and suite, the headline metric, and each record's score.
package struct SuiteScores: Sendable, Equatable {
  package struct Label: Sendable, Equatable {
    package let axis: String
    package let value: JSONValue

    package init(_ axis: String, _ value: JSONValue) { (self.axis, self.value) = (axis, value) }

    /// A string as it is, a record by its `name`, anything else as JSON.
    package var name: String { value.labelName }
  }

  /// Every axis value that the element carries, from the outside in.
  package let labels: [Label]
  package let suite: String
  package let metric: String
  package let value: Double
  package let standardError: Double?
  /// Of the headline metric; what paired intervals are made from.
  package let perRecord: [Double]
  /// Tells suites with other records apart.
  package let records: String
  package let isHigherBetter: Bool
  package let bestConstant: Double?
  private let suiteAxis: String

  package init(json: JSONValue, labels: JSONObject?, suiteAxis: String) throws(DatasetError) {
    guard let metric = json["metric"]?.stringValue, let score = json["metrics"]?[metric], let value = score["value"]?.numberValue,
      let marks = json["per_record"]?[metric]?.arrayValue, !marks.isEmpty, let records = json["records"]?.stringValue
    else { throw DatasetError("is no scores file") }
    perRecord = marks.compactMap(\.numberValue)
    guard perRecord.count == marks.count else {
      let first = marks.firstIndex { $0.numberValue == nil } ?? 0
      throw DatasetError("record \(first) has no score, so its suite's scores cannot be paired")
    }
    self.labels = (labels?.members ?? []).map { Label($0.key, $0.value) }
    let label = self.labels.first { $0.axis.utf8.elementsEqual(suiteAxis.utf8) }?.value
    suite = label?.stringValue ?? label?["name"]?.stringValue ?? json["suite"]?.stringValue ?? "suite"
    self.metric = metric
    self.value = value
    standardError = score["stderr"]?.numberValue
    self.records = records
    isHigherBetter = json["higher_is_better"]?.boolValue ?? true
    bestConstant = json["best_constant"]?["score"]?.numberValue
    self.suiteAxis = suiteAxis
  }

  /// The axis values that tell the model: all but the suite's. Empty for a model without axes.
  package var model: [Label] { labels.filter { !$0.axis.utf8.elementsEqual(suiteAxis.utf8) } }

  /// What a table calls the model: "learning_rate 0.001, alpha 0.5".
  package var modelName: String {
    model.map { "\($0.axis) \($0.name)" }.joined(separator: ", ")
  }

  package func label(_ axis: String) -> Label? { labels.first { $0.axis.utf8.elementsEqual(axis.utf8) } }

  /// Shares of right answers are shown in points of a hundred; other metrics as they are.
  package var scale: Double { isShare ? 100 : 1 }

  package var isShare: Bool { metric.hasPrefix("acc") || metric == "exact_match" }
}

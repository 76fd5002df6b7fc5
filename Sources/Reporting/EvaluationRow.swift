import JSONValues

/// One model on one suite: the headline metric with its error.
package struct EvaluationRow: Sendable {
  /// The place of the `evaluate` or `score` instance.
  package let instance: Int
  package let suite: String
  package let kind: String?
  package let metric: String
  /// As it was recorded: shares from 0 to 1.
  package let value: Double
  package let standardError: Double?
  package let records: Int
  package let isHigherBetter: Bool
  /// The score of the best answer that is the same for every record.
  package let bestConstant: Double?
  /// The share of completions that came to their own end.
  package let complete: Double?
  /// The model's digest, and the place of the instance that made it, where that is of this run.
  package let model: String?
  package let maker: Int?
  /// Digests of adapters that lay on it.
  package let adapters: [String]

  /// A share is told in points, the hundredths.
  package var isShare: Bool { metric == "exact_match" || metric.hasPrefix("acc") }

  static func all(_ records: inout RunRecords, _ rows: [InstanceRow]) -> [EvaluationRow] {
    var evaluations: [EvaluationRow] = []
    for index in records.indices where records.output(index, "scores")?.type == "scores" {
      guard let json = records.json(index, "scores") else { continue }
      if let row = EvaluationRow(index, json, rows[index]) {
        evaluations.append(row)
      } else {
        records.note(index, "output scores has no score of its metric")
      }
    }
    return evaluations
  }

  private init?(_ index: Int, _ json: JSONValue, _ row: InstanceRow) {
    guard let metric = json["metric"]?.stringValue, let score = json["metrics"]?[metric], let value = score["value"]?.numberValue else {
      return nil
    }
    let model = row.inputs.first { $0.name == "model" }?.elements.first
    instance = index
    suite = Self.suite(row) ?? json["suite"]?.stringValue ?? row.name
    kind = json["kind"]?.stringValue
    self.metric = metric
    self.value = value
    standardError = score["stderr"]?.numberValue
    records = json["n"]?.integerValue ?? 0
    isHigherBetter = json["higher_is_better"]?.boolValue ?? true
    bestConstant = json["best_constant"]?["score"]?.numberValue
    complete = json["complete"]?.numberValue
    self.model = model?.digest
    maker = model?.from
    adapters = row.inputs.first { $0.name == "adapter" }?.elements.map(\.digest) ?? []
  }

  /// As the axis `suite` names it.
  private static func suite(_ row: InstanceRow) -> String? {
    let value = row.path.axes.last { $0.axis == "suite" }?.value
    return value?["name"]?.stringValue ?? value?.stringValue
  }
}

extension EvaluationRow {
  package var json: JSONValue {
    var object = JSONObject([
      ("instance", .integer(instance)), ("suite", .string(suite)), ("kind", kind.json), ("metric", .string(metric)),
      ("value", .number(value)),
      ("stderr", standardError.json), ("n", .integer(records)), ("higher_is_better", .bool(isHigherBetter)),
      ("best_constant", bestConstant.json), ("complete", complete.json), ("model", model.json),
    ])
    if let maker { object.append("maker", .integer(maker)) }
    if !adapters.isEmpty { object.append("adapters", .array(adapters.map { .string($0) })) }
    return .object(object)
  }
}

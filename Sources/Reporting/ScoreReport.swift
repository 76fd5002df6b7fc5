import JSONValues

/// What `report/scores` found: models on suites, beside their base.
package struct ScoreReport: Sendable {
  package struct Cell: Sendable {
    /// Shares in points, other metrics in their own unit.
    package let value: Double
    package let standardError: Double?
    /// From the base, with its paired interval; nil in the base's row.
    package let change: Double?
    package let low: Double?
    package let high: Double?
    package let isOutsideNoise: Bool?
  }

  package struct Row: Sendable {
    /// What its axis values say; `base` first.
    package let model: String
    package let labels: JSONObject
    /// In the order of `columns`; nil where the model was not asked that suite.
    package let cells: [Cell?]
  }

  package let instance: String
  package let title: String
  package let confidence: Double
  /// Suites, then groups of suites.
  package let columns: [String]
  package let rows: [Row]
  /// The report's own `table`, whole.
  package let table: JSONValue

  static func all(_ records: inout RunRecords) -> [ScoreReport] {
    var reports: [ScoreReport] = []
    for index in records.instances(of: "report/scores") {
      guard let table = records.json(index, "table") else { continue }
      let instance = records.run.instances[index]
      if let report = ScoreReport(table, instance.name, title: instance.parameters["title"]?.stringValue) {
        reports.append(report)
      } else {
        records.note(index, "output table is not what report/scores writes")
      }
    }
    return reports
  }

  private init?(_ table: JSONValue, _ instance: String, title: String?) {
    guard let columns = table["columns"]?.strings, let rows = table["rows"]?.arrayValue else { return nil }
    self.instance = instance
    self.title = title ?? instance
    confidence = table["confidence"]?.numberValue ?? 0.95
    self.columns = columns
    self.rows = rows.map { row in
      let scores = row["scores"]?.objectValue ?? JSONObject()
      return Row(
        model: row["model"]?.stringValue ?? "", labels: row["labels"]?.objectValue ?? JSONObject(),
        cells: columns.map { scores[$0].flatMap(Cell.init) })
    }
    self.table = table
  }

  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("title", .string(title))])
    for member in table.objectValue?.members ?? [] where object[member.key] == nil { object.append(member.key, member.value) }
    return .object(object)
  }
}

extension ScoreReport.Cell {
  fileprivate init?(_ json: JSONValue) {
    guard let value = json["value"]?.numberValue else { return nil }
    self.init(
      value: value, standardError: json["stderr"]?.numberValue, change: json["change"]?.numberValue, low: json["low"]?.numberValue,
      high: json["high"]?.numberValue, isOutsideNoise: json["outside_noise"]?.boolValue)
  }
}

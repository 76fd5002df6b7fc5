import Evaluation
import JSONValues
import Plotting
import StageInterface

/// Scores of models on suites beside those of their base: every cell with its standard error, its change, and the change's interval.
///
/// A group is the mean of some suites; its interval resamples the records of each suite apart. Nothing here knows where scores come from.
struct ScoreTable {
  struct Group {
    let name: String
    let suites: [String]
  }

  struct Interval {
    let confidence: Double
    let resamples: Int
    let seed: UInt64
  }

  struct Cell {
    let value: Double
    let standardError: Double?
    let scale: Double
    /// From the base; nil in the base's own row.
    let change: MeanChange?
  }

  struct Row {
    let name: String
    let model: [SuiteScores.Label]
    /// In the order of `columns`; nil where the model was not asked that suite.
    let cells: [Cell?]
  }

  /// Suites in the base's order, then groups.
  let columns: [String]
  private(set) var rows: [Row] = []
  private let confidence: Double
  private let constants: [Double?]

  init(base: [SuiteScores], others: [SuiteScores], groups: [Group], interval: Interval) throws {
    for scores in others {
      guard let own = base.first(where: { $0.suite == scores.suite }) else {
        throw StageFailure("suite '\(scores.suite)' of model '\(scores.modelName)' has no score of the base")
      }
      guard own.records == scores.records, own.metric == scores.metric else {
        throw StageFailure(
          "suite '\(scores.suite)' of model '\(scores.modelName)' has other records than the base's: they cannot be compared")
      }
    }
    if let twice = base.indices.first(where: { index in base[..<index].contains { $0.suite == base[index].suite } }) {
      throw StageFailure("the base's score on suite '\(base[twice].suite)' is given twice")
    }
    for group in groups {
      if let unknown = group.suites.first(where: { name in !base.contains { $0.suite == name } }) {
        throw StageFailure("group '\(group.name)' names suite '\(unknown)', which the base has no score of")
      }
      let members = group.suites.compactMap { name in base.first { $0.suite == name } }
      if let first = members.first,
        let other = members.first(where: { $0.scale != first.scale || $0.isHigherBetter != first.isHigherBetter })
      {
        throw StageFailure(
          "group '\(group.name)' has no mean: '\(first.suite)' is scored by \(first.metric), '\(other.suite)' by \(other.metric)")
      }
    }
    columns = base.map(\.suite) + groups.map(\.name)
    constants = base.map { $0.bestConstant.map { $0 * 100 } } + groups.map { _ in nil }
    confidence = interval.confidence
    let parts = base.map { [$0.suite] } + groups.map(\.suites)
    rows.append(Row(name: "base", model: [], cells: parts.map { Self.cell($0, of: base, against: nil, interval) }))
    for model in try ScoredModels(others).models {
      rows.append(Row(name: model.name, model: model.labels, cells: parts.map { Self.cell($0, of: model.scores, against: base, interval) }))
    }
  }

  /// One suite, or the mean of several.
  private static func cell(_ suites: [String], of scores: [SuiteScores], against base: [SuiteScores]?, _ interval: Interval) -> Cell? {
    let own = suites.compactMap { name in scores.first { $0.suite == name } }
    guard own.count == suites.count, let first = own.first else { return nil }
    let scale = first.scale
    let count = Double(own.count)
    let errors = own.compactMap(\.standardError)
    let error = errors.count == own.count ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count * scale : nil
    let change = base.map { base in
      self.change(own, suites.compactMap { name in base.first { $0.suite == name } }, scale, interval)
    }
    return Cell(value: own.reduce(0) { $0 + $1.value } / count * scale, standardError: error, scale: scale, change: change)
  }

  private static func change(_ own: [SuiteScores], _ base: [SuiteScores], _ scale: Double, _ interval: Interval) -> MeanChange {
    let parts = zip(own, base).map { own, base in
      MeanChange.Part(before: base.perRecord, after: own.perRecord, difference: own.value - base.value)
    }
    return MeanChange(parts, scale: scale, confidence: interval.confidence, samples: interval.resamples, seed: interval.seed)
  }
}

// MARK: - For people and programs

extension ScoreTable {
  var markdown: MarkdownTable {
    var table = MarkdownTable([.init("model", .left)] + columns.map { .init($0) })
    for row in rows { table.add([row.name] + row.cells.map { $0.map(Self.text) ?? "" }) }
    if constants.contains(where: { $0 != nil }) {
      table.add(["best constant answer"] + constants.map { $0.map { FixedDigits.text($0, 1) } ?? "" })
    }
    return table
  }

  /// "62.5 ± 4.3 (+31.2*)"
  private static func text(_ cell: Cell) -> String {
    let digits = cell.scale == 100 ? 1 : 3
    var text = FixedDigits.text(cell.value, digits)
    if let error = cell.standardError { text += " ± " + FixedDigits.text(error, digits) }
    if let change = cell.change {
      text += " (\(FixedDigits.signed(change.difference, digits))\(change.isOutsideNoise ? "*" : ""))"
    }
    return text
  }

  var legend: String {
    "± is the standard error; in parentheses the change from the base, with * where 0 lies outside its paired "
      + "\(FixedDigits.text(confidence * 100, 1))% bootstrap interval."
  }

  var json: JSONValue {
    .object(
      JSONObject([
        ("columns", .array(columns.map { .string($0) })), ("confidence", .number(confidence)),
        ("rows", .array(rows.map { row in json(row) })),
      ]))
  }

  private func json(_ row: Row) -> JSONValue {
    let cells = zip(columns, row.cells).compactMap { name, cell in cell.map { (name, json($0)) } }
    return .object(
      JSONObject([
        ("model", .string(row.name)), ("labels", .object(JSONObject(row.model.map { ($0.axis, $0.value) }))),
        ("scores", .object(JSONObject(cells))),
      ]))
  }

  private func json(_ cell: Cell) -> JSONValue {
    var object = JSONObject([("value", .number(cell.value)), ("stderr", cell.standardError.map { .number($0) } ?? .null)])
    if let change = cell.change {
      object.append("change", .number(change.difference))
      object.append("low", .number(change.low))
      object.append("high", .number(change.high))
      object.append("outside_noise", .bool(change.isOutsideNoise))
    }
    return .object(object)
  }
}

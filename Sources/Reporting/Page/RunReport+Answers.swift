import Artifacts
import JSONValues
import Plotting

// What models answered: a few of each suite as a table, all that there is room for as data that the script filters.

extension RunReport {
  /// Bytes of answers that a page holds; suites share them evenly.
  private static let mostBytes = 1_200_000
  private static let mostStatic = 6
  private static let longest = (prompt: 1_200, answer: 800)

  var answersSection: PageSection? {
    guard !samples.isEmpty else { return nil }
    return PageSection("answers", "Answers", count: samples.count) { html in
      html.element("p", "What the models at both ends of a sequence answered to the same records, those first that most got wrong.")
      for (place, set) in samples.enumerated() {
        html.element("details", ["class": "answers", "open": place == 0 ? "" : nil]) { html in
          html.element("summary", "\(set.suite): \(Count.text(set.records, "record"))")
          html.add(set.summary, label: "Right answers by model")
          html.element("div", ["class": "static"]) { html in
            html.add(set.table(Self.mostStatic), label: "Answers", class: "wrap")
          }
          html.addData(set.pageData(bytes: Self.mostBytes / samples.count, Self.longest))
        }
      }
    }
  }
}

extension SampleSet.Model {
  fileprivate var title: String { (model ?? instance) + (isBase && model != "base" ? " (base)" : "") }
}

extension SampleSet {
  fileprivate var summary: ReportDocument.Table {
    var table = ReportDocument.Table([.init("model", .left), .init("right"), .init("share")])
    for model in models {
      table.add([.init(model.title), .init("\(model.right) of \(model.of)"), .init(Figures.percent(model.right, of: model.of))])
    }
    return table
  }

  /// The first and the last model beside each other.
  fileprivate func table(_ count: Int) -> ReportDocument.Table {
    let shown = models.count > 1 ? [0, models.count - 1] : [0]
    var table = ReportDocument.Table(
      [.init("prompt", .left), .init("expected", .left)] + shown.flatMap { [.init(models[$0].title, .left), .init("", .left)] })
    for row in rows.prefix(count) {
      let answers = shown.flatMap { place -> [ReportDocument.Cell] in
        guard let answer = row.answers[place] else { return [.init(Figures.missing), ""] }
        return [.init(.code(answer.text)), .init(answer.isRight ? "✓ right" : "✗ wrong", answer.isRight ? .none : .bad)]
      }
      table.add([.init(.code(row.prompt)), .init(.code(row.expected.first ?? ""))] + answers)
    }
    return table
  }

  /// Rows as long as there is room: `[record, prompt, [expected], [[text, right, complete, extracted] or null]]`.
  fileprivate func pageData(bytes: Int, _ longest: (prompt: Int, answer: Int)) -> JSONValue {
    var room = bytes
    var list: [JSONValue] = []
    for row in rows {
      let value: JSONValue = [
        .integer(row.record), PageJSON.block(row.prompt, most: longest.prompt),
        .array(row.expected.prefix(8).map { PageJSON.block($0, most: longest.answer) }),
        .array(row.answers.map { answer in answer.map { Self.data($0, longest.answer) } ?? .null }),
      ]
      room -= value.encodedBytes().count
      if room < 0 { break }
      list.append(value)
    }
    return [
      "kind": "answers", "suite": PageJSON.line(suite), "models": .array(models.map { PageJSON.line($0.title) }),
      "bases": .array(models.map { .bool($0.isBase) }), "records": .integer(records), "rows": .array(list),
    ]
  }

  private static func data(_ answer: Answer, _ longest: Int) -> JSONValue {
    var values = [PageJSON.block(answer.text, most: longest), .integer(answer.isRight ? 1 : 0), .integer(answer.isComplete ? 1 : 0)]
    if let extracted = answer.extracted, !extracted.utf8.elementsEqual(answer.text.utf8) {
      values.append(PageJSON.block(extracted, most: 200))
    }
    return .array(values)
  }
}

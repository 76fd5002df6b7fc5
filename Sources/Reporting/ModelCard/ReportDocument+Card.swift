import Artifacts
import JSONValues

// A card's page.

extension ReportDocument {
  init(cardOf subject: CardSubject, title: String) {
    let (report, row) = (subject.report, subject.report.instances[subject.instance])
    heading(1, title)
    if let description = report.overview.description { paragraph(.plain(description)) }
    paragraph(
      "This ", .plain(subject.output.type), " is the output ", .code("\(row.name).\(subject.output.name)"), " of a run of the recipe ",
      .code(report.overview.manifest), " with Heirloom ", .plain(report.overview.version), "; its bytes are ",
      .code(subject.output.digest.text), ".")
    addMetrics(subject)
    for (matrix, method) in subject.methods { add(method, of: matrix) }
    addData(of: subject)
    addWay(subject)
    addReproduction(subject)
  }

  private mutating func addMetrics(_ subject: CardSubject) {
    guard !subject.evaluations.isEmpty else { return }
    heading(2, "Scores")
    var table = Table([
      Column("suite", .left), Column("metric", .left), Column("records"), Column("value"), Column("95 % interval", .left),
      Column("best constant answer"),
    ])
    for evaluation in subject.evaluations {
      let (scale, digits) = evaluation.isShare ? (100.0, 1) : (1.0, 4)
      func text(_ value: Double?) -> String { Figures.text(value.map { $0 * scale }, digits) }
      let interval = evaluation.standardError.map { error -> String in
        // Normal; a share stays one.
        let bounds = [evaluation.value - 1.96 * error, evaluation.value + 1.96 * error]
        let kept = evaluation.isShare ? bounds.map { min(max($0, 0), 1) } : bounds
        return "\(text(kept[0])) to \(text(kept[1]))"
      }
      table.add([
        Cell(evaluation.suite), Cell(evaluation.metric), Cell("\(evaluation.records)"), Cell(text(evaluation.value)),
        Cell(interval ?? Figures.missing), Cell(text(evaluation.bestConstant)),
      ])
    }
    self.table(table)
    paragraph("Shares are told in per cent; the intervals are 1.96 standard errors over records to both sides.")
  }

  private mutating func add(_ method: MatrixReport.Method, of matrix: MatrixReport) {
    heading(2, "What was learned and forgotten")
    paragraph(.plain(matrix.title), ", method ", .strong(method.name), ", in points:")
    table(matrix.table(of: method))
    var metrics = Table([Column("metric", .left), Column("value")])
    for (name, summary) in method.metrics {
      if let summary { metrics.add([Cell(name), Cell(Figures.text(summary.mean, error: summary.deviation))]) }
    }
    table(metrics)
    paragraph("A change with * lies outside its interval's noise. The metrics are those of Heirloom's docs/forgetting.md.")
  }

  private mutating func addData(of subject: CardSubject) {
    let kinds = ["dataset", "suite", "tokens", "rollouts"]
    var table = Table([Column("data", .left), Column("type", .left), Column("size"), Column("digest", .left)])
    for row in subject.steps {
      for output in row.outputs where kinds.contains(output.type) {
        table.add([
          Cell("\(row.name).\(output.name)"), Cell(output.type), Cell(ByteCount.text(output.size)), Cell(.code(output.digest.text)),
        ])
      }
      for element in row.inputs.flatMap(\.elements) where element.from == nil {
        table.add([Cell(element.source ?? "source of \(row.name)"), "source", "", Cell(.code(element.digest))])
      }
    }
    guard !table.rows.isEmpty else { return }
    heading(2, "Data")
    self.table(table)
  }

  private mutating func addWay(_ subject: CardSubject) {
    heading(2, "How it was made")
    var table = Table([
      Column("instance", .left), Column("stage", .left), Column("parameters that are not the contract's", .left), Column("key", .left),
    ])
    for row in subject.steps {
      table.add([Cell(row.name), Cell(row.stage), Cell(row.changedText), Cell(.code(String((row.key ?? "").prefix(19))))])
    }
    self.table(table)
  }

  private mutating func addReproduction(_ subject: CardSubject) {
    let overview = subject.report.overview
    heading(2, "To have it again")
    paragraph(
      "With the manifest and its project in place this computes the same bytes, in the numerics class ", .code(overview.numerics), ":")
    code([overview.command])
    // Cards are published: the name of a machine stays at home.
    let hosts = overview.hosts.map { host in
      let facts = host.facts.members.filter { $0.key != "host" }
      return facts.map { "\($0.key) \($0.value.stringValue ?? $0.value.encoded())" }.joined(separator: ", ")
    }
    if !hosts.isEmpty { list(hosts.map { ["Computed on ", .plain($0)] }) }
    heading(3, "The manifest")
    code(overview.manifestText.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(Substring($0)) })
  }
}

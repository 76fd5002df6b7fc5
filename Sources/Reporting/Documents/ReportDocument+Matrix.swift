import JSONValues

// What was learned and forgotten, method by method.

extension ReportDocument {
  mutating func add(_ report: MatrixReport, _ extent: Extent) {
    heading(2, report.title)
    let suites = report.suites.map(\.records)
    let sizes = suites.min() == suites.max() ? "\(suites.first ?? 0)" : "\(suites.min() ?? 0) to \(suites.max() ?? 0)"
    paragraph(
      "Scores of ", .code(report.instance), " in points, the hundredths of a share of right answers; suites of ", .plain(sizes),
      " records, intervals of ", .plain(Figures.text(report.confidence * 100, 0)), " % confidence.")
    table(methods(report))
    for method in report.methods { add(method, of: report) }
    addGeneral(report)
    if extent == .page { table(comparisons(report)) }
    list(report.warnings.map { ["Warning: ", .plain($0)] })
  }

  /// The status line's share of a report: matrices alone.
  init(matricesOf reports: [MatrixReport]) {
    for report in reports {
      heading(2, report.title)
      table(methods(report))
      for method in report.methods { add(method, of: report) }
    }
  }

  func methods(_ report: MatrixReport) -> Table {
    let metrics = [
      ("AvgAcc", "avg_acc"), ("gain", "gain"), ("FM", "fm"), ("BWT", "bwt"), ("FWT", "fwt"),
    ]
    let hasGeneral = report.methods.contains { $0.general != nil }
    var table = Table(
      [Column("method", .left)] + metrics.map { Column($0.0) } + [Column("forgotten"), Column("learned", .left)]
        + (hasGeneral ? [Column("general"), Column("severity", .left)] : []))
    for method in report.methods {
      let numbers = metrics.map { title, name -> Cell in
        let summary = method.metric(name)
        let text = Figures.text(summary?.mean, error: summary?.deviation)
        guard let mean = summary?.mean else { return Cell(text) }
        return Cell(text, name == "avg_acc" ? .score(mean / 100) : .change(mean / 100))
      }
      let forgotten = method.forgotten
      let learned = method.hasLearned.map { $0 ? "yes" : "did not learn" } ?? "not known"
      let own = [
        Cell("\(forgotten.count) of \(forgotten.of)", forgotten.count > 0 ? .bad : .none),
        Cell(learned + (method.name == report.referenceMethod ? " (reference)" : "")),
      ]
      let general = method.general.map { general in
        [
          Cell(Figures.change(general.mean, low: general.low, high: general.high), .change(general.mean / 100)),
          Cell(general.severity ?? ""),
        ]
      }
      table.add([Cell(method.name)] + numbers + own + (general ?? (hasGeneral ? [Cell(Figures.missing), ""] : [])))
    }
    return table
  }

  private mutating func add(_ method: MatrixReport.Method, of report: MatrixReport) {
    heading(3, method.name)
    table(report.table(of: method))
    list(method.missing.map { [.plain("\($0.name) is not known: \($0.reason)")] })
  }

  mutating func addGeneral(_ report: MatrixReport) {
    var table = Table([
      Column("method", .left), Column("suite", .left), Column("metric", .left), Column("base"), Column("end"), Column("change"),
      Column("", .left), Column("severity", .left),
    ])
    for method in report.methods {
      for seed in method.seeds {
        let name = method.seeds.count > 1 ? "\(method.name), seed \(seed.seed.stringValue ?? seed.seed.encoded())" : method.name
        for suite in (seed.general?.suites ?? []) + seed.text {
          let digits = suite.isShare ? 1 : 4
          let change = Figures.change(suite.change, low: suite.interval?.low, high: suite.interval?.high, digits)
          table.add([
            Cell(name), Cell(suite.suite), Cell(suite.metric), Cell(Figures.text(suite.base, digits)),
            Cell(Figures.text(suite.after.last.flatMap { $0 }, digits)),
            Cell(change, suite.isShare ? .change((suite.change ?? 0) / 100) : .none), Cell(suite.verdict ?? ""), Cell(suite.severity ?? ""),
          ])
        }
      }
    }
    guard !table.rows.isEmpty else { return }
    heading(3, "Other abilities")
    self.table(table)
  }

  func comparisons(_ report: MatrixReport) -> Table {
    var table = Table([Column("method", .left), Column("against", .left), Column("claim", .left), Column("at equal gain", .left)])
    for comparison in report.comparisons {
      table.add([
        Cell(comparison.method), Cell(comparison.against), Cell(comparison.claim), Cell(comparison.claimAtEqualGain ?? Figures.missing),
      ])
    }
    return table
  }
}

extension MatrixReport {
  /// A row for the base and one after each task, and how the last differs from the first.
  func table(of method: Method) -> ReportDocument.Table {
    typealias Cell = ReportDocument.Cell
    var table = ReportDocument.Table([.init("after", .left)] + method.tasks.map { .init($0) })
    for (step, row) in method.cells.enumerated() {
      let cells = row.map { cell -> Cell in
        guard let cell else { return Cell(Figures.missing) }
        let error = cell.value.deviation ?? cell.standardError
        return Cell(Figures.text(cell.value.mean, error: error), .score(cell.value.mean / 100))
      }
      table.add([Cell(step == 0 ? "base" : method.tasks[step - 1])] + cells)
    }
    guard let last = method.cells.last, method.cells.count > 1 else { return table }
    let changes = last.map { cell -> Cell in
      guard let cell, let change = cell.change else { return Cell(Figures.missing) }
      let text = Figures.change(change, low: cell.interval?.low, high: cell.interval?.high)
      return Cell(text + (cell.interval?.isOutsideNoise == true ? "*" : ""), .change(change / 100))
    }
    table.add([Cell("change from base")] + changes)
    return table
  }
}

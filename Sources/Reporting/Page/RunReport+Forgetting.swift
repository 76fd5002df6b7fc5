import Artifacts
import Plotting

// What was learned, and what was kept of it: matrices, methods beside each other, tasks along the sequence, scores, the trade-off.

extension RunReport {
  var forgettingSection: PageSection? {
    guard !matrices.isEmpty else { return nil }
    return PageSection("forgetting", "Forgetting", count: matrices.count > 1 ? matrices.count : nil) { html in
      for (place, matrix) in matrices.enumerated() { Self.add(matrix, id: "matrix\(place)", &html) }
    }
  }

  private static func add(_ matrix: MatrixReport, id: String, _ html: inout HTMLWriter) {
    html.element("h3", matrix.title)
    html.element("p") { html in
      html.say("Scores in points, the hundredths of a share of right answers, as ")
      html.element("code", matrix.instance)
      html.say(
        " reports them; intervals of \(Figures.text(matrix.confidence * 100, 0)) % confidence. AvgAcc is the mean over tasks at the end, ")
      html.say("FM how far each task fell from its best, BWT from where it was learned.")
    }
    var document = ReportDocument()
    html.add(document.methods(matrix), label: "Methods", class: "methods")
    if matrix.methods.count > 1 { html.add(PageFigure(matrix.bars, id: "\(id)-methods")) }
    html.element("h4", "After each task")
    html.element("div", ["class": matrix.isNarrow ? "grid" : "stack"]) { html in
      for (place, method) in matrix.methods.enumerated() {
        html.element("div") { html in
          let width = matrix.isNarrow ? PageFigure.half : PageFigure.wide
          html.add(PageFigure(matrix.heatmap(of: method), id: "\(id)-heat\(place)", width: width))
          if !method.missing.isEmpty {
            html.element("ul", ["class": "small"]) { html in
              for (name, reason) in method.missing { html.element("li", "\(name) is not known: \(reason)") }
            }
          }
          html.element("details") { html in
            html.element("summary", "Numbers with errors and intervals")
            html.add(matrix.table(of: method), label: method.name)
          }
        }
      }
    }
    addTasks(matrix, id, &html)
    document = ReportDocument()
    document.addGeneral(matrix)
    html.add(document, from: 4)
    let comparisons = document.comparisons(matrix)
    if !comparisons.rows.isEmpty {
      html.element("h4", "Method against method")
      html.add(comparisons, label: "Comparisons")
    }
    if !matrix.warnings.isEmpty {
      html.element("details") { html in
        html.element("summary", Count.text(matrix.warnings.count, "warning") + " of the trainings")
        html.element("ul") { html in for warning in matrix.warnings { html.element("li", warning) } }
      }
    }
  }

  private static let mostTasks = 24

  private static func addTasks(_ matrix: MatrixReport, _ id: String, _ html: inout HTMLWriter) {
    let plots = matrix.taskPlots
    guard !plots.isEmpty else { return }
    html.element("h4", "Along the sequence")
    if plots.count == 1 { return html.add(PageFigure(lines: plots[0], id: "\(id)-tasks")) }
    html.element("div", ["class": "grid"]) { html in
      for (place, plot) in plots.prefix(mostTasks).enumerated() {
        html.add(PageFigure(lines: plot, id: "\(id)-task\(place)", width: PageFigure.half, height: 260))
      }
    }
    if plots.count > mostTasks { html.element("p", "\(plots.count - mostTasks) more tasks are in the report's JSON.") }
  }

  // MARK: - Scores and fronts

  var scoresSection: PageSection? {
    guard !scores.isEmpty else { return nil }
    return PageSection("scores", "Scores", count: scores.count > 1 ? scores.count : nil) { html in
      for (place, report) in scores.enumerated() {
        html.element("h3", report.title)
        html.add(PageFigure(report.heatmap, id: "scores\(place)"))
        var document = ReportDocument()
        document.add(report)
        html.element("details") { html in
          html.element("summary", "Numbers with errors")
          html.add(document.withoutHeadings)
        }
      }
    }
  }

  var paretoSection: PageSection? {
    let shown = fronts.filter { !$0.points.isEmpty }
    guard !shown.isEmpty else { return nil }
    return PageSection("tradeoff", "Trade-off", count: shown.count > 1 ? shown.count : nil) { html in
      for (place, report) in shown.enumerated() {
        var document = ReportDocument()
        document.add(report)
        html.element("h3", report.isDerived ? "What was trained for, and everything else" : report.title)
        html.add(PageFigure(report.scatter, id: "front\(place)"))
        html.add(document.withoutHeadings)
      }
    }
  }
}

extension ReportDocument {
  /// Where a page has a heading of its own.
  var withoutHeadings: ReportDocument {
    var document = ReportDocument()
    for block in blocks { if case .heading = block { continue } else { document.append(block) } }
    return document
  }
}

// MARK: - Charts

extension MatrixReport {
  /// Whether two of its heat maps fit beside each other.
  var isNarrow: Bool { methods.count > 1 && (methods.map(\.tasks.count).max() ?? 0) <= 8 }

  func heatmap(of method: Method) -> Heatmap {
    let cells = method.cells.map { row in
      row.map { cell -> Heatmap.Cell? in
        guard let cell else { return nil }
        let change = cell.change.map { PlottedValue($0, low: cell.interval?.low, high: cell.interval?.high) }
        return Heatmap.Cell(cell.value.mean, change: change, verdict: cell.interval?.verdict ?? "")
      }
    }
    return Heatmap(
      method.name, rowTitle: "after", rows: ["base"] + method.tasks, columns: method.tasks, cells: cells, unit: "points",
      extreme: largestChange)
  }

  /// One scale for all methods.
  private var largestChange: Double? {
    methods.flatMap { $0.cells.joined() }.compactMap { $0?.change?.magnitude }.filter(\.isFinite).max()
  }

  var bars: BarPlot {
    let metrics = [("AvgAcc", "avg_acc"), ("gain", "gain"), ("FM", "fm"), ("BWT", "bwt")]
    let known = metrics.filter { metric in methods.contains { $0.metric(metric.1) != nil } }
    let hasGeneral = methods.contains { $0.general != nil }
    let series = methods.map { method in
      let values = known.map { metric in method.metric(metric.1).map(Self.plotted) }
      let general = method.general.map { PlottedValue($0.mean, low: $0.low, high: $0.high) }
      return BarPlot.Series(method.name, values + (hasGeneral ? [general] : []))
    }
    return BarPlot(
      "Methods beside each other", value: Axis("points"), categories: known.map(\.0) + (hasGeneral ? ["general, change"] : []),
      series: series)
  }

  private static func plotted(_ summary: Summary) -> PlottedValue {
    PlottedValue(summary.mean, low: summary.deviation.map { summary.mean - $0 }, high: summary.deviation.map { summary.mean + $0 })
  }

  /// Of one method a line a task; of several a plot a task, with a line a method.
  var taskPlots: [LinePlot] {
    guard let first = methods.first, first.cells.count > 1 else { return [] }
    func axis(_ method: Method) -> Axis { Axis("after", scale: .named(["base"] + method.tasks)) }
    func series(_ name: String, _ method: Method, _ task: Int) -> LinePlot.Series {
      LinePlot.Series(
        name,
        method.cells.enumerated().compactMap { step, row in
          guard row.indices.contains(task), let cell = row[task] else { return nil }
          let error = cell.value.deviation ?? cell.standardError
          return .init(Double(step), cell.value.mean, low: error.map { cell.value.mean - $0 }, high: error.map { cell.value.mean + $0 })
        })
    }
    if methods.count == 1 {
      return [
        LinePlot(
          "Tasks, ± standard error", x: axis(first), y: Axis("points", scale: .linearFromZero),
          series: first.tasks.enumerated().map { series($1, first, $0) })
      ]
    }
    let tasks = methods.map(\.tasks).max { $0.count < $1.count } ?? []
    return tasks.map { task in
      LinePlot(
        task, x: axis(first), y: Axis("points", scale: .linearFromZero),
        series: methods.map { method in
          let place = method.tasks.firstIndex { $0.utf8.elementsEqual(task.utf8) }
          return place.map { series(method.name, method, $0) } ?? .init(method.name, [])
        })
    }
  }
}

extension ScoreReport {
  var heatmap: Heatmap {
    Heatmap(
      "", rowTitle: "model", rows: rows.map(\.model), columns: columns,
      cells: rows.map { row in
        row.cells.map { cell in
          cell.map { cell in
            Heatmap.Cell(cell.value, change: cell.change.map { PlottedValue($0, low: cell.low, high: cell.high) })
          }
        }
      }, unit: "points")
  }
}

extension ParetoReport {
  var scatter: ScatterPlot {
    func plotted(_ coordinate: Coordinate) -> PlottedValue {
      PlottedValue(
        coordinate.value, low: coordinate.error.map { coordinate.value - $0 }, high: coordinate.error.map { coordinate.value + $0 })
    }
    var points = self.points.map { ScatterPlot.Point($0.name, series: 0, x: plotted($0.domain), y: plotted($0.general)) }
    if let base { points.append(.init("base", series: 1, x: PlottedValue(base.domain), y: PlottedValue(base.general))) }
    return ScatterPlot(
      "", x: Axis("domain", unit: "points"), y: Axis("general", unit: "points"), series: base == nil ? ["trained"] : ["trained", "base"],
      points: points, front: .given(self.points.indices.filter { self.points[$0].isOnFront }))
  }
}

import JSONValues
import Plotting

// The comparison as a page shows it. A run is called by a letter and its recipe, for an id is too long for the head of a column.

extension RunsComparison {
  package var sections: [PageSection] {
    [runsSection, parametersSection, scoresSection, matricesSection, evaluationsSection, curvesSection, instancesSection].compactMap(\.self)
  }

  private static let letters = ["A", "B", "C", "D", "E", "F", "G", "H"]
  private static let mostRows = 400
  private static let mostCurves = 24

  private func letter(_ run: Int) -> String { run < Self.letters.count ? Self.letters[run] : "\(run + 1)" }

  private func table(_ first: [String], of alignment: ReportDocument.Column.Alignment = .left) -> ReportDocument.Table {
    ReportDocument.Table(first.map { .init($0, .left) } + runs.indices.map { .init(letter($0), alignment) })
  }

  private var runsSection: PageSection {
    PageSection("runs", "Runs", count: runs.count) { html in
      html.element("ul", ["class": "compared"]) { html in
        for (place, run) in runs.enumerated() {
          html.element("li") { html in
            html.element("span", ["class": "letter"], letter(place))
            html.element("a", ["href": "/runs/\(run.id)"], run.recipe.isEmpty ? "a run" : run.recipe)
            html.element("span", ["class": "badge \(run.standing)"], run.standing)
            html.element("code", run.id)
            html.element(
              "span", ["class": "small"],
              "\(Figures.moment(run.started)), \(Figures.duration(run.seconds)), "
                + run.counts.map { "\($0.count) \($0.state)" }.joined(separator: ", "))
          }
        }
      }
      if parameters.isEmpty, instances.isEmpty, metrics.isEmpty, curves.isEmpty { html.element("p", "Nothing in them differs.") }
    }
  }

  private var parametersSection: PageSection? {
    guard !parameters.isEmpty else { return nil }
    var table = table(["parameter"])
    for difference in parameters { table.add([.init(.code(difference.name))] + difference.values.map(Self.cell)) }
    return PageSection("parameters", "Parameters", count: parameters.count) { html in
      html.element("p", "Those of the recipes that are not the same in all of them.")
      html.add(table, label: "Parameters that differ")
    }
  }

  private static func cell(_ value: JSONValue?) -> ReportDocument.Cell {
    guard let value else { return .init(Figures.missing) }
    return .init(.code(value.stringValue ?? value.encoded()))
  }

  // MARK: - Scores

  private static let names = ["avg_acc": "AvgAcc", "gain": "gain", "fm": "FM", "bwt": "BWT", "fwt": "FWT"]

  private var scoresSection: PageSection? {
    guard !metrics.isEmpty else { return nil }
    let reports = Set(metrics.map(\.report)).count
    var table = table((reports > 1 ? ["report"] : []) + ["method", "metric"], of: .right)
    for metric in metrics {
      let values = metric.values.map { summary in
        ReportDocument.Cell(Figures.text(summary?.mean, error: summary?.deviation))
      }
      table.add(
        (reports > 1 ? [.init(metric.report)] : []) + [.init(metric.method), .init(Self.names[metric.metric] ?? metric.metric)] + values)
    }
    return PageSection("scores", "Metrics") { html in
      html.element("p", "Of every method, in points.")
      html.add(table, label: "Metrics")
    }
  }

  private var matricesSection: PageSection? {
    guard !matrices.isEmpty else { return nil }
    return PageSection("matrices", "Matrices", count: matrices.count) { html in
      for (place, row) in matrices.enumerated() {
        html.element("h3", row.method.isEmpty ? row.report : row.method)
        let columns = row.methods.compactMap(\.self).map(\.tasks.count).max() ?? 0
        html.element("div", ["class": columns > 8 ? "stack" : "grid"]) { html in
          for (run, method) in row.methods.enumerated() {
            guard let method else { continue }
            let map = heatmap(method, title: "\(letter(run))  \(runs[run].recipe)", extreme: row.largestChange)
            html.add(PageFigure(map, id: "matrix\(place)-\(run)", width: columns > 8 ? PageFigure.wide : PageFigure.half))
          }
        }
      }
    }
  }

  private func heatmap(_ method: MatrixReport.Method, title: String, extreme: Double?) -> Heatmap {
    let cells = method.cells.map { row in
      row.map { cell -> Heatmap.Cell? in
        guard let cell else { return nil }
        let change = cell.change.map { PlottedValue($0, low: cell.interval?.low, high: cell.interval?.high) }
        return Heatmap.Cell(cell.value.mean, change: change, verdict: cell.interval?.verdict ?? "")
      }
    }
    return Heatmap(
      title, rowTitle: "after", rows: ["base"] + method.tasks, columns: method.tasks, cells: cells, unit: "points", extreme: extreme)
  }

  private var evaluationsSection: PageSection? {
    guard !evaluations.isEmpty else { return nil }
    var table = table(["instance", "suite", "metric"], of: .right)
    for evaluation in evaluations.prefix(Self.mostRows) {
      let values = zip(evaluation.values, evaluation.standardErrors).map { value, error -> ReportDocument.Cell in
        let scale = evaluation.isShare ? 100.0 : 1
        return .init(
          evaluation.isShare
            ? Figures.text(value.map { $0 * scale }, error: error.map { $0 * scale }) : Figures.plain(value))
      }
      table.add([.init(evaluation.instance), .init(evaluation.suite), .init(evaluation.metric)] + values)
    }
    return PageSection("evaluations", "Evaluations", count: evaluations.count) { html in
      html.element("p", "Those whose scores are not the same; shares in points, with their standard errors.")
      addCut(evaluations.count, &html)
      html.add(table, label: "Evaluations that differ")
    }
  }

  private func addCut(_ count: Int, _ html: inout HTMLWriter) {
    if count > Self.mostRows { html.element("p", ["class": "small"], "The first \(Self.mostRows) of \(count); compare.json has them all.") }
  }

  // MARK: - Curves

  private var curvesSection: PageSection? {
    guard !curves.isEmpty else { return nil }
    return PageSection("curves", "Curves", count: curves.count) { html in
      html.element("p", "The same metric of the same training, a line for each run.")
      html.element("div", ["class": "grid"]) { html in
        for (place, group) in ordered.prefix(Self.mostCurves).enumerated() { html.add(figure(group, place)) }
      }
      guard curves.count > Self.mostCurves else { return }
      html.element("details") { html in
        html.element("summary", "\(curves.count - Self.mostCurves) more")
        html.element("div", ["class": "grid"]) { html in
          for (place, group) in ordered.enumerated().dropFirst(Self.mostCurves).prefix(200) { html.add(figure(group, place)) }
        }
      }
    }
  }

  /// The metrics that are looked at first, first.
  private var ordered: [CurveGroup] {
    let order = ["loss", "reward", "kl", "entropy", "mean_token_accuracy", "grad_norm"]
    func rank(_ group: CurveGroup) -> Int { order.firstIndex(of: group.metric) ?? order.count }
    return curves.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  private func figure(_ group: CurveGroup, _ place: Int) -> PageFigure {
    func plot(_ most: Int) -> LinePlot {
      LinePlot(
        "\(group.metric), \(group.instance)", x: Axis("step"), y: Axis(""),
        series: group.series.enumerated().compactMap { run, series in
          series.map { series in
            LinePlot.Series(letter(run), series.reduced(to: most).points.map { .init(Double($0.step), $0.value) })
          }
        })
    }
    let colors = group.series.indices.filter { group.series[$0] != nil }
    return PageFigure(lines: plot(1000), drawn: plot(240), colors: colors, id: "curve\(place)", width: PageFigure.half, height: 250)
  }

  // MARK: - Instances

  private var instancesSection: PageSection? {
    guard !instances.isEmpty || same > 0 else { return nil }
    var table = table(["instance", "what differs"])
    for row in instances.prefix(Self.mostRows) {
      let states = zip(row.states, row.seconds).map { state, seconds -> ReportDocument.Cell in
        guard let state else { return .init("not there") }
        return .init(state + (seconds.map { ", " + Figures.duration($0) } ?? ""), state == "failed" ? .bad : .none)
      }
      table.add([.init(row.name), .init(words(row))] + states)
    }
    return PageSection("instances", "Instances", count: instances.count) { html in
      html.element("p", "\(instances.count) of \(instances.count + same) differ.")
      addCut(instances.count, &html)
      html.add(table, label: "Instances that differ")
    }
  }

  private func words(_ row: InstanceDifference) -> String {
    var words = row.parameters.map { difference in
      let values = difference.values.map { $0.map { $0.stringValue ?? $0.encoded() } ?? Figures.missing }
      return "\(difference.name) \(values.joined(separator: " | "))"
    }
    if !row.inputs.isEmpty { words.append("input " + row.inputs.joined(separator: ", ")) }
    if !row.outputs.isEmpty { words.append("output " + row.outputs.joined(separator: ", ")) }
    return words.joined(separator: "; ")
  }
}

extension RunsComparison.MatrixRow {
  /// One scale for all the runs.
  fileprivate var largestChange: Double? {
    methods.compactMap(\.self).flatMap { $0.cells.joined() }.compactMap { $0?.change?.magnitude }.filter(\.isFinite).max()
  }
}

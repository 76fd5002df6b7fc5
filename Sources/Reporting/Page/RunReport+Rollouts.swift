import Artifacts
import Diagnostics
import Plotting

// Completions that policies sampled, and what a filter kept; what models make of single tokens.

extension RunReport {
  /// Filters and tokenized data that are shown with charts; all are in the tables.
  private static let mostCharts = 24
  private static let mostOpen = 2

  var rolloutSection: PageSection? {
    guard !rollouts.isEmpty else { return nil }
    return PageSection("rollouts", "Rollouts", count: rollouts.count) { html in
      var document = ReportDocument()
      document.addRollouts(rollouts)
      html.add(document.withoutHeadings)
      let filters = rollouts.flatMap(\.filters)
      for (place, filter) in filters.prefix(Self.mostCharts).enumerated() {
        html.element("details", ["open": place < Self.mostOpen ? "" : nil]) { html in
          html.element("summary", "\(filter.instance): \(filter.kept) of \(filter.of) kept")
          html.element("div", ["class": "grid"]) { html in
            html.add(PageFigure(filter.passRates, id: "filter\(place)-rates", width: PageFigure.half))
            if let variances = filter.variances { html.add(PageFigure(variances, id: "filter\(place)-variances", width: PageFigure.half)) }
          }
        }
      }
      if filters.count > Self.mostCharts { html.element("p", "\(filters.count - Self.mostCharts) more filters are in the table alone.") }
    }
  }

  // MARK: - Tokens

  var tokenSection: PageSection? {
    guard !tokens.isEmpty else { return nil }
    return PageSection("tokens", "Tokens", count: tokens.count > 1 ? tokens.count : nil) { html in
      for (place, report) in tokens.prefix(Self.mostCharts).enumerated() {
        html.element("h3", report.instance)
        var document = ReportDocument()
        document.addTokens([report], .terminal)
        html.add(document.withoutHeadings)
        html.element("div", ["class": "grid"]) { html in
          for (index, chart) in report.histograms.enumerated() {
            html.add(PageFigure(chart, id: "tokens\(place)-\(index)", width: PageFigure.half))
          }
        }
        for (index, model) in report.models.enumerated() { Self.add(model, ReportDocument.name(model, index), &html) }
      }
    }
  }

  private static let mostHard = 20

  private static func add(_ model: TokenReport.Model, _ name: String, _ html: inout HTMLWriter) {
    guard !model.hardest.isEmpty else { return }
    html.element("details", ["open": ""]) { html in
      html.element("summary", "The hardest tokens for \(name)")
      html.element("ol", ["class": "sentences"]) { html in
        for token in model.hardest.prefix(mostHard) {
          html.element("li") { html in
            html.element("p", ["class": "small"]) { html in
              html.say("record \(token.record), p \(Figures.plain(token.probability)), rank \(token.rank)")
            }
            html.element("p", ["class": "sentence"]) { html in add(token, &html) }
          }
        }
      }
    }
  }

  /// Which of several equal pieces of the text it is, the record does not say: all of them are marked.
  private static func add(_ token: TokenReport.Hard, _ html: inout HTMLWriter) {
    guard let sentence = token.sentence else { return html.element("mark", token.text) }
    html.element("span", ["class": "prompt"], VisibleText.line(sentence.prompt, most: 400))
    let completion = VisibleText.line(sentence.completion, most: 400)
    let piece = VisibleText.line(token.text, most: 100)
    guard !piece.isEmpty else { return html.say(completion) }
    let (bytes, needle) = (Array(completion.utf8), Array(piece.utf8))
    var (done, place, marked) = (0, 0, false)
    while place + needle.count <= bytes.count {
      if bytes[place..<place + needle.count].elementsEqual(needle) {
        html.say(String(decoding: bytes[done..<place], as: UTF8.self))
        html.element("mark", piece)
        place += needle.count
        (done, marked) = (place, true)
      } else {
        place += 1
      }
    }
    html.say(String(decoding: bytes[done...], as: UTF8.self))
    if !marked {
      html.say(" ")
      html.element("mark", piece)
    }
  }

  // MARK: - Data

  var dataSection: PageSection? {
    guard !data.isEmpty else { return nil }
    return PageSection("data", "Data", count: data.count) { html in
      var document = ReportDocument()
      document.addData(data)
      html.add(document.withoutHeadings)
      let charts = data.filter { $0.histogram.count > 1 }
      guard !charts.isEmpty else { return }
      html.element("details") { html in
        html.element("summary", "Lengths")
        html.element("div", ["class": "grid"]) { html in
          for (place, report) in charts.prefix(Self.mostCharts).enumerated() {
            html.add(PageFigure(report.lengthBars, id: "lengths\(place)", width: PageFigure.half))
          }
        }
      }
    }
  }
}

// MARK: - Charts

extension RolloutReport.Filter {
  /// Records by pass rate; a bin about each rate that there is.
  var passRates: Histogram {
    let rates = Set((before.passRates + after.passRates).map(\.rate).filter(\.isFinite)).sorted()
    func counts(_ part: RolloutReport.Part) -> [Double] {
      rates.map { rate in part.passRates.reduce(0) { $0 + ($1.rate == rate ? Double($1.records) : 0) } }
    }
    return Histogram(
      "Pass rate", x: Axis("share of completions that are right"), y: Axis("records"), edges: Self.edges(rates),
      series: [.init("before", counts(before)), .init("kept", counts(after))])
  }

  /// Half way between neighbours; the outermost bins are narrow, for no rate lies beyond.
  private static func edges(_ rates: [Double]) -> [Double] {
    guard let first = rates.first, let last = rates.last else { return [] }
    let middles = zip(rates, rates.dropFirst()).map { ($0 + $1) / 2 }
    let half = min(0.05, zip(rates, rates.dropFirst()).map { ($1 - $0) / 2 }.min() ?? 0.05)
    return [first - half] + middles + [last + half]
  }

  var variances: BarPlot? {
    guard let first = before.variances ?? after.variances else { return nil }
    let names = ["none"] + first.edges.map { "≤ \(NumberText.short($0))" } + ["more"]
    func values(_ variances: RolloutReport.Variances?) -> [PlottedValue?] {
      guard let variances else { return [] }
      return ([variances.zero] + variances.records + [variances.beyond]).map { PlottedValue(Double($0)) }
    }
    return BarPlot(
      "Variance of the rewards within a record", value: Axis("records"), categories: names,
      series: [.init("before", values(before.variances)), .init("kept", values(after.variances))])
  }
}

extension TokenReport {
  /// Bins of losses and weights.
  private static let bins = 30

  var histograms: [Histogram] {
    var charts: [Histogram] = []
    // Two lie over each other; of more each has its own.
    let shown = models.filter { $0.histogram.count > 1 }
    let groups = shown.count <= 2 ? [shown] : shown.map { [$0] }
    for group in groups where !group.isEmpty {
      let bins = group[0].histogram.count
      let series = group.enumerated().map { place, model in
        Histogram.Series(ReportDocument.name(model, place), model.histogram.map(Double.init))
      }
      charts.append(
        Histogram(
          group.count == 1 && shown.count > 1 ? series[0].name : "Probability of the target tokens", x: Axis("probability"),
          y: Axis("tokens"),
          edges: (0...bins).map { Double($0) / Double(bins) }, series: series))
    }
    let losses = losses.compactMap(\.self).filter(\.isFinite)
    if losses.count > 1 {
      charts.append(
        Histogram("Loss by record", x: Axis("mean loss"), y: Axis("records"), bins: Self.bins, samples: [("records", losses)]))
    }
    let weights = weights.compactMap(\.self).filter(\.isFinite)
    if weights.count > 1 {
      charts.append(
        Histogram("Weight by record", x: Axis("weight"), y: Axis("records"), bins: Self.bins, samples: [("records", weights)]))
    }
    return charts
  }
}

extension DataReport {
  var lengthBars: BarPlot {
    BarPlot(
      instance, value: Axis("records"), categories: histogram.map { "≤ \($0.upTo) tokens" },
      series: [.init("records", histogram.map { PlottedValue(Double($0.records)) })])
  }
}

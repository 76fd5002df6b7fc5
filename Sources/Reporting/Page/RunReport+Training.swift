import Artifacts
import Plotting

// Curves of the trainings, a chart a metric, all trainings over each other.

extension RunReport {
  /// So many points the page holds of all curves together; each series keeps its peaks.
  private static let mostPoints = 160_000
  /// What is drawn without script, of all that the data holds.
  private static let mostDrawn = (series: 24, points: 240)
  /// Charts that are open; the rest are below, folded.
  private static let mostOpen = 12

  private struct Metric {
    let name: String
    /// Places in `curves`, and the series there.
    var series: [(set: Int, series: CurveSet.Series)]
  }

  var trainingSection: PageSection? {
    let metrics = metrics
    guard !metrics.isEmpty else { return nil }
    let count = metrics.reduce(0) { $0 + $1.series.count }
    let most = min(2_000, max(60, Self.mostPoints / max(count, 1)))
    return PageSection("training", "Training", count: curves.count) { html in
      html.element("div", ["class": "filters", "id": "training-filters", "hidden": ""]) { _ in }
      html.element("div", ["class": "grid"]) { html in
        for (place, metric) in metrics.prefix(Self.mostOpen).enumerated() { html.add(figure(metric, place, most)) }
      }
      if metrics.count > Self.mostOpen {
        html.element("details") { html in
          html.element("summary", Count.text(metrics.count - Self.mostOpen, "more metric"))
          html.element("div", ["class": "grid"]) { html in
            for (place, metric) in metrics.enumerated().dropFirst(Self.mostOpen) { html.add(figure(metric, place, most)) }
          }
        }
      }
      var document = ReportDocument()
      document.addCurves(curves)
      html.element("details") { html in
        html.element("summary", "First and last values")
        html.add(document.withoutHeadings)
      }
    }
  }

  private func figure(_ metric: Metric, _ place: Int, _ most: Int) -> PageFigure {
    func plot(_ count: Int, _ points: Int) -> LinePlot {
      LinePlot(
        metric.name, x: Axis("step"), y: Axis(""),
        series: metric.series.prefix(count).map { set, series in
          LinePlot.Series(curves[set].instance, series.reduced(to: points).points.map { .init(Double($0.step), $0.value) })
        })
    }
    // Of many trainings those that have the metric share out its colours.
    let hasOwnColors = curves.count > ChartStyle.coloredSeries
    return PageFigure(
      lines: plot(.max, most), drawn: plot(Self.mostDrawn.series, Self.mostDrawn.points),
      colors: hasOwnColors ? nil : metric.series.map(\.set),
      id: "curve\(place)", width: PageFigure.half, height: 250)
  }

  /// In the order in which they are looked at; unknown ones as they come.
  private static let order = [
    "loss", "reward", "reward_std", "kl", "entropy", "mean_token_accuracy", "grad_norm", "learning_rate", "completions/mean_length",
    "completions/clipped_ratio", "frac_reward_zero_std", "clip_ratio/region_mean",
  ]

  private var metrics: [Metric] {
    var metrics: [Metric] = []
    var places: [String: Int] = [:]
    for (set, curve) in curves.enumerated() {
      for series in curve.series where series.name != "epoch" && series.name != "step_time" {
        if let place = places[series.name] {
          metrics[place].series.append((set, series))
        } else {
          places[series.name] = metrics.count
          metrics.append(Metric(name: series.name, series: [(set, series)]))
        }
      }
    }
    func rank(_ name: String) -> Int {
      if let place = Self.order.firstIndex(of: name) { return 10 * place }
      // Rewards by component stand behind the reward, looks at suites behind the rest that is known.
      return name.hasPrefix("rewards/") ? 11 : name.hasPrefix("eval") ? 1_000 : 2_000
    }
    return metrics.enumerated().sorted { (rank($0.element.name), $0.offset) < (rank($1.element.name), $1.offset) }.map(\.element)
  }
}

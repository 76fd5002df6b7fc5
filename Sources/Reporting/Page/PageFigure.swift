import JSONValues
import Plotting

/// A chart on a page: its picture, which needs no script, and its numbers, from which the script makes table, CSV and other views.
struct PageFigure {
  let svg: String
  /// What stands behind it; `kind` says how the script reads it.
  let data: JSONValue
  let label: String

  static let wide = 1080.0
  static let half = 528.0

  init(_ chart: some Chart, id: String, width: Double = Self.wide, height: Double? = nil) {
    svg = chart.svg(ChartStyle(width: width, height: height, idPrefix: id))
    label = chart.title
    data = PageJSON.table(chart.data, title: chart.title)
  }

  /// A line plot that the script draws anew: smoothed, with a logarithmic axis, as wide as there is room.
  ///
  /// - Parameters:
  ///   - drawn: what the picture without script shows, where that is less than everything.
  ///   - colors: by series, the place of its colour; the same thing has the same colour in all charts of a section.
  init(lines plot: LinePlot, drawn: LinePlot? = nil, colors: [Int]? = nil, id: String, width: Double = Self.wide, height: Double? = nil) {
    svg = (drawn ?? plot).svg(ChartStyle(width: width, height: height, idPrefix: id))
    label = plot.title
    data = PageJSON.lines(plot, colors: colors)
  }
}

extension HTMLWriter {
  mutating func add(_ figure: PageFigure, class name: String = "") {
    element("figure", ["class": name.isEmpty ? "plot" : "plot \(name)"]) { html in
      html.element("div", ["class": "chart-frame", "tabindex": "0", "role": "region", "aria-label": figure.label]) { html in
        html.add(HTMLFragment(text: figure.svg))
      }
      html.addData(figure.data)
    }
    lineBreak()
  }

  /// For the script of the page; a browser neither runs nor shows it.
  mutating func addData(_ data: JSONValue, id: String? = nil) {
    element("script", ["type": "application/json", "id": id]) { html in html.add(HTMLFragment(text: PageJSON.text(data))) }
  }
}

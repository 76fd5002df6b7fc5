/// How large a chart is drawn, and where its colours come from. What it shows is no matter of style.
package struct ChartStyle: Sendable {
  package enum Sheet: Sendable {
    /// The page has `ChartStyle.css`, or one of its own.
    case page
    /// The chart is a file of its own and carries `ChartStyle.css`.
    case embedded
  }

  /// In CSS pixels, as drawn; a page may scale it. From 300 up everything has its place.
  package let width: Double
  /// Of the plot with its axes; nil for what suits the kind of chart. Heatmaps, bars, time lines and graphs are as high as they need.
  package let height: Double?
  /// Begins the ids of a page's charts, where each needs one of its own.
  package let idPrefix: String
  package let sheet: Sheet

  package init(width: Double = 720, height: Double? = nil, idPrefix: String = "chart", sheet: Sheet = .page) {
    self.width = min(max(width.isFinite ? width : 720, 300), 10_000)
    self.height = height.map { min(max($0.isFinite ? $0 : 320, 160), 10_000) }
    self.idPrefix = idPrefix
    self.sheet = sheet
  }

  /// So many series have a colour of their own; further ones are grey and named where one points.
  package static let coloredSeries = 10

  /// `s1` … `s10`, then `s0`.
  static func seriesClass(_ index: Int) -> String { "s\(index < coloredSeries ? index + 1 : 0)" }
}

extension ChartStyle {
  /// Colours as variables of the document's root: light; dark where the reader prefers it or `data-theme="dark"` says so; light on paper.
  ///
  /// A chart that has to be wider than the page keeps its size, and on a telephone every one does: its text would be too small to read. The
  /// element around it, `chart-frame`, scrolls.
  package static let css = """
    :root{\(variables(.light))}
    @media screen and (prefers-color-scheme:dark){:root:not([data-theme="light"]){\(variables(.dark))}}
    @media screen{:root[data-theme="dark"]{\(variables(.dark))}}
    \(rules)
    \((0...coloredSeries).map(seriesRule).joined(separator: "\n"))
    \((-Palette.steps...Palette.steps).map { ".chart .\(stepClass($0)){fill:var(--\(stepClass($0)))}" }.joined(separator: "\n"))
    \(InstanceState.allCases.map(stateRule).joined(separator: "\n"))
    @media print{.chart{break-inside:avoid}.chart,.chart *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}

    """

  /// `d0`, `loss3`, `gain6`.
  static func stepClass(_ step: Int) -> String { step == 0 ? "d0" : step < 0 ? "loss\(-step)" : "gain\(step)" }

  private static func variables(_ palette: Palette) -> String {
    var values = [
      ("ground", palette.background), ("text", palette.text), ("muted", palette.muted), ("grid", palette.grid), ("axis", palette.axis),
    ]
    values += palette.series.enumerated().map { ("s\($0.offset)", $0.element) }
    values += (-Palette.steps...Palette.steps).map { (stepClass($0), palette.step($0)) }
    for state in InstanceState.allCases {
      values += [("\(state)-fill", palette.state(state).fill), ("\(state)-line", palette.state(state).line)]
    }
    return values.map { "--\($0.0):\($0.1.hex)" }.joined(separator: ";")
  }

  private static let rules = """
    .chart{display:block;max-width:100%;height:auto;font:12px/1.3 system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
    .chart.graph,.chart.heatmap,.chart.timeline{max-width:none}
    @media (max-width:640px){.chart{max-width:none}}
    .chart-frame{overflow-x:auto}
    .chart text{fill:var(--text);unicode-bidi:isolate;white-space:pre}
    .chart .head{font-size:15px;font-weight:600}
    .chart .muted{fill:var(--muted)}
    .chart .strong{font-weight:600}
    .chart .small{font-size:11px}
    .chart .middle{text-anchor:middle}
    .chart .end{text-anchor:end}
    .chart .grid{stroke:var(--grid);stroke-width:1;fill:none}
    .chart .axis{stroke:var(--axis);stroke-width:1;fill:none}
    .chart .ground{fill:var(--ground)}
    .chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
    .chart .mark{stroke:var(--ground);stroke-width:1}
    .chart .line,.chart .whisker{stroke:var(--c)}
    .chart .mark,.chart .bar,.chart .band{fill:var(--c)}
    .chart .band{opacity:.16}
    .chart .whisker{stroke-width:1.5;fill:none}
    .chart .bar .whisker,.chart .over{stroke:var(--text);stroke-width:1.25;fill:none}
    .chart .front{fill:none;stroke:var(--muted);stroke-width:1.5;stroke-dasharray:6 4}
    .chart .halo{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}
    .chart .leader{stroke:var(--muted);stroke-width:.75;fill:none}
    .chart .before{fill:none;stroke:var(--c);stroke-width:2;stroke-dasharray:5 3}
    .chart .after{fill:var(--c);opacity:.55}
    .chart .cell{stroke:var(--ground);stroke-width:2}
    .chart .absent{fill:none;stroke:var(--grid);stroke-width:1}
    .chart .node,.chart .span{stroke-width:1.5}
    .chart .critical>.node,.chart .span.critical{stroke-width:3.5;stroke:var(--text)}
    .chart .edge{fill:none;stroke:var(--axis);stroke-width:1.25}
    .chart .arrow{fill:var(--axis);stroke:none}
    .chart .edge.critical{stroke:var(--text);stroke-width:2.75}
    .chart .arrow.critical{fill:var(--text)}
    .chart .edge.carried{stroke-dasharray:5 4}
    """

  /// Lines differ by their dashes as well, marks by their shapes.
  private static let dashes = ["1 4", "", "8 4", "2 4", "10 4 2 4", "5 3", "14 5", "6 3 2 3 2 3", "3 3", "12 3 4 3", "1 3 6 3"]

  private static func seriesRule(_ index: Int) -> String {
    let dash = dashes[index].isEmpty ? "" : ".chart .line.s\(index){stroke-dasharray:\(dashes[index])}"
    return ".chart .s\(index){--c:var(--s\(index))}\(dash)"
  }

  private static func stateRule(_ state: InstanceState) -> String {
    let isOpen = state == .waiting || state == .waits || state == .skipped
    return """
      .chart .\(state){fill:var(--\(state)-fill);stroke:var(--\(state)-line)\(isOpen ? ";stroke-dasharray:4 3" : "")}
      .chart .share.\(state){fill:var(--\(state)-line);stroke:none}
      """
  }
}

/// The room between two axes, with grid, ticks and titles; turns values into places. It does not know what is drawn in it.
struct PlotFrame {
  let x: PlotScale
  let y: PlotScale
  let left, right, top, bottom: Double
  let width: Double
  /// Of the whole chart.
  let height: Double
  /// Between the ends of the axes and what lies there, so that marks are whole.
  private let inset: Double
  private let notes: [String]
  private let isEmpty: Bool

  static let defaultHeight = 300.0

  init(
    _ style: ChartStyle, head: ChartHead, x xAxis: Axis, _ xs: [Double], y yAxis: Axis, _ ys: [Double], notes: [String] = [],
    inset: Double = 0
  ) {
    let plotHeight = style.height ?? Self.defaultHeight
    width = style.width
    y = PlotScale(yAxis, ys, count: max(3, Int(plotHeight / 55)))
    let labels = y.ticks.map { TextMetrics.width(Self.fitted($0.label, 120), size: 12) }.max() ?? 0
    left = max(28, labels + 18)
    right = width - 18
    top = head.height + (yAxis.label.isEmpty ? 8 : 24)
    bottom = top + plotHeight - 60
    let perTick: Double = if case .named = xAxis.scale { 64 } else { 76 }
    x = PlotScale(xAxis, xs, count: max(2, Int((right - left) / perTick)))
    self.notes = notes
    self.inset = inset
    isEmpty = !xs.contains(where: xAxis.shows) || !ys.contains(where: yAxis.shows)
    height = bottom + 24 + (xAxis.label.isEmpty ? 0 : 20) + Double(notes.count) * 16 + 6
  }

  func place(x value: Double) -> Double { left + inset + (right - left - 2 * inset) * x.share(value) }
  func place(y value: Double) -> Double { bottom - inset - (bottom - top - 2 * inset) * y.share(value) }

  /// Everything that lies below the data.
  func draw(_ writer: inout SVGWriter) {
    writer.open("g", ["class": "axes"])
    for tick in y.ticks {
      let height = place(y: tick.value)
      line("grid", left, height, right, height, &writer)
      writer.label(Self.fitted(tick.label, 120), ["class": "muted end", "x": left - 7, "y": height + 4], whole: tick.label)
    }
    let room = x.ticks.count > 1 ? abs(place(x: x.ticks[1].value) - place(x: x.ticks[0].value)) - 8 : right - left
    for tick in x.ticks {
      let middle = place(x: tick.value)
      line("axis", middle, bottom, middle, bottom + 5, &writer)
      let text = Self.fitted(tick.label, room)
      // The outermost labels stay inside the picture.
      let half = TextMetrics.width(text, size: 12) / 2
      writer.label(
        text, ["class": "muted middle", "x": min(max(middle, half + 2), width - half - 2), "y": bottom + 19], whole: tick.label)
    }
    line("axis", left, bottom, right, bottom, &writer)
    title(y.axis.label, ["class": "small", "x": 12.0, "y": top - 9], &writer)
    if !x.axis.label.isEmpty { title(x.axis.label, ["class": "small end", "x": right, "y": bottom + 37], &writer) }
    if isEmpty { writer.label("no data", ["class": "muted middle", "x": (left + right) / 2, "y": (top + bottom) / 2]) }
    writer.close()
    writer.notes(notes, x: 12, y: height - Double(notes.count) * 16 - 6, width: width)
  }

  private func title(_ text: String, _ attributes: SVGWriter.Attributes, _ writer: inout SVGWriter) {
    guard !text.isEmpty else { return }
    writer.label(TextMetrics.fitted(text, width: width - 30, size: 11), attributes, whole: text)
  }

  private func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ writer: inout SVGWriter) {
    writer.add("line", ["class": name, "x1": x1, "y1": y1, "x2": x2, "y2": y2])
  }

  private static func fitted(_ text: String, _ width: Double) -> String { TextMetrics.fitted(text, width: max(width, 20), size: 12) }

  /// What the reader is told of values without a place.
  static func note(hidden: Int, _ x: Axis, _ y: Axis) -> [String] {
    guard hidden > 0 else { return [] }
    let isLogarithmic = x.scale == .logarithmic || y.scale == .logarithmic
    return ["\(hidden) \(hidden == 1 ? "point" : "points") not drawn: not finite\(isLogarithmic ? ", or not above 0" : "")"]
  }
}

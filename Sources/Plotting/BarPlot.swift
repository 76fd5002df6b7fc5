/// A number each for some names, by several series: metrics by method. The bars lie, so that names of any length can be read.
package struct BarPlot: Chart {
  package struct Series: Sendable, Equatable {
    package let name: String
    /// In the order of the categories; nil where there is none.
    package let values: [PlottedValue?]

    package init(_ name: String, _ values: [PlottedValue?]) { (self.name, self.values) = (name, values) }
  }

  package let title: String
  package let value: Axis
  package let categories: [String]
  package let series: [Series]

  package init(_ title: String, value: Axis, categories: [String], series: [Series]) {
    self.title = title
    self.value = value
    self.categories = categories
    self.series = series
  }

  /// Further ones are in the table.
  private static let mostBars = 600

  package var data: ChartData {
    var data = ChartData(["category", "series", value.label, "low", "high"])
    for (place, category) in categories.enumerated() {
      for one in series {
        let estimate = place < one.values.count ? one.values[place] : nil
        data.add([.text(category), .text(one.name), .init(estimate?.value), .init(estimate?.low), .init(estimate?.high)])
      }
    }
    return data
  }

  private struct Layout {
    let scale: PlotScale
    let left, right, top, thickness, group: Double

    func place(_ value: Double) -> Double { left + (right - left) * scale.share(value) }
  }

  package func svg(_ style: ChartStyle) -> String {
    let shown = min(categories.count, max(1, Self.mostBars / max(series.count, 1)))
    let head = ChartHead(title, series.count > 1 ? ChartHead.series(series.map(\.name)) { .mark($0) } : [], width: style.width)
    let drawn = series.flatMap { $0.values.prefix(shown) }.compactMap(\.self).filter { value.shows($0.value) }
    let values = drawn.flatMap { [$0.value, $0.low ?? $0.value, $0.high ?? $0.value] }
    let names = categories.prefix(shown).map { TextMetrics.width(Markup.shortened($0, to: 60), size: 12) }
    let left = min(max(names.max() ?? 0, 20) + 20, style.width * 0.38)
    let right = style.width - 66
    let axis = value.scale == .linear ? Axis(value.title, unit: value.unit, scale: .linearFromZero) : value
    let thickness = series.count > 4 ? 10.0 : series.count > 1 ? 13 : 16
    let layout = Layout(
      scale: PlotScale(axis, values, count: max(2, Int((right - left) / 70))), left: left, right: right, top: head.height + 6,
      thickness: thickness, group: Double(max(series.count, 1)) * thickness + 12)
    let missing = series.reduce(0) { sum, one in
      sum + (0..<shown).count { place in place < one.values.count && one.values[place].map { !value.shows($0.value) } ?? false }
    }
    var notes = missing > 0 ? ["\(missing) \(missing == 1 ? "value" : "values") not drawn: not finite"] : []
    if shown < categories.count { notes.append("\(categories.count - shown) more in the table") }
    let bottom = layout.top + Double(shown) * layout.group
    let height = bottom + 24 + (value.label.isEmpty ? 0 : 20) + Double(notes.count) * 16 + 6
    var writer = SVGWriter()
    writer.openChart("bars", title, style, width: style.width, height: height)
    head.draw(&writer)
    drawAxis(layout, bottom: bottom, isEmpty: drawn.isEmpty, &writer)
    for place in 0..<shown { draw(place, layout, &writer) }
    writer.notes(notes, x: 12, y: height - Double(notes.count) * 16 - 6, width: style.width)
    writer.closeChart()
    return writer.text
  }

  // MARK: - Parts

  private func drawAxis(_ layout: Layout, bottom: Double, isEmpty: Bool, _ writer: inout SVGWriter) {
    writer.open("g", ["class": "axes"])
    for tick in layout.scale.ticks {
      let x = layout.place(tick.value)
      writer.add("line", ["class": tick.value == 0 ? "axis" : "grid", "x1": x, "y1": layout.top, "x2": x, "y2": bottom])
      writer.label(tick.label, ["class": "muted middle", "x": x, "y": bottom + 17])
    }
    if !value.label.isEmpty {
      let label = TextMetrics.fitted(value.label, width: layout.right - 12, size: 11)
      writer.label(label, ["class": "small end", "x": layout.right, "y": bottom + 36], whole: value.label)
    }
    if isEmpty { writer.label("no data", ["class": "muted middle", "x": (layout.left + layout.right) / 2, "y": layout.top + 16]) }
    writer.close()
  }

  private func draw(_ place: Int, _ layout: Layout, _ writer: inout SVGWriter) {
    let top = layout.top + Double(place) * layout.group + 6
    let name = TextMetrics.fitted(categories[place], width: layout.left - 20, size: 12)
    writer.label(
      name, ["class": "end", "x": layout.left - 8, "y": top + (layout.group - 12) / 2 + 4], whole: categories[place])
    for (index, one) in series.enumerated() {
      guard place < one.values.count, let estimate = one.values[place], value.shows(estimate.value) else { continue }
      draw(estimate, index, place, top + Double(index) * layout.thickness, layout, &writer)
    }
  }

  private func draw(_ estimate: PlottedValue, _ index: Int, _ place: Int, _ y: Double, _ layout: Layout, _ writer: inout SVGWriter) {
    let (zero, end) = (layout.place(value.scale == .logarithmic ? layout.scale.lower : 0), layout.place(estimate.value))
    let (height, middle) = (layout.thickness - 2, y + layout.thickness / 2 - 1)
    writer.add(
      "rect",
      [
        "class": "bar \(ChartStyle.seriesClass(index))", "x": min(zero, end), "y": y, "width": max(abs(end - zero), 0.75), "height": height,
        "data-series": index, "data-x": place, "data-y": NumberText.exact(estimate.value),
      ],
      title: [Markup.shortened(series[index].name, to: 200), Markup.shortened(categories[place], to: 200), estimate.text])
    var rightmost = max(zero, end)
    if let interval = estimate.interval {
      let (low, high) = (layout.place(interval.lowerBound), layout.place(interval.upperBound))
      var path = SVGPath()
      path.move(low, middle)
      path.line(high, middle)
      for x in [low, high] {
        path.move(x, middle - 3)
        path.line(x, middle + 3)
      }
      writer.add("path", ["class": "over", "d": path])
      rightmost = max(rightmost, high)
    }
    // Its series' mark stands at the end of a bar, for colour alone would tell them apart otherwise.
    if series.count > 1 { Mark.swatch(index, rightmost + 9, middle, &writer) }
    writer.label(
      NumberText.short(estimate.value, significant: 3),
      ["class": "small muted", "x": rightmost + (series.count > 1 ? 17 : 5), "y": middle + 4])
  }
}

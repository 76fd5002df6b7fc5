/// How often values fall between edges; two series lie over each other, the first as an outline: before and after.
package struct Histogram: Chart {
  package struct Series: Sendable, Equatable {
    package let name: String
    /// One fewer than there are edges.
    package let counts: [Double]

    package init(_ name: String, _ counts: [Double]) { (self.name, self.counts) = (name, counts) }
  }

  package let title: String
  package let x: Axis
  /// "prompts", "tokens": what is counted.
  package let y: Axis
  /// Ascending.
  package let edges: [Double]
  package let series: [Series]

  package init(_ title: String, x: Axis, y: Axis, edges: [Double], series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.edges = edges
    self.series = series
  }

  /// Counts samples in so many bins of equal width; what is not finite is counted nowhere.
  package init(_ title: String, x: Axis, y: Axis, bins: Int, samples: [(name: String, values: [Double])]) {
    let finite = samples.map { (name: $0.name, values: $0.values.filter(\.isFinite)) }
    let low = finite.compactMap { $0.values.min() }.min() ?? 0
    let high = finite.compactMap { $0.values.max() }.max() ?? 1
    let count = min(max(bins, 1), 1000)
    let (lower, upper) = low < high ? (low, high) : (low - 0.5, low + 0.5)
    let edges = (0...count).map { lower + (upper - lower) * (Double($0) / Double(count)) }
    let series = finite.map { sample in
      var counts = Array(repeating: 0.0, count: count)
      for value in sample.values {
        let share = (value / 2 - lower / 2) / (upper / 2 - lower / 2)
        counts[min(Int(share * Double(count)), count - 1)] += 1
      }
      return Series(sample.name, counts)
    }
    self.init(title, x: x, y: y, edges: edges, series: series)
  }

  package var data: ChartData {
    var data = ChartData(["series", "from", "to", y.label])
    for one in series {
      for (bin, count) in bins(one).enumerated() {
        data.add([.text(one.name), .number(edges[bin]), .number(edges[bin + 1]), .number(count)])
      }
    }
    return data
  }

  private func bins(_ series: Series) -> ArraySlice<Double> { series.counts.prefix(max(0, edges.count - 1)) }

  package func svg(_ style: ChartStyle) -> String {
    let head = ChartHead(title, series.count > 1 ? ChartHead.series(series.map(\.name), swatch) : [], width: style.width)
    let counts = series.flatMap { bins($0) }
    let axis = y.scale == .linear ? Axis(y.title, unit: y.unit, scale: .linearFromZero) : y
    let small = ChartStyle(width: style.width, height: style.height ?? 240, idPrefix: style.idPrefix, sheet: style.sheet)
    let hidden = counts.count { !y.shows($0) && $0 != 0 }
    let isEmpty = edges.count < 2 || counts.isEmpty
    let frame = PlotFrame(
      small, head: head, x: x, isEmpty ? [] : edges, y: axis, isEmpty ? [] : [0] + counts, notes: PlotFrame.note(hidden: hidden, x, y))
    var writer = SVGWriter()
    writer.openChart("histogram", title, style, width: style.width, height: frame.height)
    head.draw(&writer)
    frame.draw(&writer)
    // The outline lies over what is filled.
    for index in series.indices.reversed() { draw(index, frame, &writer) }
    writer.closeChart()
    return writer.text
  }

  private var hasOutline: Bool { series.count > 1 }

  private func swatch(_ index: Int) -> ChartHead.Swatch { hasOutline && index == 0 ? .before(0) : .after(index) }

  private func draw(_ index: Int, _ frame: PlotFrame, _ writer: inout SVGWriter) {
    let kind = "\(hasOutline && index == 0 ? "before" : "after") \(ChartStyle.seriesClass(index))"
    writer.open("g", ["class": "series", "data-series": index])
    for (bin, count) in bins(series[index]).enumerated() where count != 0 && y.shows(count) {
      guard edges[bin].isFinite, edges[bin + 1].isFinite else { continue }
      let (left, right) = (frame.place(x: edges[bin]), frame.place(x: edges[bin + 1]))
      let top = frame.place(y: count)
      writer.add(
        "rect",
        [
          "class": kind, "x": min(left, right) + 0.5, "y": top, "width": max(abs(right - left) - 1, 0.5),
          "height": max(frame.bottom - top, 0), "data-series": index, "data-x": NumberText.exact(edges[bin]),
          "data-y": NumberText.exact(count),
        ],
        title: [
          Markup.shortened(series[index].name, to: 200), "\(NumberText.short(edges[bin])) to \(NumberText.short(edges[bin + 1]))",
          "\(NumberText.short(count, significant: 9)) \(y.label)",
        ])
    }
    writer.close()
  }
}

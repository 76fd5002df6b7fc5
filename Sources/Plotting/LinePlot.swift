/// Values that follow one another: a loss over steps, a task's score over a sequence of tasks. Lines break where there is no number.
package struct LinePlot: Chart {
  package struct Point: Sendable, Equatable {
    package let x: Double
    package let y: PlottedValue

    package init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = PlottedValue(y, low: low, high: high)
    }
  }

  package struct Series: Sendable, Equatable {
    package let name: String
    package let points: [Point]

    package init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
  }

  package let title: String
  package let x: Axis
  package let y: Axis
  package let series: [Series]

  package init(_ title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }

  /// Above so many points of a series, or of all together, lines alone are drawn: marks would be another line, and the most of the file.
  static let mostMarks = (series: 60, all: 240)

  package var data: ChartData {
    let hasIntervals = series.contains { $0.points.contains { $0.y.interval != nil } }
    var data = ChartData(["series", x.label, y.label] + (hasIntervals ? ["low", "high"] : []))
    for one in series {
      for point in one.points {
        data.add(
          [.text(one.name), x.cell(point.x), .number(point.y.value)] + (hasIntervals ? [.init(point.y.low), .init(point.y.high)] : []))
      }
    }
    return data
  }

  package func svg(_ style: ChartStyle) -> String {
    let drawn = series.map { $0.thinned(to: 2 * Int(style.width)) }
    let points = drawn.flatMap(\.points).filter(isShown)
    let hidden = series.reduce(0) { $0 + $1.points.count { !isShown($0) } }
    let head = ChartHead(title, series.count > 1 ? ChartHead.series(series.map(\.name)) { .line($0) } : [], width: style.width)
    let frame = PlotFrame(
      style, head: head, x: x, points.map(\.x), y: y, points.flatMap { [$0.y.value, $0.y.low ?? $0.y.value, $0.y.high ?? $0.y.value] },
      notes: PlotFrame.note(hidden: hidden, x, y))
    var writer = SVGWriter()
    writer.openChart("lines", title, style, width: style.width, height: frame.height)
    head.draw(&writer)
    frame.draw(&writer)
    let hasMarks = drawn.reduce(0) { $0 + $1.points.count } <= Self.mostMarks.all
    // The first series lie on top.
    for index in drawn.indices.reversed() { draw(drawn[index], index, hasMarks: hasMarks, frame, &writer) }
    writer.closeChart()
    return writer.text
  }

  private func isShown(_ point: Point) -> Bool { x.shows(point.x) && y.shows(point.y.value) }

  private func draw(_ series: Series, _ index: Int, hasMarks: Bool, _ frame: PlotFrame, _ writer: inout SVGWriter) {
    let name = ChartStyle.seriesClass(index)
    writer.open("g", ["class": "series \(name)", "data-series": index])
    let runs = series.points.split { !isShown($0) }
    for run in runs where run.count > 1 && run.contains(where: { $0.y.interval != nil }) {
      writer.add("path", ["class": "band \(name)", "d": band(run, frame)])
    }
    var path = SVGPath()
    for run in runs {
      for (place, point) in run.enumerated() {
        let (x, y) = (frame.place(x: point.x), frame.place(y: point.y.value))
        if place == 0 { path.move(x, y) } else { path.line(x, y) }
      }
    }
    if !path.svg.isEmpty { writer.add("path", ["class": "line \(name)", "d": path], title: [Markup.shortened(series.name, to: 200)]) }
    let hasMarks = hasMarks && series.points.count <= Self.mostMarks.series
    for run in runs where hasMarks || run.count == 1 {
      for point in run { mark(point, series.name, index, frame, &writer) }
    }
    writer.close()
  }

  private func mark(_ point: Point, _ name: String, _ index: Int, _ frame: PlotFrame, _ writer: inout SVGWriter) {
    Mark.draw(
      index, frame.place(x: point.x), frame.place(y: point.y.value), radius: 3.5,
      Mark.Data(series: index, x: NumberText.exact(point.x), y: NumberText.exact(point.y.value)),
      title: [Markup.shortened(name, to: 200), "\(x.label): \(x.text(point.x))", "\(y.label): \(point.y.text)"], &writer)
  }

  private func band(_ run: ArraySlice<Point>, _ frame: PlotFrame) -> SVGPath {
    var path = SVGPath()
    func end(_ point: Point, _ value: Double?) -> Double {
      frame.place(y: value.flatMap { y.shows($0) ? $0 : nil } ?? point.y.value)
    }
    for (place, point) in run.enumerated() {
      let (x, y) = (frame.place(x: point.x), end(point, point.y.high))
      if place == 0 { path.move(x, y) } else { path.line(x, y) }
    }
    for point in run.reversed() { path.line(frame.place(x: point.x), end(point, point.y.low)) }
    path.close()
    return path
  }
}

extension LinePlot.Series {
  /// At most so many points, of every stretch its lowest and its highest, so that no peak is lost.
  package func thinned(to count: Int) -> Self {
    let buckets = max(1, count / 2)
    guard points.count > count else { return self }
    var kept: [LinePlot.Point] = []
    kept.reserveCapacity(2 * buckets)
    for bucket in 0..<buckets {
      let range = points.count * bucket / buckets..<points.count * (bucket + 1) / buckets
      let finite = range.filter { points[$0].y.value.isFinite }
      guard let low = finite.min(by: { points[$0].y.value < points[$1].y.value }),
        let high = finite.max(by: { points[$0].y.value < points[$1].y.value })
      else {
        // A stretch without a number stays a gap.
        if let first = range.first { kept.append(points[first]) }
        continue
      }
      kept += low == high ? [points[low]] : [points[min(low, high)], points[max(low, high)]]
    }
    return Self(name, kept)
  }
}

extension Axis {
  /// A value as data: the name where the axis has names.
  func cell(_ value: Double) -> ChartData.Cell {
    if case .named(let names) = scale, let place = Int(exactly: value), names.indices.contains(place) { return .text(names[place]) }
    return .number(value)
  }
}

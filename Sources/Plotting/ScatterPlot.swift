/// Points by two measures, higher being better on both: what was learned against what was kept. It draws their Pareto front and names them.
package struct ScatterPlot: Chart {
  package struct Point: Sendable, Equatable {
    package let name: String
    /// Whose it is: an index into `series`.
    package let series: Int
    package let x: PlottedValue
    package let y: PlottedValue

    package init(_ name: String, series: Int = 0, x: PlottedValue, y: PlottedValue) {
      self.name = name
      self.series = series
      self.x = x
      self.y = y
    }
  }

  package enum Front: Sendable, Equatable {
    case none
    /// Of all points, by their values.
    case computed
    /// Indices of points, as whoever knows more about them says.
    case given([Int])
  }

  package let title: String
  package let x: Axis
  package let y: Axis
  /// Names of what has a colour and a shape; one or none needs no legend.
  package let series: [String]
  package let points: [Point]
  /// Indices into `points`, from the left to the right.
  package let front: [Int]

  package init(_ title: String, x: Axis, y: Axis, series: [String] = [], points: [Point], front: Front = .computed) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.points = points
    let members: [Int] =
      switch front {
      case .none: []
      case .computed: Self.front(points)
      case .given(let indices): indices.filter(points.indices.contains)
      }
    self.front = members.filter { x.shows(points[$0].x.value) && y.shows(points[$0].y.value) }
      .sorted { (points[$0].x.value, -points[$0].y.value, $0) < (points[$1].x.value, -points[$1].y.value, $1) }
  }

  /// Those that no other is at least as good as on both measures and better on one.
  package static func front(_ points: [Point]) -> [Int] {
    let finite = points.indices.filter { points[$0].x.value.isFinite && points[$0].y.value.isFinite }
    let ordered = finite.sorted { (-points[$0].x.value, -points[$0].y.value, $0) < (-points[$1].x.value, -points[$1].y.value, $1) }
    var front: [Int] = []
    for index in ordered {
      guard let last = front.last.map({ points[$0] }) else {
        front.append(index)
        continue
      }
      let (x, y) = (points[index].x.value, points[index].y.value)
      if y > last.y.value || (y == last.y.value && x == last.x.value) { front.append(index) }
    }
    return front
  }

  package var data: ChartData {
    var data = ChartData(["point", "series", x.label, "x low", "x high", y.label, "y low", "y high", "front"])
    let members = Set(front)
    for (index, point) in points.enumerated() {
      data.add([
        .text(point.name), series.indices.contains(point.series) ? .text(series[point.series]) : .missing, x.cell(point.x.value),
        .init(point.x.low), .init(point.x.high), y.cell(point.y.value), .init(point.y.low), .init(point.y.high),
        .text(members.contains(index) ? "front" : ""),
      ])
    }
    return data
  }

  package func svg(_ style: ChartStyle) -> String {
    let shown = points.indices.filter { x.shows(points[$0].x.value) && y.shows(points[$0].y.value) }
    var entries = series.count > 1 ? ChartHead.series(series) { .mark($0) } : []
    if front.count > 1 { entries.append(.init(name: "Pareto front", swatch: .front)) }
    let head = ChartHead(title, entries, width: style.width)
    let tall = ChartStyle(width: style.width, height: style.height ?? 380, idPrefix: style.idPrefix, sheet: style.sheet)
    let frame = PlotFrame(
      tall, head: head, x: x, shown.flatMap { Self.extent(points[$0].x, x) }, y: y, shown.flatMap { Self.extent(points[$0].y, y) },
      notes: PlotFrame.note(hidden: points.count - shown.count, x, y), inset: 10)
    var writer = SVGWriter()
    writer.openChart("scatter", title, style, width: style.width, height: frame.height)
    head.draw(&writer)
    frame.draw(&writer)
    drawFront(frame, &writer)
    for index in shown { drawInterval(points[index], frame, &writer) }
    for index in shown.reversed() { drawMark(points[index], frame, &writer) }
    drawNames(shown, frame, &writer)
    writer.closeChart()
    return writer.text
  }

  /// Value, low, high.
  private static func extent(_ estimate: PlottedValue, _ axis: Axis) -> [Double] {
    [estimate.value] + [estimate.low, estimate.high].map { end in end.flatMap { axis.shows($0) ? $0 : nil } ?? estimate.value }
  }

  // MARK: - Parts

  private func drawFront(_ frame: PlotFrame, _ writer: inout SVGWriter) {
    guard front.count > 1 else { return }
    var path = SVGPath()
    for (place, index) in front.enumerated() {
      let (x, y) = (frame.place(x: points[index].x.value), frame.place(y: points[index].y.value))
      if place == 0 { path.move(x, y) } else { path.line(x, y) }
    }
    writer.add("path", ["class": "front", "d": path], title: ["Pareto front"])
  }

  private func drawInterval(_ point: Point, _ frame: PlotFrame, _ writer: inout SVGWriter) {
    let name = "whisker \(ChartStyle.seriesClass(max(0, point.series)))"
    let (x, y) = (frame.place(x: point.x.value), frame.place(y: point.y.value))
    if let interval = point.x.interval {
      let (low, high) = (frame.place(x: interval.lowerBound), frame.place(x: interval.upperBound))
      writer.add("line", ["class": name, "x1": low, "y1": y, "x2": high, "y2": y])
    }
    if let interval = point.y.interval {
      let (low, high) = (frame.place(y: interval.lowerBound), frame.place(y: interval.upperBound))
      writer.add("line", ["class": name, "x1": x, "y1": low, "x2": x, "y2": high])
    }
  }

  private func drawMark(_ point: Point, _ frame: PlotFrame, _ writer: inout SVGWriter) {
    Mark.draw(
      max(0, point.series), frame.place(x: point.x.value), frame.place(y: point.y.value), radius: 5,
      Mark.Data(series: point.series, x: NumberText.exact(point.x.value), y: NumberText.exact(point.y.value)),
      title: [Markup.shortened(point.name, to: 200), "\(x.label): \(point.x.text)", "\(y.label): \(point.y.text)"], &writer)
  }

  private func drawNames(_ shown: [Int], _ frame: PlotFrame, _ writer: inout SVGWriter) {
    var placement = LabelPlacement(
      room: .init(left: frame.left, top: frame.top - 6, right: frame.right, bottom: frame.bottom),
      points: shown.map { (frame.place(x: points[$0].x.value), frame.place(y: points[$0].y.value)) })
    // Those of the front are named first; where there is no room left, the rest are named where one points at them.
    let members = Set(front)
    let order = shown.indices.filter { members.contains(shown[$0]) } + shown.indices.filter { !members.contains(shown[$0]) }
    for place in order {
      let name = points[shown[place]].name
      guard let label = placement.place(TextMetrics.fitted(name, width: 170, size: 11), at: place) else { continue }
      if let leader = label.leader {
        writer.add("line", ["class": "leader", "x1": leader.0, "y1": leader.1, "x2": leader.2, "y2": leader.3])
      }
      writer.label(label.text, ["class": "small halo", "x": label.x, "y": label.y], whole: name)
    }
  }
}

import Diagnostics

/// What ran when, and on which slot.
package struct Timeline: Chart {
  package struct Span: Sendable, Equatable {
    package let name: String
    /// An index into `lanes`.
    package let lane: Int
    /// Seconds since the beginning.
    package let begin: Double
    package let end: Double
    package let state: InstanceState
    package let isCritical: Bool

    package init(_ name: String, lane: Int, begin: Double, end: Double, state: InstanceState, isCritical: Bool = false) {
      self.name = name
      self.lane = lane
      self.begin = begin
      self.end = end
      self.state = state
      self.isCritical = isCritical
    }
  }

  package let title: String
  package let lanes: [String]
  package let spans: [Span]

  package init(_ title: String, lanes: [String], spans: [Span]) {
    self.title = title
    self.lanes = lanes
    self.spans = spans
  }

  /// Gives each span the first lane that is free when it begins; in the order of their beginnings.
  package static func lanes(_ times: [(begin: Double, end: Double)]) -> [Int] {
    var free: [Double] = []
    var lanes = Array(repeating: 0, count: times.count)
    for index in times.indices.sorted(by: { (times[$0].begin, $0) < (times[$1].begin, $1) }) {
      let lane = free.firstIndex { $0 <= times[index].begin } ?? free.count
      if lane == free.count { free.append(0) }
      free[lane] = max(times[index].end, times[index].begin)
      lanes[index] = lane
    }
    return lanes
  }

  private static let mostLanes = 200
  private static let laneHeight = 24.0

  package var data: ChartData {
    var data = ChartData(["instance", "lane", "begin (s)", "end (s)", "state", "critical path"])
    for span in spans {
      data.add([
        .text(span.name), lanes.indices.contains(span.lane) ? .text(lanes[span.lane]) : .number(Double(span.lane)), .number(span.begin),
        .number(span.end), .text(span.state.rawValue), .text(span.isCritical ? "critical" : ""),
      ])
    }
    return data
  }

  package func svg(_ style: ChartStyle) -> String {
    let shownLanes = min(lanes.count, Self.mostLanes)
    let shown = spans.filter { $0.begin.isFinite && $0.end.isFinite && $0.end >= $0.begin && (0..<shownLanes).contains($0.lane) }
    let states = InstanceState.allCases.filter { state in shown.contains { $0.state == state } }
    let head = ChartHead(title, states.map { .init(name: "\($0.symbol) \($0)", swatch: .state($0)) }, width: style.width)
    let names = lanes.prefix(shownLanes).map { TextMetrics.width(Markup.shortened($0, to: 40), size: 12) }
    let left = min((names.max() ?? 0) + 26, style.width * 0.3)
    let scale = TimeScale(end: shown.map(\.end).max() ?? 0, count: max(2, Int((style.width - left) / 90)))
    func place(_ seconds: Double) -> Double { left + (style.width - 30 - left) * min(max(seconds / scale.end, 0), 1) }
    let (top, bottom) = (head.height + 8, head.height + 8 + Double(shownLanes) * Self.laneHeight)
    var notes = spans.count > shown.count ? ["\(spans.count - shown.count) not drawn: in the table"] : []
    if shown.contains(where: \.isCritical) { notes.append("thick border: the critical path") }
    let height = bottom + 28 + Double(notes.count) * 16 + 6
    var writer = SVGWriter()
    writer.openChart("timeline", title, style, width: style.width, height: height)
    head.draw(&writer)
    for tick in scale.ticks {
      let x = place(tick)
      writer.add("line", ["class": "grid", "x1": x, "y1": top, "x2": x, "y2": bottom])
      let label = DurationText.text(tick, isRound: true)
      let half = TextMetrics.width(label, size: 12) / 2
      writer.label(label, ["class": "muted middle", "x": min(x, style.width - half - 2), "y": bottom + 17])
    }
    for lane in 0..<shownLanes {
      let text = TextMetrics.fitted(lanes[lane], width: left - 20, size: 12)
      let y = top + (Double(lane) + 0.5) * Self.laneHeight + 4
      writer.label(text, ["class": "end", "x": left - 8, "y": y], whole: lanes[lane])
    }
    for span in shown {
      draw(span, place(span.begin), place(span.end), top + Double(span.lane) * Self.laneHeight, &writer)
    }
    if shown.isEmpty { writer.label("no data", ["class": "muted middle", "x": style.width / 2, "y": top + 16]) }
    writer.notes(notes, x: 12, y: height - Double(notes.count) * 16 - 6, width: style.width)
    writer.closeChart()
    return writer.text
  }

  private func draw(_ span: Span, _ left: Double, _ right: Double, _ y: Double, _ writer: inout SVGWriter) {
    let width = max(right - left - 1, 1)
    writer.open(
      "g",
      [
        "class": span.isCritical ? "critical" : "", "data-series": span.lane, "data-x": NumberText.exact(span.begin),
        "data-y": NumberText.exact(span.end),
      ])
    func text(_ seconds: Double) -> String { DurationText.text(seconds, isRound: true) }
    writer.say([
      Markup.shortened(span.name, to: 200), "\(span.state.symbol) \(span.state), \(text(span.end - span.begin))",
      "from \(text(span.begin)) to \(text(span.end))" + (span.isCritical ? ", on the critical path" : ""),
    ])
    writer.add(
      "rect",
      [
        "class": "span \(span.state)\(span.isCritical ? " critical" : "")", "x": left + 0.5, "y": y + 3, "width": width,
        "height": Self.laneHeight - 6, "rx": min(3, width / 2),
      ])
    if width > 60 {
      let text = TextMetrics.fitted("\(span.state.symbol) \(span.name)", width: width - 10, size: 11)
      writer.label(text, ["class": "small", "x": left + 6, "y": y + Self.laneHeight / 2 + 4])
    }
    writer.close()
  }
}

/// Ticks at times one says: 1, 2, 5, 10, 15, 30 seconds, minutes, hours, days.
struct TimeScale {
  let end: Double
  let ticks: [Double]

  private static let steps: [Double] = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  ]

  init(end: Double, count: Int) {
    let wanted = max(end, 0.1)
    var step = Self.steps.first { wanted / $0 <= Double(count) } ?? 172_800
    while wanted / step > Double(count) { step *= 2 }
    self.end = wanted
    ticks = (0...max(count, 1)).map { Double($0) * step }.filter { $0 <= wanted * (1 + 1e-9) }
  }
}

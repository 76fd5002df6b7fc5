/// A chart's title and what its colours and shapes stand for, laid out in as many lines as the width asks for.
struct ChartHead {
  enum Swatch {
    case line(Int)
    case mark(Int)
    case before(Int)
    case after(Int)
    case state(InstanceState)
    case front
    case step(Int)
  }

  struct Entry {
    let name: String
    let swatch: Swatch
    var series: Int?
  }

  private struct Placed {
    let entry: Entry
    let text: String
    let x, y: Double
  }

  let title: String
  let width: Double
  let height: Double
  private let placed: [Placed]

  private static let margin = 12.0
  private static let swatchWidth = 26.0

  init(_ title: String, _ entries: [Entry], width: Double) {
    self.title = title
    self.width = width
    var placed: [Placed] = []
    var (x, y) = (Self.margin, title.isEmpty ? 8.0 : 34.0)
    for entry in entries {
      let text = TextMetrics.fitted(entry.name, width: min(220, width - 2 * Self.margin - Self.swatchWidth), size: 12)
      let needed = Self.swatchWidth + TextMetrics.width(text, size: 12) + 14
      if x > Self.margin, x + needed > width - Self.margin { (x, y) = (Self.margin, y + 20) }
      placed.append(Placed(entry: entry, text: text, x: x, y: y))
      x += needed
    }
    self.placed = placed
    height = entries.isEmpty ? (title.isEmpty ? 8 : 34) : y + 24
  }

  /// Those of so many series that have a colour; the rest under one entry.
  static func series(_ names: [String], _ swatch: (Int) -> Swatch) -> [Entry] {
    var entries = names.prefix(ChartStyle.coloredSeries).enumerated().map { Entry(name: $1, swatch: swatch($0), series: $0) }
    if names.count > ChartStyle.coloredSeries {
      entries.append(Entry(name: "\(names.count - ChartStyle.coloredSeries) more", swatch: swatch(ChartStyle.coloredSeries)))
    }
    return entries
  }

  func draw(_ writer: inout SVGWriter) {
    if !title.isEmpty {
      writer.label(
        TextMetrics.fitted(title, width: width - 2 * Self.margin, size: 16), ["class": "head", "x": Self.margin, "y": 21.0], whole: title)
    }
    guard !placed.isEmpty else { return }
    writer.open("g", ["class": "legend"])
    for item in placed {
      if let series = item.entry.series {
        writer.open("g", ["class": "key", "data-series": series])
      } else {
        writer.open("g", ["class": "key"])
      }
      draw(item.entry.swatch, item.x, item.y + 8, &writer)
      writer.label(item.text, ["x": item.x + Self.swatchWidth, "y": item.y + 12], whole: item.entry.name)
      writer.close()
    }
    writer.close()
  }

  private func draw(_ swatch: Swatch, _ x: Double, _ y: Double, _ writer: inout SVGWriter) {
    func box(_ name: String) { writer.add("rect", ["class": name, "x": x + 4, "y": y - 6, "width": 14.0, "height": 12.0]) }
    func line(_ name: String) {
      var path = SVGPath()
      path.move(x, y)
      path.line(x + 20, y)
      writer.add("path", ["class": name, "d": path])
    }
    switch swatch {
    case .line(let series):
      line("line \(ChartStyle.seriesClass(series))")
      Mark.swatch(series, x + 10, y, &writer)
    case .mark(let series): Mark.swatch(series, x + 10, y, &writer)
    case .before(let series): box("before \(ChartStyle.seriesClass(series))")
    case .after(let series): box("after \(ChartStyle.seriesClass(series))")
    case .state(let state): box("node \(state)")
    case .front: line("front")
    case .step(let step): box(ChartStyle.stepClass(step))
    }
  }
}

extension SVGWriter {
  /// The `<svg>` element of a chart; `kind` is a class beside `chart`.
  mutating func openChart(_ kind: String, _ title: String, _ style: ChartStyle, width: Double, height: Double) {
    open(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "id": style.idPrefix, "class": "chart \(kind)", "role": "img",
        "aria-label": Markup.shortened(title, to: 300), "width": width, "height": height, "viewBox": "0 0 \(width.svg) \(height.svg)",
        "font-size": 12,
      ])
    guard style.sheet == .embedded else { return }
    self.style(ChartStyle.css)
    add("rect", ["class": "ground", "width": width, "height": height])
  }

  mutating func closeChart() {
    close()
    lineBreak()
  }

  /// Below a chart, a line each, from `y` on.
  mutating func notes(_ notes: [String], x: Double, y: Double, width: Double) {
    for (place, note) in notes.enumerated() {
      label(
        TextMetrics.fitted(note, width: width - x - 8, size: 11), ["class": "small muted", "x": x, "y": y + Double(place) * 16 + 11],
        whole: note)
    }
  }
}

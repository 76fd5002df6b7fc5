import Foundation
import Plotting
import Testing

@Suite("Charts") struct ChartTests {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/"

  /// HEIRLOOM_RECORD_CHARTS=1 writes them anew; look at them afterwards.
  static let isRecording = ProcessInfo.processInfo.environment["HEIRLOOM_RECORD_CHARTS"] == "1"

  @Test("every chart is as it was when it was looked at", arguments: SampleCharts.all.indices)
  func golden(_ index: Int) throws {
    let (name, chart) = SampleCharts.all[index]
    let svg = chart.svg(ChartStyle(idPrefix: name))
    _ = try SVGDocument(svg)
    #expect(chart.svg(ChartStyle(idPrefix: name)) == svg, "the same every time")
    try Self.compare(svg, with: name + ".svg")
  }

  @Test("the style sheet is as it was when it was looked at")
  func sheet() throws { try Self.compare(ChartStyle.css, with: "charts.css") }

  static func compare(_ text: String, with name: String) throws {
    if isRecording { try Data(text.utf8).write(to: URL(fileURLWithPath: fixtures + name)) }
    #expect(try String(contentsOfFile: fixtures + name, encoding: .utf8) == text, "\(name)")
  }

  @Test("a chart that is a file of its own carries its style", arguments: SampleCharts.all.indices)
  func embedded(_ index: Int) throws {
    let document = try SVGDocument(SampleCharts.all[index].chart.svg(ChartStyle(width: 360, sheet: .embedded)))
    #expect(document.elements.contains { $0.name == "style" && $0.text == ChartStyle.css })
    for element in document.elements { #expect(element.attributes["style"] == nil && element.attributes["fill"] == nil) }
  }

  @Test("nothing that a chart is given is more than text in it", arguments: SampleCharts.hostile.indices)
  func hostile(_ index: Int) throws {
    let chart = SampleCharts.hostile[index]
    for width in [300.0, 720] {
      let svg = chart.svg(ChartStyle(width: width, sheet: .embedded))
      let document = try SVGDocument(svg)
      #expect(Set(document.elements.map(\.name)).isSubset(of: ["svg", "style", "rect", "g", "text", "title", "line", "path", "circle"]))
      for element in document.elements {
        #expect(!element.attributes.keys.contains { $0.hasPrefix("on") || $0.hasSuffix("href") })
        for value in ["x", "y", "cx", "cy", "width", "height", "r"].compactMap({ element.attributes[$0] }) {
          #expect(Double(value).map { $0.isFinite } == true, "\(element)")
        }
      }
      #expect(svg.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x202A...0x202E).contains($0.value) })
      #expect(svg.utf8.count < 3_000_000, "\(svg.utf8.count) bytes")
    }
    #expect(chart.table.text.utf8.count < 3_000_000)
    #expect(!chart.table.text.unicodeScalars.contains("\u{1B}"))
  }

  @Test(
    "with nothing in it a chart says so",
    arguments: [
      LinePlot("", x: Axis(""), y: Axis(""), series: []), ScatterPlot("", x: Axis(""), y: Axis(""), points: []),
      BarPlot("", value: Axis(""), categories: [], series: []), Heatmap("", rows: [], columns: [], cells: []),
      Histogram("", x: Axis(""), y: Axis(""), edges: [], series: []), Timeline("", lanes: [], spans: []),
      LinePlot("", x: Axis(""), y: Axis(""), series: [.init("a", [.init(.nan, 1), .init(1, .infinity)])]),
    ] as [any Chart])
  func empty(_ chart: any Chart) throws {
    #expect(try SVGDocument(chart.svg(ChartStyle())).texts.contains("no data"))
  }

  @Test("marks have the values of the data and lie where those say")
  func marks() throws {
    let plot = SampleCharts.scatter
    let marks = try SVGDocument(plot.svg(ChartStyle())).of("mark").filter { $0.attributes["data-x"] != nil && $0.name == "circle" }
    let expected = plot.points.filter { $0.series == 0 }
    #expect(Set(marks.map { $0.attributes["data-x"] }) == Set(expected.map { NumberText.exact($0.x.value) }))
    // x runs from 0 to 100: every pixel between two marks is as many points.
    let places = try marks.map { (try $0.number("data-x"), try $0.number("cx"), try $0.number("data-y"), try $0.number("cy")) }
    let (left, right) = try (#require(places.min { $0.0 < $1.0 }), #require(places.max { $0.0 < $1.0 }))
    let (low, high) = try (#require(places.min { $0.2 < $1.2 }), #require(places.max { $0.2 < $1.2 }))
    for place in places {
      #expect(abs(left.1 + (place.0 - left.0) / (right.0 - left.0) * (right.1 - left.1) - place.1) < 0.02)
      #expect(abs(low.3 + (place.2 - low.2) / (high.2 - low.2) * (high.3 - low.3) - place.3) < 0.02)
    }
    #expect(high.3 < low.3, "more is higher")
  }

  @Test("bars are as long as their values")
  func bars() throws {
    let bars = try SVGDocument(SampleCharts.bars.svg(ChartStyle())).of("bar")
    #expect(bars.count == 10)
    let longest = try #require(bars.first)
    let scale: Double = try longest.number("width") / abs(try longest.number("data-y"))
    for bar in bars {
      let (width, value) = (try bar.number("width"), try bar.number("data-y"))
      #expect(abs(width - abs(value) * scale) < 0.05)
    }
  }

  @Test("a line breaks where there is no number; every colour is a dash and a shape too")
  func curves() throws {
    let document = try SVGDocument(SampleCharts.curves.svg(ChartStyle()))
    let lines = document.of("series").isEmpty ? [] : document.of("line").filter { $0.name == "path" }
    let first = try #require(lines.last { $0.attributes["class"] == "line s1" })
    #expect(first.attributes["d"]?.filter { $0 == "M" }.count == 2)
    #expect(document.texts.contains("2 more") && document.texts.contains { $0.hasPrefix("1 point not drawn") })
    let swatches = document.elements.filter { ($0.attributes["class"] ?? "").hasPrefix("mark s") }
    #expect(Set(swatches.map { $0.name + ($0.attributes["d"] ?? "") }).count >= 10)
  }

  @Test("many points keep their peaks")
  func thinned() {
    let series = LinePlot.Series(
      "a",
      (0..<100_000).map { step in
        let peak: Double? = step == 70_001 ? 99 : step == 30 ? -99 : nil
        return LinePlot.Point(Double(step), peak ?? sin(Double(step)))
      })
    let thin = series.thinned(to: 2000)
    #expect(thin.points.count <= 2000 && thin.points.contains { $0.y.value == 99 } && thin.points.contains { $0.y.value == -99 })
    #expect(zip(thin.points, thin.points.dropFirst()).allSatisfy { $0.x < $1.x })
    #expect(series.thinned(to: 100_000) == series)
  }

  @Test("the front has what nothing beats, ties too")
  func front() {
    func points(_ values: [(Double, Double)]) -> [ScatterPlot.Point] {
      values.map { .init("", x: PlottedValue($0.0), y: PlottedValue($0.1)) }
    }
    #expect(Set(ScatterPlot.front(points([(1, 1), (2, 0), (0, 2), (0.5, 0.5), (1, 1), (2, -1)]))) == [0, 1, 2, 4])
    #expect(ScatterPlot.front(points([(.nan, 1), (1, .infinity)])) == [])
    var random = GraphTests.Random(state: 7)
    for _ in 0..<50 {
      let values = (0..<60).map { _ in Double(Int.random(in: 0..<8, using: &random)) }
      let some = points((0..<30).map { (values[2 * $0], values[2 * $0 + 1]) })
      let slow = some.indices.filter { own in
        !some.contains { other in
          other.x.value >= some[own].x.value && other.y.value >= some[own].y.value
            && (other.x.value > some[own].x.value || other.y.value > some[own].y.value)
        }
      }
      #expect(ScatterPlot.front(some).sorted() == slow)
    }
  }

  @Test("names of points do not cover each other")
  func names() throws {
    let points = (0..<60).map { place in
      let (x, y) = (Double(place * 37 % 60), Double(place * 17 % 23))
      return ScatterPlot.Point("point number \(place)", x: PlottedValue(x), y: PlottedValue(y))
    }
    let document = try SVGDocument(ScatterPlot("", x: Axis("x"), y: Axis("y"), points: points, front: .none).svg(ChartStyle()))
    let labels = document.of("halo")
    #expect(labels.count > 20)
    // "point number 10": 15 characters of 11 pixels are wider than 70.
    for (index, label) in labels.enumerated() {
      for other in labels[..<index] {
        let across: Double = try label.number("x") - other.number("x")
        let down: Double = try label.number("y") - other.number("y")
        #expect(abs(across) >= 70 || abs(down) >= 12, "\(label.text) and \(other.text)")
      }
    }
  }

  @Test("a heat map's colours say which way and how far; its numbers are in the cells")
  func heatmap() throws {
    #expect(SampleCharts.heatmap.step(.init(1, change: -0.01)) == -1 && SampleCharts.heatmap.step(.init(1, change: 0)) == 0)
    #expect(SampleCharts.heatmap.step(.init(1)) == 0 && SampleCharts.heatmap.step(.init(1, change: 1e9)) == 6)
    let document = try SVGDocument(SampleCharts.heatmap.svg(ChartStyle()))
    #expect(document.of("cell").count == 55 && document.of("absent").count == 1)
    let texts = document.texts
    for row in SampleCharts.heatmap.cells {
      for cell in row {
        guard let cell, let value = cell.value else { continue }
        #expect(texts.contains(FixedDigits.text(value, 1)))
        if let change = cell.change { #expect(texts.contains(FixedDigits.signed(change.value, 1) + (cell.isOutsideNoise ? "*" : ""))) }
      }
    }
    let tip = "reverse, swap\n66.0 points\nchange +65.2 [+61.2, +69.2] points\ngain"
    #expect(document.elements.contains { $0.name == "title" && $0.text == tip })
  }

  @Test("samples are counted in bins, the last of which has its upper edge")
  func histogram() {
    let histogram = Histogram("", x: Axis(""), y: Axis(""), bins: 4, samples: [("a", [0, 0.9, 1, 2, 4, .nan]), ("b", [])])
    #expect(
      histogram.edges == [0, 1, 2, 3, 4] && histogram.series[0].counts == [2, 1, 1, 1] && histogram.series[1].counts == [0, 0, 0, 0])
  }

  @Test("spans that overlap have lanes of their own")
  func lanes() {
    #expect(Timeline.lanes([(0, 2), (1, 3), (2, 4), (2.5, 5), (9, 9)]) == [0, 1, 0, 2, 0])
  }
}

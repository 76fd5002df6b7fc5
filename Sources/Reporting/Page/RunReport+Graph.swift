import Artifacts
import JSONValues
import Plotting

// The graph of the run, its time line and its instances. All three are one set of data for the script.

extension RunReport {
  /// So many nodes are seen at once; of more, all that can be joined is, for a click unfolds it.
  private static let mostNodes = 16

  var drawing: GraphDrawing {
    GraphDrawing(
      "", nodes: instances.map(\.node), needs: instances.map(\.needs), folding: instances.count > Self.mostNodes ? .all : .none)
  }

  var graphSection: PageSection? {
    guard instances.count > 1 else { return nil }
    return PageSection("graph", "Graph", count: instances.count) { html in
      html.element(
        "p",
        "What was made from what. Instances of one matrix or scan are joined where there are many; a click on one that stands for several unfolds it."
      )
      html.element("figure", ["class": "plot graph", "id": "graph-figure"]) { html in
        html.element("div", ["class": "chart-frame tall", "tabindex": "0", "role": "region", "aria-label": "Graph of the run"]) { html in
          html.add(HTMLFragment(text: drawing.svg(ChartStyle(width: PageFigure.wide, idPrefix: "graph-chart"))))
        }
        html.addData(graphData)
      }
    }
  }

  /// What is joined at first, and how states look; nodes and edges are the instances'.
  private var graphData: JSONValue {
    let drawing = drawing
    return [
      "kind": "graph", "joined": .array(drawing.joined.sorted().map { .string($0) }),
      "symbols": .object(JSONObject(InstanceState.allCases.map { ($0.rawValue, .string($0.symbol)) })),
    ]
  }

  var timelineSection: PageSection? {
    let spans = instances.compactMap { row -> Timeline.Span? in
      guard let lane = row.lane, let began = row.began, let state = InstanceState(rawValue: row.state) else { return nil }
      let end = row.ended ?? max(overview.seconds ?? began, began)
      return Timeline.Span(row.name, lane: lane, begin: began, end: end, state: state, isCritical: row.isCritical)
    }
    guard spans.count > 1 else { return nil }
    let cached = instances.count(where: \.isCached)
    let lanes = (0...(spans.map(\.lane).max() ?? 0)).map { "\($0 + 1)" }
    return PageSection("timeline", "Time line") { html in
      html.element(
        "p",
        "What ran when, each in the first slot that was free."
          + (cached > 0 ? " \(Count.text(cached, "instance")) came from the store." : "")
      )
      html.add(PageFigure(Timeline("", lanes: lanes, spans: spans), id: "timeline-chart"))
    }
  }

  // MARK: - Instances

  var instancesSection: PageSection? {
    guard !instances.isEmpty else { return nil }
    return PageSection("instances", "Instances", count: instances.count) { html in
      html.element("div", ["class": "filters", "id": "instance-filters", "hidden": ""]) { _ in }
      html.element("div", ["class": "scroll tall", "tabindex": "0", "role": "region", "aria-label": "Instances"]) { html in
        html.element("table", ["id": "instance-table", "class": "instances"]) { html in
          html.element("thead") { html in
            html.element("tr") { html in
              for title in ["instance", "stage", "state"] { html.element("th", ["scope": "col"], title) }
              for title in ["took", "began at"] { html.element("th", ["scope": "col", "class": "n"], title) }
              html.element("th", ["scope": "col"], "parameters that are not the contract's")
            }
          }
          html.element("tbody") { html in for (place, row) in instances.enumerated() { add(row, place, &html) } }
        }
      }
      html.lineBreak()
      html.addData(instanceData, id: "instance-data")
    }
  }

  private func add(_ row: InstanceRow, _ place: Int, _ html: inout HTMLWriter) {
    html.element("tr", ["id": "i\(place)"]) { html in
      html.element("th", ["scope": "row"]) { html in html.element("a", ["href": "#i\(place)"], row.name) }
      html.element("td", row.stage)
      html.element("td", ["class": "state \(row.state)"], (InstanceState(rawValue: row.state).map { "\($0.symbol) " } ?? "") + row.state)
      html.element("td", ["class": "n"], Figures.duration(row.seconds))
      html.element("td", ["class": "n"], row.began.map { Figures.duration($0) } ?? "")
      html.element("td", row.changedText)
    }
  }

  private var instanceData: JSONValue {
    var stages: [String] = []
    var places: [String: Int] = [:]
    let rows = instances.map { row -> JSONValue in
      if places[row.stage] == nil {
        places[row.stage] = stages.count
        stages.append(row.stage)
      }
      return row.pageData(stage: places[row.stage] ?? 0)
    }
    return ["stages": .array(stages.map { PageJSON.line($0) }), "rows": .array(rows)]
  }
}

extension InstanceRow {
  fileprivate var node: GraphDrawing.Node {
    GraphDrawing.Node(
      path: segments, stage: stage, state: InstanceState(rawValue: state), seconds: seconds,
      isCritical: isCritical, notes: reasons + warnings + (error.map { [$0] } ?? []))
  }

  private static let mostMetrics = 16
  private static let mostOutputs = 12

  /// Short names, for there may be thousands; what is not there is left out.
  fileprivate func pageData(stage: Int) -> JSONValue {
    var object = JSONObject([
      ("n", PageJSON.line(name)), ("p", .array(segments.flatMap { [PageJSON.line($0.name), PageJSON.line($0.point)] })),
      ("g", .integer(stage)), ("s", .string(state)), ("i", .array(needs.map { .integer($0) })),
    ])
    if let seconds { object.append("d", PageJSON.number(seconds)) }
    if let began { object.append("b", PageJSON.number(began)) }
    if isCritical { object.append("c", 1) }
    if let key { object.append("k", .string(key)) }
    func lines(_ name: String, _ texts: [String]) {
      if !texts.isEmpty { object.append(name, .array(texts.map { PageJSON.line($0) })) }
    }
    lines("r", reasons)
    lines("a", [changedText].filter { !$0.isEmpty })
    lines("w", warnings)
    lines("x", error.map { [$0] } ?? [])
    if state == "failed" || state == "running" || state == "interrupted" { lines("l", log) }
    lines(
      "m",
      metrics.members.prefix(Self.mostMetrics).map { "\($0.key) \($0.value.numberValue.map { Figures.plain($0) } ?? $0.value.encoded())" })
    lines("o", outputs.prefix(Self.mostOutputs).map { "\($0.name): \($0.type), \(ByteCount.text($0.size)), \($0.digest.text)" })
    return .object(object)
  }

  /// Groups and stage with their points. A run of an earlier version recorded the name alone, which has it all: `rft[sort].train`.
  private var segments: [GraphDrawing.Segment] {
    let only = path.segments.count == 1 ? path.segments[0] : nil
    guard let only, only.axes.isEmpty else { return path.segments.map { .init($0.name, point: $0.point) } }
    var segments: [GraphDrawing.Segment] = []
    var (name, point, isInside) = (String.UnicodeScalarView(), String.UnicodeScalarView(), false)
    for scalar in only.name.unicodeScalars {
      switch scalar {
      case "[" where !isInside: isInside = true
      case "]" where isInside: isInside = false
      case "." where !isInside:
        segments.append(.init(String(name), point: String(point)))
        (name, point) = (.init(), .init())
      default: if isInside { point.append(scalar) } else { name.append(scalar) }
      }
    }
    return segments + [.init(String(name), point: String(point))]
  }
}

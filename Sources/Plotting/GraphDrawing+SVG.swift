// The graph as a picture.

extension GraphDrawing {
  private static let margin = 14.0
  private static let nodeHeight = 42.0
  /// Names are bold: as wide as if they were larger.
  private static let nameSize = 13.6

  package func svg(_ style: ChartStyle) -> String {
    let graph = FoldedGraph(self)
    let labels = graph.nodes.map { GraphLabel($0, self) }
    let layout = layout(graph, labels, style)
    let head = ChartHead(title, entries(labels), width: style.width)
    let notes = notes(graph, labels)
    let width = max(style.width, layout.width + 2 * Self.margin)
    // Edges that go back leave by the bottom and need room there.
    let bottom = head.height + 8 + layout.height + (graph.carried.isEmpty ? 0 : 34)
    var writer = SVGWriter()
    writer.openChart("graph", title, style, width: width, height: bottom + Double(notes.count) * 16 + 14)
    head.draw(&writer)
    // A graph narrower than the page stands in its middle.
    let left = max(Self.margin, (width - layout.width) / 2)
    writer.open("g", ["transform": "translate(\(left.svg) \((head.height + 6).svg))"])
    // The critical path lies on top.
    for isCritical in [false, true] {
      for (edge, route) in zip(graph.edges, layout.routes) where graph.critical.contains(edge) == isCritical {
        draw(edge, route, graph, layout, &writer)
      }
    }
    for edge in graph.carried { drawCarried(edge, graph, layout, &writer) }
    for (index, label) in labels.enumerated() { draw(label, index, graph.nodes[index], layout.boxes[index], &writer) }
    if graph.nodes.isEmpty { writer.label("no instances", ["class": "muted", "y": 10.0]) }
    writer.close()
    writer.notes(notes, x: Self.margin, y: bottom + 2, width: width)
    writer.closeChart()
    return writer.text
  }

  private func layout(_ graph: FoldedGraph, _ labels: [GraphLabel], _ style: ChartStyle) -> GraphLayout {
    let layers = GraphLayers(graph)
    let ordering = GraphOrdering(layers)
    let widest = labels.map { max(TextMetrics.width($0.name, size: Self.nameSize), TextMetrics.width($0.status, size: 11)) }.max() ?? 0
    let width = min(max(widest + 22, 96), 190)
    func layout(isDown: Bool) -> GraphLayout {
      let size = GraphLayout.Size(node: (width, Self.nodeHeight), gaps: isDown ? (40, 16) : (46, 14))
      return GraphLayout(graph, layers, ordering, size, isDown: isDown)
    }
    switch direction {
    case .right: return layout(isDown: false)
    case .down: return layout(isDown: true)
    case .automatic:
      let right = layout(isDown: false)
      guard right.width > style.width - 2 * Self.margin else { return right }
      let down = layout(isDown: true)
      return down.width < right.width ? down : right
    }
  }

  private func entries(_ labels: [GraphLabel]) -> [ChartHead.Entry] {
    let states = Set(labels.flatMap { $0.counts.map(\.state) })
    return InstanceState.allCases.filter(states.contains).map { .init(name: "\($0.symbol) \($0)", swatch: .state($0)) }
  }

  private func notes(_ graph: FoldedGraph, _ labels: [GraphLabel]) -> [String] {
    var notes: [String] = []
    if labels.contains(where: \.isCritical) { notes.append("thick: the critical path") }
    if labels.contains(where: \.isJoined) { notes.append("×n: instances of one matrix or scan, joined") }
    if !graph.carried.isEmpty || graph.nodes.contains(where: \.carriesOn) {
      notes.append("dashed or ↻: handed on to the next step of a scan")
    }
    return notes
  }

  // MARK: - Nodes

  private func draw(_ label: GraphLabel, _ index: Int, _ node: FoldedGraph.Node, _ box: GraphLayout.Box, _ writer: inout SVGWriter) {
    let state = label.state.map { " \($0)" } ?? ""
    writer.open(
      "g",
      [
        "class": label.isCritical ? "instance critical" : "instance", "data-node": index, "data-state": label.state?.rawValue ?? "",
        "data-members": node.members.count, "data-name": Markup.shortened(label.name, to: 200),
      ])
    writer.say(label.lines)
    if label.isJoined {
      writer.add("rect", ["class": "node\(state)", "x": box.x + 4, "y": box.y + 4, "width": box.width, "height": box.height, "rx": 6])
    }
    writer.add("rect", ["class": "ground", "x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": 6])
    writer.add("rect", ["class": "node\(state)", "x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": 6])
    if label.counts.count > 1 { drawShares(label, node.members.count, box, &writer) }
    writer.label(
      TextMetrics.fitted(label.name, width: box.width - 16, size: Self.nameSize), ["class": "strong", "x": box.x + 10, "y": box.y + 18])
    writer.label(
      TextMetrics.fitted(label.status, width: box.width - 16, size: 11), ["class": "small muted", "x": box.x + 10, "y": box.y + 33])
    writer.close()
  }

  /// Along the lower border: as much of each state as there are members in it.
  private func drawShares(_ label: GraphLabel, _ members: Int, _ box: GraphLayout.Box, _ writer: inout SVGWriter) {
    var x = box.x + 6
    for (state, count) in label.counts {
      let width = (box.width - 12) * Double(count) / Double(max(members, 1))
      writer.add("rect", ["class": "share \(state)", "x": x, "y": box.y + box.height - 5, "width": max(width - 1, 0.5), "height": 3.0])
      x += width
    }
  }

  // MARK: - Edges

  private func draw(
    _ edge: FoldedGraph.Edge, _ route: [(along: Double, across: Double)], _ graph: FoldedGraph, _ layout: GraphLayout,
    _ writer: inout SVGWriter
  ) {
    var path = SVGPath()
    func place(_ along: Double, _ across: Double) -> (Double, Double) { layout.isDown ? (across, along) : (along, across) }
    let start = place(route[0].along, route[0].across)
    path.move(start.0, start.1)
    // A bend in every gap between layers, a straight line across a layer.
    for (point, next) in zip(route, route.dropFirst()) {
      if point.across == next.across {
        let end = place(next.along, next.across)
        path.line(end.0, end.1)
        continue
      }
      let middle = (point.along + next.along) / 2
      let (first, second, end) = (place(middle, point.across), place(middle, next.across), place(next.along, next.across))
      path.curve(first.0, first.1, second.0, second.1, end.0, end.1)
    }
    let isCritical = graph.critical.contains(edge)
    writer.add("path", ["class": isCritical ? "edge critical" : "edge", "d": path, "data-from": edge.from, "data-to": edge.to])
    let tip = route[route.count - 1]
    arrow(place(tip.along, tip.across), isDown: layout.isDown, isCritical ? "arrow critical" : "arrow", &writer)
  }

  private func arrow(_ tip: (Double, Double), isDown: Bool, _ name: String, _ writer: inout SVGWriter) {
    var path = SVGPath()
    path.move(tip.0, tip.1)
    if isDown {
      path.line(tip.0 - 4, tip.1 - 7)
      path.line(tip.0 + 4, tip.1 - 7)
    } else {
      path.line(tip.0 - 7, tip.1 - 4)
      path.line(tip.0 - 7, tip.1 + 4)
    }
    path.close()
    writer.add("path", ["class": name, "d": path])
  }

  /// From the lower edge of a node back to that of one before it, below both.
  private func drawCarried(_ edge: FoldedGraph.Edge, _ graph: FoldedGraph, _ layout: GraphLayout, _ writer: inout SVGWriter) {
    let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to])
    let (x1, y1) = (from.x + from.width * 0.6, from.y + from.height)
    let (x2, y2) = (to.x + to.width * 0.4, to.y + to.height)
    let low = max(y1, y2) + 30
    var path = SVGPath()
    path.move(x1, y1)
    path.curve(x1, low, x2, low, x2, y2 + 7)
    let isCritical = graph.critical.contains(edge) ? " critical" : ""
    writer.add(
      "path", ["class": "edge carried" + isCritical, "d": path, "data-from": edge.from, "data-to": edge.to],
      title: ["handed on to the next step"])
    var head = SVGPath()
    head.move(x2, y2)
    head.line(x2 - 4, y2 + 7)
    head.line(x2 + 4, y2 + 7)
    head.close()
    writer.add("path", ["class": "arrow" + isCritical, "d": head])
  }
}

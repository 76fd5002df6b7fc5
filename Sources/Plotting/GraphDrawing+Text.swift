import Diagnostics

// The graph as text for other programs that draw graphs.

extension GraphDrawing {
  /// For Graphviz. Groups are clusters.
  package var dot: String {
    let graph = FoldedGraph(self)
    let labels = graph.nodes.map { GraphLabel($0, self) }
    var lines = ["digraph {"]
    if !title.isEmpty { lines += ["  label=\(Self.dot([title]))", "  labelloc=t"] }
    lines += [
      "  rankdir=LR", "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11]",
      "  edge [color=\"\(Palette.light.axis.hex)\", arrowsize=0.7]",
    ]
    GroupTree(graph).visit(
      open: { place, name, depth in
        lines.append("\(Self.indent(depth))subgraph cluster_\(place) {")
        lines.append("\(Self.indent(depth + 1))label=\(Self.dot([name])); labeljust=l; color=\"\(Palette.light.grid.hex)\"")
      }, close: { depth in lines.append("\(Self.indent(depth))}") },
      node: { node, depth in
        let label = labels[node]
        var attributes = ["label=\(Self.dot([graph.nodes[node].path.last ?? "", label.status].filter { !$0.isEmpty }))"]
        if let state = label.state {
          let pair = Palette.light.state(state)
          attributes.append("fillcolor=\"\(pair.fill.hex)\", color=\"\(pair.line.hex)\"")
        } else {
          attributes.append("fillcolor=\"\(Palette.light.even.hex)\"")
        }
        if label.isCritical { attributes.append("penwidth=3") }
        attributes.append("tooltip=\(Self.dot(label.lines))")
        lines.append("\(Self.indent(depth))n\(node) [\(attributes.joined(separator: ", "))]")
      })
    for edge in graph.edges { lines.append("  n\(edge.from) -> n\(edge.to)\(graph.critical.contains(edge) ? " [penwidth=2.5]" : "")") }
    for edge in graph.carried { lines.append("  n\(edge.from) -> n\(edge.to) [style=dashed, constraint=false]") }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  /// For Mermaid. Groups are subgraphs.
  package var mermaid: String {
    let graph = FoldedGraph(self)
    let labels = graph.nodes.map { GraphLabel($0, self) }
    var lines = ["flowchart LR"]
    GroupTree(graph).visit(
      open: { place, name, depth in lines.append("\(Self.indent(depth))subgraph g\(place)[\(Self.mermaid([name]))]") },
      close: { depth in lines.append("\(Self.indent(depth))end") },
      node: { node, depth in
        let label = labels[node]
        let text = Self.mermaid([graph.nodes[node].path.last ?? "", label.status].filter { !$0.isEmpty })
        lines.append("\(Self.indent(depth))n\(node)[\(text)]\(label.state.map { ":::\($0)" } ?? "")")
      })
    lines += graph.edges.map { "  n\($0.from) \(graph.critical.contains($0) ? "==>" : "-->") n\($0.to)" }
    lines += graph.carried.map { "  n\($0.from) -.-> n\($0.to)" }
    let critical = labels.indices.filter { labels[$0].isCritical }.map { "n\($0)" }
    for state in InstanceState.allCases where labels.contains(where: { $0.state == state }) {
      let pair = Palette.light.state(state)
      lines.append("  classDef \(state) fill:\(pair.fill.hex),stroke:\(pair.line.hex),color:\(Palette.light.text.hex)")
    }
    if !critical.isEmpty {
      lines += ["  classDef critical stroke-width:3px", "  class \(critical.joined(separator: ",")) critical"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: - Quoting

  /// A string of Graphviz: quotes and backslashes as themselves, and `&`, for it reads HTML's names of characters.
  static func dot(_ lines: [String]) -> String {
    let parts = lines.map { line in
      var text = ""
      for scalar in VisibleText.line(line, most: 300).unicodeScalars {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "&": text += "&amp;"
        default: text.unicodeScalars.append(scalar)
        }
      }
      return text
    }
    return "\"\(parts.joined(separator: "\\n"))\""
  }

  /// A label of Mermaid, where any sign may mean something: all but letters, digits and some harmless ones by their numbers.
  static func mermaid(_ lines: [String]) -> String {
    let parts = lines.map { line in
      var text = ""
      for scalar in VisibleText.line(line, most: 300).unicodeScalars {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", " ", ".", ",", "-", "_", "[", "]", "(", ")", "=", "+", "/": text.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x80: text += "#\(scalar.value);"
        default: text.unicodeScalars.append(scalar)
        }
      }
      return text
    }
    return "\"\(parts.joined(separator: "<br/>"))\""
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}

/// The nodes of a folded graph by the groups around them, for programs that draw groups.
private struct GroupTree {
  private final class Group {
    let name: String
    var groups: [Group] = []
    var nodes: [Int] = []

    init(_ name: String) { self.name = name }
  }

  private let root = Group("")

  init(_ graph: FoldedGraph) {
    for (index, node) in graph.nodes.enumerated() {
      var group = root
      for name in node.path.dropLast() {
        if let known = group.groups.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
          group = known
        } else {
          let new = Group(name)
          group.groups.append(new)
          group = new
        }
      }
      group.nodes.append(index)
    }
  }

  func visit(open: (Int, String, Int) -> Void, close: (Int) -> Void, node: (Int, Int) -> Void) {
    var count = 0
    func visit(_ group: Group, _ depth: Int) {
      for index in group.nodes { node(index, depth) }
      for inner in group.groups {
        open(count, inner.name, depth)
        count += 1
        visit(inner, depth + 1)
        close(depth)
      }
    }
    visit(root, 1)
  }
}

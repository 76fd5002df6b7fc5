/// The graph of a run: what needs what, and what became of each. It knows neither manifests nor stores.
///
/// A scan or a matrix makes many instances of one entry; joined, they are one node that counts them, so that a graph of hundreds of
/// instances stays one that can be read.
package struct GraphDrawing: Chart {
  /// A group or the stage itself, at its point: `rft` and `sort`.
  package struct Segment: Sendable, Equatable {
    package let name: String
    /// Its values on its axes, as in the instance's name; empty where it has none.
    package let point: String

    package init(_ name: String, point: String = "") { (self.name, self.point) = (name, point) }
  }

  package struct Node: Sendable, Equatable {
    /// From the outside in; the last is the stage's entry.
    package let path: [Segment]
    /// `train/sft`.
    package let stage: String
    package let state: InstanceState?
    package let seconds: Double?
    package let isCritical: Bool
    /// Why it runs, what went wrong: shown where one points.
    package let notes: [String]

    package init(
      path: [Segment], stage: String = "", state: InstanceState? = nil, seconds: Double? = nil, isCritical: Bool = false,
      notes: [String] = []
    ) {
      self.path = path
      self.stage = stage
      self.state = state
      self.seconds = seconds
      self.isCritical = isCritical
      self.notes = notes
    }

    /// `rft[sort].train`.
    package var name: String { path.map { $0.point.isEmpty ? $0.name : "\($0.name)[\($0.point)]" }.joined(separator: ".") }
  }

  package enum Direction: Sendable {
    case right, down
    /// Whichever is narrower, where one of them is wider than the page.
    case automatic
  }

  package let title: String
  package let nodes: [Node]
  /// By node: the nodes it needs.
  package let needs: [[Int]]
  package let folding: GraphFolding
  package let direction: Direction

  package init(
    _ title: String, nodes: [Node], needs: [[Int]], folding: GraphFolding = .automatic, direction: Direction = .automatic
  ) {
    self.title = title
    self.nodes = nodes
    self.needs = nodes.indices.map { node in
      node < needs.count ? needs[node].filter { nodes.indices.contains($0) && $0 != node } : []
    }
    self.folding = folding
    self.direction = direction
  }

  /// The longest way through the graph by the time each node takes, from first to last: what would still have to be waited for with any
  /// number of slots.
  package static func criticalPath(seconds: [Double], needs: [[Int]]) -> [Int] {
    let order = FoldedGraph.order(count: seconds.count, needs: needs)
    var total = seconds.map { _ in 0.0 }
    var before = seconds.map { _ in -1 }
    for node in order {
      for needed in needs[node] where total[needed] > total[node] {
        total[node] = total[needed]
        before[node] = needed
      }
      total[node] += max(0, seconds[node].isFinite ? seconds[node] : 0)
    }
    guard var node = order.max(by: { total[$0] < total[$1] }), total[node] > 0 else { return [] }
    var path = [node]
    while before[node] >= 0 {
      node = before[node]
      path.append(node)
    }
    return path.reversed()
  }

  package var data: ChartData {
    var data = ChartData(["instance", "stage", "state", "seconds", "critical path", "needs"])
    for (index, node) in nodes.enumerated() {
      data.add([
        .text(node.name), .text(node.stage), .text(node.state?.rawValue ?? ""), .init(node.seconds),
        .text(node.isCritical ? "critical" : ""), .text(needs[index].map { nodes[$0].name }.joined(separator: " ")),
      ])
    }
    return data
  }
}

/// Which members of matrices and scans are one node.
package enum GraphFolding: Sendable, Equatable {
  /// Every instance is a node.
  case none
  /// Those of more than eight members; and, while there would be more nodes than can be read, those of the most.
  case automatic
  /// All that have more than one.
  case all
  /// Those of these entries: `rft`, `rft.train`. A name in `closed` is a group that is one node with everything in it.
  case entries(Set<String>, closed: Set<String>)

  /// What has more members than this is joined unless told otherwise.
  package static let mostMembers = 8
  /// Above so many nodes a picture is not read as a whole.
  package static let mostNodes = 48
}

extension GraphDrawing {
  /// An entry with several members.
  package struct Multiple: Sendable, Equatable {
    /// `rft.train`.
    package let entry: String
    /// The most members it has at one point of the groups around it.
    package let members: Int

    package init(entry: String, members: Int) { (self.entry, self.members) = (entry, members) }
  }

  /// What can be joined, in the order of the nodes.
  package var multiples: [Multiple] {
    var members: [String: [String: Set<String>]] = [:]
    var order: [String] = []
    for node in nodes {
      var (entry, parent) = ("", "")
      for segment in node.path {
        entry += entry.isEmpty ? segment.name : "." + segment.name
        if !segment.point.isEmpty {
          if members[entry] == nil { order.append(entry) }
          members[entry, default: [:]][parent, default: []].insert(segment.point)
        }
        parent += ".\(segment.name)[\(segment.point)]"
      }
    }
    return order.map { entry in Multiple(entry: entry, members: members[entry]?.values.map(\.count).max() ?? 0) }.filter { $0.members > 1 }
  }

  /// Entries whose members are joined to begin with.
  package var joined: Set<String> { folded.joined }

  /// Entries whose members are joined, and groups that are one node.
  var folded: (joined: Set<String>, closed: Set<String>) {
    switch folding {
    case .none: ([], [])
    case .all: (Set(multiples.map(\.entry)), [])
    case .entries(let joined, let closed): (joined, closed)
    case .automatic: (automatic(), [])
    }
  }

  private func automatic() -> Set<String> {
    let multiples = multiples
    var joined = Set(multiples.filter { $0.members > GraphFolding.mostMembers }.map(\.entry))
    let others = multiples.filter { !joined.contains($0.entry) }.enumerated().sorted {
      ($1.element.members, $0.offset) < ($0.element.members, $1.offset)
    }
    for other in others where Set(nodes.map { FoldedGraph.identity($0, joined, []) }).count > GraphFolding.mostNodes {
      joined.insert(other.element.entry)
    }
    return joined
  }
}

/// The graph as it is drawn: nodes that stand for one instance or many, each edge once.
struct FoldedGraph {
  struct Node {
    /// As the groups around it and itself are called; what is joined without its points.
    let path: [String]
    var members: [Int] = []
    /// Whether a member needs another.
    var carriesOn = false
  }

  struct Edge: Hashable {
    let from: Int
    let to: Int
  }

  /// In the order of their first members, so far as `edges` go forward in it.
  private(set) var nodes: [Node] = []
  private(set) var edges: [Edge] = []
  /// Those that go back to what came before, from one step of a joined scan to the next.
  private(set) var carried: [Edge] = []
  private(set) var critical: Set<Edge> = []

  init(_ drawing: GraphDrawing) {
    let (joined, closed) = drawing.folded
    let order = Self.order(count: drawing.nodes.count, needs: drawing.needs)
    var places: [[UInt8]: Int] = [:]
    var place = Array(repeating: 0, count: drawing.nodes.count)
    var found: [Node] = []
    for index in order {
      let identity = Self.identity(drawing.nodes[index], joined, closed)
      place[index] = places[identity] ?? found.count
      if place[index] == found.count {
        places[identity] = found.count
        found.append(Node(path: Self.path(drawing.nodes[index], joined, closed)))
      }
      found[place[index]].members.append(index)
    }
    // Joined, the graph may have another order, or circles: a scan's steps hand on to themselves.
    var needs = Array(repeating: [Int](), count: found.count)
    for index in order { needs[place[index]] += drawing.needs[index].map { place[$0] }.filter { $0 != place[index] } }
    let joinedOrder = Self.order(count: found.count, needs: needs)
    var rank = Array(repeating: 0, count: found.count)
    for (new, old) in joinedOrder.enumerated() { rank[old] = new }
    nodes = joinedOrder.map { found[$0] }
    place = place.map { rank[$0] }
    var seen: Set<Edge> = []
    for index in order {
      for needed in drawing.needs[index] {
        let edge = Edge(from: place[needed], to: place[index])
        guard edge.from != edge.to else {
          nodes[edge.to].carriesOn = true
          continue
        }
        guard seen.insert(edge).inserted else { continue }
        if edge.from < edge.to { edges.append(edge) } else { carried.append(edge) }
      }
    }
    let way = order.filter { drawing.nodes[$0].isCritical }
    for (before, after) in zip(way, way.dropFirst()) {
      let edge = Edge(from: place[before], to: place[after])
      if seen.contains(edge) { critical.insert(edge) }
    }
  }

  /// Every node after those it needs; where they need each other in a circle, it is cut before the first of them.
  static func order(count: Int, needs: [[Int]]) -> [Int] {
    if (0..<count).allSatisfy({ node in needs[node].allSatisfy { $0 < node } }) { return Array(0..<count) }
    var open = needs.map(\.count)
    var users = Array(repeating: [Int](), count: count)
    for node in 0..<count { for needed in needs[node] { users[needed].append(node) } }
    var order = (0..<count).filter { open[$0] == 0 }
    var isPlaced = open.map { $0 == 0 }
    var (next, first) = (0, 0)
    while order.count < count || next < order.count {
      if next == order.count {
        while isPlaced[first] { first += 1 }
        isPlaced[first] = true
        order.append(first)
      }
      for user in users[order[next]] where !isPlaced[user] {
        open[user] -= 1
        if open[user] == 0 {
          isPlaced[user] = true
          order.append(user)
        }
      }
      next += 1
    }
    return order
  }

  // MARK: - Names

  /// Bytes that two instances share just when they are one node. A separator that no name can spell: lengths.
  static func identity(_ node: GraphDrawing.Node, _ joined: Set<String>, _ closed: Set<String>) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ text: String) {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: text.utf8)
    }
    walk(node, joined, closed) { segment, isJoined in
      add(segment.name)
      add(isJoined ? "" : segment.point)
    }
    return bytes
  }

  private static func path(_ node: GraphDrawing.Node, _ joined: Set<String>, _ closed: Set<String>) -> [String] {
    var path: [String] = []
    walk(node, joined, closed) { segment, isJoined in
      path.append(segment.point.isEmpty || isJoined ? segment.name : "\(segment.name)[\(segment.point)]")
    }
    return path
  }

  private static func walk(
    _ node: GraphDrawing.Node, _ joined: Set<String>, _ closed: Set<String>, _ visit: (GraphDrawing.Segment, Bool) -> Void
  ) {
    var entry = ""
    for (place, segment) in node.path.enumerated() {
      entry += entry.isEmpty ? segment.name : "." + segment.name
      visit(segment, joined.contains(entry))
      if place < node.path.count - 1, closed.contains(entry) { return }
    }
  }
}

/// A graph cut into layers: each node after what it needs, and a place in every layer that an edge crosses (Sugiyama and others 1981).
///
/// Edges of one source, or of one target, that cross the same layers share their places there: a model that everything is measured against
/// is one bundle and not a hundred lines.
struct GraphLayers {
  /// Nodes first, then the places of edges.
  private(set) var layer: [Int] = []
  let nodeCount: Int
  /// From a layer to the next.
  private(set) var links: [FoldedGraph.Edge] = []
  /// By edge: the places it goes through. None where there are too many for all to have some.
  private(set) var routes: [[Int]] = []
  private(set) var layerCount = 0

  /// So many places edges have together at most, by nodes: a bound on the work, not on what is drawn.
  private static func mostPlaces(_ nodes: Int) -> Int { 4000 + 2 * nodes }

  init(_ graph: FoldedGraph) {
    nodeCount = graph.nodes.count
    layer = Self.layers(graph)
    layerCount = (layer.max() ?? -1) + 1
    routes = Array(repeating: [], count: graph.edges.count)
    var (longOut, longIn) = (Array(repeating: 0, count: nodeCount), Array(repeating: 0, count: nodeCount))
    for edge in graph.edges where layer[edge.to] - layer[edge.from] > 1 {
      longOut[edge.from] += 1
      longIn[edge.to] += 1
    }
    var after: [Int: [Int]] = [:]
    var before: [Int: [Int]] = [:]
    for (index, edge) in graph.edges.enumerated() {
      let length = layer[edge.to] - layer[edge.from] - 1
      if length == 0 {
        links.append(edge)
      } else if layer.count - nodeCount > Self.mostPlaces(nodeCount) {
        continue
      } else if longIn[edge.to] > longOut[edge.from] {
        routes[index] = lead(into: edge, length, &before[edge.to, default: []])
      } else {
        routes[index] = lead(outOf: edge, length, &after[edge.from, default: []])
      }
    }
  }

  /// Along the places behind the source, from the nearest on.
  private mutating func lead(outOf edge: FoldedGraph.Edge, _ length: Int, _ chain: inout [Int]) -> [Int] {
    while chain.count < length {
      links.append(.init(from: chain.last ?? edge.from, to: layer.count))
      chain.append(layer.count)
      layer.append(layer[edge.from] + chain.count)
    }
    links.append(.init(from: chain[length - 1], to: edge.to))
    return Array(chain.prefix(length))
  }

  /// Along the places before the target; the chain is kept from the target backwards.
  private mutating func lead(into edge: FoldedGraph.Edge, _ length: Int, _ chain: inout [Int]) -> [Int] {
    while chain.count < length {
      links.append(.init(from: layer.count, to: chain.last ?? edge.to))
      chain.append(layer.count)
      layer.append(layer[edge.to] - chain.count)
    }
    links.append(.init(from: edge.from, to: chain[length - 1]))
    return chain.prefix(length).reversed()
  }

  /// The longest way from a source, then as late as what it feeds allows, where that makes edges no longer.
  private static func layers(_ graph: FoldedGraph) -> [Int] {
    let count = graph.nodes.count
    var layer = Array(repeating: 0, count: count)
    var (incoming, outgoing) = (Array(repeating: [Int](), count: count), Array(repeating: [Int](), count: count))
    for edge in graph.edges {
      incoming[edge.to].append(edge.from)
      outgoing[edge.from].append(edge.to)
    }
    for node in 0..<count { layer[node] = (incoming[node].map { layer[$0] }.max() ?? -1) + 1 }
    for node in (0..<count).reversed() where incoming[node].count <= outgoing[node].count {
      if let next = outgoing[node].map({ layer[$0] }).min() { layer[node] = next - 1 }
    }
    return layer
  }
}

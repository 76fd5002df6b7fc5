/// The order within each layer: some sweeps that put every vertex at the mean of its neighbours in the layer before or behind, of which the
/// order with the fewest crossings is kept. A fixed number of sweeps and stable sorting make it the same every time.
struct GraphOrdering {
  /// By layer: its vertices in order.
  private(set) var layers: [[Int]]
  private var place: [Int]
  private let before: [[Int]]
  private let behind: [[Int]]
  private static let sweeps = 8

  init(_ graph: GraphLayers) {
    let count = graph.layer.count
    var (before, behind) = (Array(repeating: [Int](), count: count), Array(repeating: [Int](), count: count))
    for link in graph.links {
      before[link.to].append(link.from)
      behind[link.from].append(link.to)
    }
    (self.before, self.behind) = (before, behind)
    layers = Array(repeating: [], count: graph.layerCount)
    place = Array(repeating: 0, count: count)
    for vertex in 0..<count {
      place[vertex] = layers[graph.layer[vertex]].count
      layers[graph.layer[vertex]].append(vertex)
    }
    var best = (layers: layers, crossings: crossings())
    for sweep in 0..<Self.sweeps where best.crossings > 0 {
      let isForward = sweep % 2 == 0
      let order = isForward ? Array(layers.indices.dropFirst()) : Array(layers.indices.dropLast().reversed())
      for index in order { sort(index, by: isForward ? before : behind, besides: isForward ? index - 1 : index + 1) }
      let found = crossings()
      if found < best.crossings { best = (layers, found) }
    }
    layers = best.layers
  }

  private mutating func sort(_ index: Int, by neighbours: [[Int]], besides other: Int) {
    // One without neighbours stays about where it is.
    let scale = Double(layers[other].count) / Double(max(layers[index].count, 1))
    let keyed = layers[index].enumerated().map { offset, vertex -> (key: Double, offset: Int, vertex: Int) in
      let near = neighbours[vertex]
      guard !near.isEmpty else { return (Double(offset) * scale, offset, vertex) }
      return (Double(near.reduce(0) { $0 + place[$1] }) / Double(near.count), offset, vertex)
    }
    layers[index] = keyed.sorted { ($0.key, $0.offset) < ($1.key, $1.offset) }.map(\.vertex)
    for (offset, vertex) in layers[index].enumerated() { place[vertex] = offset }
  }

  /// Pairs of links between neighbouring layers that cross, counted with a tree of sums (Barth, Jünger and Mutzel 2002).
  private func crossings() -> Int {
    var total = 0
    for (index, layer) in layers.enumerated().dropLast() {
      var sums = Array(repeating: 0, count: layers[index + 1].count + 1)
      var seen = 0
      for vertex in layer {
        let ends = behind[vertex].map { place[$0] }.sorted()
        for end in ends {
          var (node, upTo) = (end + 1, 0)
          while node > 0 {
            upTo += sums[node]
            node -= node & -node
          }
          total += seen - upTo
        }
        for end in ends {
          var node = end + 1
          while node < sums.count {
            sums[node] += 1
            node += node & -node
          }
          seen += 1
        }
      }
    }
    return total
  }
}

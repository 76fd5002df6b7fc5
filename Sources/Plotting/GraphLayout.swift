/// Where everything in a graph lies: nodes in layers, none over another, and edges through the gaps.
struct GraphLayout {
  struct Size {
    let node: (width: Double, height: Double)
    /// Between two layers, and between two nodes of one.
    let gaps: (layer: Double, node: Double)
  }

  struct Box: Equatable {
    let x, y, width, height: Double
  }

  let isDown: Bool
  /// By node.
  let boxes: [Box]
  /// By edge: along the layers and across them, from the end of one node to the beginning of the other.
  let routes: [[(along: Double, across: Double)]]
  let width: Double
  let height: Double

  init(_ graph: FoldedGraph, _ layers: GraphLayers, _ ordering: GraphOrdering, _ size: Size, isDown: Bool) {
    self.isDown = isDown
    let (length, breadth) = isDown ? (size.node.height, size.node.width) : (size.node.width, size.node.height)
    let across = Self.across(layers, ordering, breadth: breadth, gap: size.gaps.node)
    let along = layers.layer.map { Double($0) * (length + size.gaps.layer) }
    boxes = (0..<layers.nodeCount).map { node in
      isDown
        ? Box(x: across[node] - breadth / 2, y: along[node], width: breadth, height: length)
        : Box(x: along[node], y: across[node] - breadth / 2, width: length, height: breadth)
    }
    routes = zip(graph.edges, layers.routes).map { edge, places in
      var route = [(along: along[edge.from] + length, across: across[edge.from])]
      for place in places { route += [(along[place], across[place]), (along[place] + length, across[place])] }
      route.append((along[edge.to], across[edge.to]))
      return route
    }
    width = boxes.map { $0.x + $0.width }.max() ?? 0
    height = boxes.map { $0.y + $0.height }.max() ?? 0
  }

  // MARK: - Across the layers

  /// Sweeps as for the order; in each every vertex goes to the mean of its neighbours as far as its layer's order leaves room.
  private static func across(_ graph: GraphLayers, _ ordering: GraphOrdering, breadth: Double, gap: Double) -> [Double] {
    let count = graph.layer.count
    var (before, behind) = (Array(repeating: [Int](), count: count), Array(repeating: [Int](), count: count))
    for link in graph.links {
      before[link.to].append(link.from)
      behind[link.from].append(link.to)
    }
    func half(_ vertex: Int) -> Double { vertex < graph.nodeCount ? breadth / 2 + gap / 2 : gap / 2 }
    var position = Array(repeating: 0.0, count: count)
    for layer in ordering.layers {
      var next = 0.0
      for vertex in layer {
        position[vertex] = next + half(vertex)
        next += 2 * half(vertex)
      }
      // Layers begin centred on each other.
      for vertex in layer { position[vertex] -= next / 2 }
    }
    for sweep in 0..<10 {
      let isForward = sweep % 2 == 0
      for index in isForward ? Array(ordering.layers.indices) : ordering.layers.indices.reversed() {
        let layer = ordering.layers[index]
        let wishes = layer.map { vertex -> Double in
          let near = sweep >= 8 ? before[vertex] + behind[vertex] : isForward ? before[vertex] : behind[vertex]
          return near.isEmpty ? position[vertex] : near.reduce(0) { $0 + position[$1] } / Double(near.count)
        }
        // The way of an edge is kept straight before a node is.
        let placed = spread(wishes, weights: layer.map { $0 < graph.nodeCount ? 1 : 3 }, halves: layer.map(half))
        for (vertex, place) in zip(layer, placed) { position[vertex] = place }
      }
    }
    let first = (0..<count).map { position[$0] - (half($0) - gap / 2) }.min() ?? 0
    return position.map { $0 - first }
  }

  /// The places nearest to the wishes, by weighted squares, that keep the order and leave room: pools of adjacent violators.
  static func spread(_ wishes: [Double], weights: [Double], halves: [Double]) -> [Double] {
    var pools: [(sum: Double, weight: Double, count: Int)] = []
    var offsets: [Double] = []
    for (index, wish) in wishes.enumerated() {
      offsets.append(index == 0 ? 0 : offsets[index - 1] + halves[index - 1] + halves[index])
      var pool = (sum: (wish - offsets[index]) * weights[index], weight: weights[index], count: 1)
      while let last = pools.last, last.sum / last.weight > pool.sum / pool.weight {
        pool = (pool.sum + last.sum, pool.weight + last.weight, pool.count + last.count)
        pools.removeLast()
      }
      pools.append(pool)
    }
    var result: [Double] = []
    result.reserveCapacity(wishes.count)
    for pool in pools {
      for _ in 0..<pool.count { result.append(pool.sum / pool.weight + offsets[result.count]) }
    }
    return result
  }
}

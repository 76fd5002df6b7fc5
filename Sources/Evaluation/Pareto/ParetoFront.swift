/// Which of some points are beaten by none, where more is better on both axes, and where the front bends. Knows nothing of models.
package struct ParetoFront: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package let x: Double
    package let y: Double

    package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

    /// At least as good on both axes, and better on one.
    package func dominates(_ other: Point) -> Bool { x >= other.x && y >= other.y && (x > other.x || y > other.y) }
  }

  package let points: [Point]
  /// Places of the points that no other dominates, by x and then by place; equal points are all on it.
  package let front: [Int]

  package init(_ points: [Point]) {
    self.points = points
    front = points.indices.filter { index in !points.contains { $0.dominates(points[index]) } }
      .sorted { (points[$0].x, $0) < (points[$1].x, $1) }
  }

  /// The points of the front that dominate this one.
  package func dominators(of index: Int) -> [Int] { front.filter { points[$0].dominates(points[index]) } }

  /// The place of the front's point that lies furthest beyond the chord from the front's one end to its other, both axes scaled so that the ends
  /// are (0, 1) and (1, 0): the distance is (x + y − 1)/√2. Of equals the one with the smaller x; nil where the front has no third point beyond
  /// the chord.
  ///
  /// - Parameter among: only these of the front's points, ends included.
  package func knee(among isCandidate: (Int) -> Bool = { _ in true }) -> Int? {
    let candidates = front.filter(isCandidate)
    guard let first = candidates.first, let last = candidates.last else { return nil }
    let (left, right) = (points[first], points[last])
    let (width, height) = (right.x - left.x, left.y - right.y)
    guard width > 0, height > 0 else { return nil }
    var knee: (place: Int, distance: Double)?
    for place in candidates {
      let point = points[place]
      let distance = ((point.x - left.x) / width + (point.y - right.y) / height - 1) / 2.0.squareRoot()
      if distance > max(knee?.distance ?? 0, Self.least) { knee = (place, distance) }
    }
    return knee?.place
  }

  /// What rounding alone puts beyond the chord.
  private static let least = 1e-12
}

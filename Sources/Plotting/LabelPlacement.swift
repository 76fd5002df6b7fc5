/// Places names beside points so that none covers another or a point: greedily, in the order it is asked.
struct LabelPlacement {
  struct Box {
    var left, top, right, bottom: Double

    func meets(_ other: Box) -> Bool { left < other.right && other.left < right && top < other.bottom && other.top < bottom }
    func lies(in room: Box) -> Bool { left >= room.left && right <= room.right && top >= room.top && bottom <= room.bottom }
  }

  struct Label {
    let text: String
    /// Where the text begins, on its base line.
    let x, y: Double
    /// From the point to the text, where they are apart.
    let leader: (Double, Double, Double, Double)?
    let box: Box
  }

  private let room: Box
  private let points: [(x: Double, y: Double)]
  private var taken: [Box]
  private static let size = 11.0
  /// Beyond so many names a picture is not read by its names.
  private static let most = 80
  private var count = 0

  init(room: Box, points: [(Double, Double)]) {
    self.room = room
    self.points = points
    taken = points.map { Box(left: $0.0 - 6, top: $0.1 - 6, right: $0.0 + 6, bottom: $0.1 + 6) }
  }

  /// Nil where there is no room near the point.
  mutating func place(_ text: String, at index: Int) -> Label? {
    guard count < Self.most else { return nil }
    let (x, y) = points[index]
    let (width, height) = (TextMetrics.width(text, size: Self.size), Self.size + 2)
    for distance in [9.0, 22, 38] {
      for (horizontal, vertical) in [(1.0, 0.0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)] {
        let left = horizontal > 0 ? x + distance * 0.9 : horizontal < 0 ? x - distance * 0.9 - width : x - width / 2
        let middle = y + vertical * (distance + height / 2 - 4)
        let box = Box(left: left, top: middle - height / 2, right: left + width, bottom: middle + height / 2)
        guard box.lies(in: room), !taken.contains(where: box.meets) else { continue }
        taken.append(box)
        count += 1
        let end = (x: min(max(x, left), left + width), y: vertical > 0 ? box.top : vertical < 0 ? box.bottom : middle)
        let leader = distance > 9 ? (x, y, end.x, end.y) : nil
        return Label(text: text, x: left, y: middle + Self.size * 0.36, leader: leader, box: box)
      }
    }
    return nil
  }
}

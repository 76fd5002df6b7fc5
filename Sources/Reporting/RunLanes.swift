/// What ran when: lanes so that no two in one overlap, and the chain of durations that no number of processors shortens.
struct RunLanes {
  /// By instance; nil for what was not started.
  let lanes: [Int?]
  let critical: Set<Int>

  /// - Parameter now: seconds since the run began, for what is not over; what has begun latest where nothing is known.
  init(_ rows: [InstanceRow], now: Double?) {
    let latest = rows.compactMap { $0.ended ?? $0.began }.max() ?? 0
    let now = max(now ?? latest, latest)
    lanes = Self.lanes(rows, now)
    critical = Self.critical(rows, now)
  }

  /// Each in the first lane that is free when it begins.
  private static func lanes(_ rows: [InstanceRow], _ now: Double) -> [Int?] {
    var lanes = [Int?](repeating: nil, count: rows.count)
    var free: [Double] = []
    let started = rows.indices.compactMap { index in rows[index].began.map { (began: $0, index: index) } }
    for (began, index) in started.sorted(by: { ($0.began, $0.index) < ($1.began, $1.index) }) {
      let end = rows[index].ended ?? now
      let lane = free.firstIndex { $0 <= began } ?? free.count
      if lane == free.count { free.append(end) } else { free[lane] = end }
      lanes[index] = lane
    }
    return lanes
  }

  /// Over what was done in this run; inputs come before their consumers in a plan, so one pass finds it.
  private static func critical(_ rows: [InstanceRow], _ now: Double) -> Set<Int> {
    func seconds(_ row: InstanceRow) -> Double { row.began.map { max(0, (row.ended ?? now) - $0) } ?? 0 }
    var lengths = [Double](repeating: 0, count: rows.count)
    var previous = [Int?](repeating: nil, count: rows.count)
    for index in rows.indices {
      for need in rows[index].needs where need < index && lengths[need] > previous[index].map({ lengths[$0] }) ?? 0 {
        previous[index] = need
      }
      lengths[index] = seconds(rows[index]) + (previous[index].map { lengths[$0] } ?? 0)
    }
    guard var place = lengths.indices.max(by: { lengths[$0] < lengths[$1] }), lengths[place] > 0 else { return [] }
    var chain: Set<Int> = []
    while true {
      if rows[place].began != nil { chain.insert(place) }
      guard let before = previous[place] else { return chain }
      place = before
    }
  }
}

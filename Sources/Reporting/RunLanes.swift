import Plotting

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

  /// Over what was done in this run.
  private static func critical(_ rows: [InstanceRow], _ now: Double) -> Set<Int> {
    let seconds = rows.map { row in row.began.map { max(0, (row.ended ?? now) - $0) } ?? 0 }
    return Set(GraphDrawing.criticalPath(seconds: seconds, needs: rows.map(\.needs)).filter { rows[$0].began != nil })
  }
}

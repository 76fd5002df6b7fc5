import Artifacts
import Execution
import Glibc
import JSONValues
import Reporting

/// What is known of a run that goes on, kept up to date by looking at what was added to its files: each look gives the events that tell it.
package struct LiveState: Sendable {
  private var follower: RunFollower
  private let store: Store
  private var rows: [LiveInstance]
  private var tally: [String: Int] = [:]
  private var curves = LiveCurves()
  private var logs: [Int: [String]] = [:]
  /// Size and time of each running instance's log when it was last read.
  private var stamps: [Int: [Int]] = [:]
  private(set) var standing = "running"
  private(set) var isGone = false

  package static let logLines = 8
  /// Logs beyond these are not followed: nobody reads so many at once.
  private static let mostLogs = 24

  package init(_ run: RecordedRun, in store: Store) {
    follower = RunFollower(run, in: store)
    self.store = store
    rows = run.instances.enumerated().map { LiveInstance($0.element, place: $0.offset, started: run.started) }
    for row in rows { tally[row.state, default: 0] += 1 }
  }

  package var isOver: Bool { standing != "running" }

  /// Reads what is new.
  ///
  /// - Parameter now: seconds since 1970.
  package mutating func look(now: Double) -> [LiveEvent] {
    guard !isOver else { return [] }
    let news = follower.advance()
    isGone = news.isGone
    if news.hasEnded { standing = news.isGone ? "gone" : Self.name(follower.standing) }
    var events: [LiveEvent] = []
    var changed: [LiveInstance] = []
    for place in news.changed {
      let row = LiveInstance(follower.instances[place], place: place, started: follower.run.started)
      guard row != rows[place] else { continue }
      tally[rows[place].state, default: 0] -= 1
      tally[row.state, default: 0] += 1
      rows[place] = row
      changed.append(row)
    }
    if !changed.isEmpty { events.append(.instances(changed)) }
    events += points(news)
    events += lastWords(changed) + tails()
    if !changed.isEmpty || news.hasEnded { events.append(.run(summary(now: now))) }
    if isOver { events.append(.end(standing: standing)) }
    return events
  }

  /// All that somebody needs to be told who knows nothing.
  package func whole(now: Double) -> [LiveEvent] {
    var events: [LiveEvent] = [.run(summary(now: now)), .instances(rows)]
    events += curves.whole.map(LiveEvent.points)
    events += logs.sorted { $0.key < $1.key }.map { .log(instance: $0.key, lines: $0.value) }
    if isOver { events.append(.end(standing: standing)) }
    return events
  }

  private func summary(now: Double) -> LiveRun {
    LiveRun(
      standing: standing, seconds: follower.seconds ?? max(0, now - follower.run.started),
      counts: LiveRun.states.compactMap { state in (tally[state] ?? 0) > 0 ? .init(state: state, count: tally[state] ?? 0) : nil })
  }

  private static func name(_ standing: RecordedRun.Standing) -> String {
    switch standing {
    case .running: "running"
    case .ended(0): "done"
    case .ended(130): "interrupted"
    case .ended: "failed"
    case .broken: "killed"
    }
  }

  private mutating func points(_ news: RunFollower.News) -> [LiveEvent] {
    var events: [LiveEvent] = []
    for place in news.begun.union(news.points.keys).sorted() {
      let isNew = news.begun.contains(place)
      if isNew { curves.forget(place) }
      let series = curves.add(news.points[place] ?? [], to: place)
      if isNew || !series.isEmpty { events.append(.points(LivePoints(instance: place, isWhole: isNew, series: series))) }
    }
    return events
  }

  // MARK: - Logs

  private mutating func tails() -> [LiveEvent] {
    follower.running.prefix(Self.mostLogs).compactMap { place in
      guard let key = follower.instances[place].key else { return nil }
      return tail(place, store.workDirectory(key).logPath)
    }
  }

  /// Of those that are over: what they said last, of a failure above all. Their curves stay until the page is asked for again.
  private mutating func lastWords(_ changed: [LiveInstance]) -> [LiveEvent] {
    var events: [LiveEvent] = []
    for row in changed where row.state != "running" && row.state != "waiting" {
      stamps[row.place] = nil
      if row.state == "failed", let key = follower.instances[row.place].key, let event = tail(row.place, store.workDirectory(key).logPath) {
        events.append(event)
      }
      if row.state != "failed" { logs[row.place] = nil }
      stamps[row.place] = nil
      curves.forget(row.place)
    }
    return events
  }

  private mutating func tail(_ place: Int, _ path: String) -> LiveEvent? {
    guard let status = (try? store.files.status(path, followingLinks: false)) ?? nil, status.kind == .file else { return nil }
    let stamp = [status.size, status.modified]
    guard stamps[place] != stamp else { return nil }
    stamps[place] = stamp
    let lines = LogTail.lines(of: path, store.files, count: Self.logLines)
    guard lines != logs[place] ?? [] else { return nil }
    logs[place] = lines
    return .log(instance: place, lines: lines)
  }
}

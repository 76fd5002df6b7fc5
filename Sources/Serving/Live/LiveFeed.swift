import Artifacts
import Execution
import Synchronization

/// Looks at one run while somebody watches it, once for all who do, and keeps what there is to tell. Whoever watches takes it at his own pace:
/// nobody's slowness is kept in memory.
final class LiveFeed: Sendable {
  struct Pace: Sendable {
    var look = Duration.milliseconds(250)
    /// Looks without anybody watching, after which it stops: a client that lost its connection comes back sooner.
    var idleLooks = 60
    /// So many looks without news, and clients are sent a sign of life.
    var quietLooks = 40
  }

  private struct Shared {
    var state: LiveState
    var ring: EventRing
    var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextWatcher = 0
    var idle = 0
    var quiet = 0
  }

  private let pace: Pace
  private let shared: Mutex<Shared>

  /// Reads what the run's journal says until now: whoever comes is told all of it, so it is no news.
  init(_ run: RecordedRun, in store: Store, _ pace: Pace) {
    self.pace = pace
    var state = LiveState(run, in: store)
    _ = state.look(now: Self.now)
    shared = Mutex(Shared(state: state, ring: EventRing(epoch: String(UInt64.random(in: 0...UInt64.max), radix: 36))))
  }

  private static var now: Double { Double(wallClock()) / 1e9 }

  enum Verdict: Sendable { case goesOn, over }

  /// Reads what is new and wakes those who watch. Over when the run is, or nobody has watched for a while.
  func look() -> Verdict {
    shared.withLock { shared in
      let events = shared.state.look(now: Self.now)
      for event in events { shared.ring.add(event) }
      shared.quiet = events.isEmpty ? shared.quiet + 1 : 0
      if !events.isEmpty || shared.quiet >= pace.quietLooks {
        shared.quiet = 0
        for watcher in shared.watchers.values { watcher.yield() }
      }
      shared.idle = shared.watchers.isEmpty ? shared.idle + 1 : 0
      return shared.state.isOver || shared.idle >= pace.idleLooks ? .over : .goesOn
    }
  }

  // MARK: - Watching

  /// Signals, the first of them at once: there may be something to tell.
  func watch() -> (watcher: Int, signals: AsyncStream<Void>) {
    let (signals, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    continuation.yield()
    let watcher = shared.withLock { shared in
      shared.nextWatcher += 1
      shared.watchers[shared.nextWatcher] = continuation
      return shared.nextWatcher
    }
    return (watcher, signals)
  }

  func leave(_ watcher: Int) {
    shared.withLock { $0.watchers.removeValue(forKey: watcher) }?.finish()
  }

  /// Everybody is sent away.
  func close() {
    for watcher in shared.withLock({ shared in
      defer { shared.watchers = [:] }
      return Array(shared.watchers.values)
    }) { watcher.finish() }
  }

  var watchers: Int { shared.withLock { $0.watchers.count } }

  /// Where a client is.
  enum Position: Sendable, Equatable {
    case nowhere
    case after(Int)
  }

  struct Telling: Sendable {
    let texts: [[UInt8]]
    let position: Position
    /// Nothing will follow.
    let isLast: Bool
  }

  func position(lastEventID: String?) -> Position {
    lastEventID.flatMap { id in shared.withLock { $0.ring.number(in: id) } }.map { .after($0) } ?? .nowhere
  }

  /// What somebody at that position has not been told; everything where it is too long ago to say.
  func tell(from position: Position) -> Telling {
    let (known, state, last, id) = shared.withLock { shared in
      var known: [[UInt8]]?
      if case .after(let number) = position { known = shared.ring.since(number) }
      return (known, shared.state, shared.ring.last, shared.ring.id(shared.ring.last))
    }
    let whole = known == nil ? state.whole(now: Self.now) : []
    // Only with the last of them has somebody been told everything.
    let texts = known ?? whole.enumerated().map { EventRing.text($0.element, id: $0.offset == whole.count - 1 ? id : nil) }
    return Telling(texts: texts, position: .after(last), isLast: state.isOver)
  }
}

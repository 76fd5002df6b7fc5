import Artifacts
import Execution
import Synchronization

/// The feeds of the runs that are watched now, and how many watch: no more than so many at once.
final class LiveFeeds: Sendable {
  private struct Shared {
    var feeds: [RunID: LiveFeed] = [:]
    var isClosed = false
    var clients = 0
  }

  private let storePath: String
  private let worker: FileWorker
  private let pace: LiveFeed.Pace
  private let mostClients: Int
  private let shared = Mutex(Shared())

  init(storePath: String, worker: FileWorker, pace: LiveFeed.Pace, mostClients: Int) {
    self.storePath = storePath
    self.worker = worker
    self.pace = pace
    self.mostClients = mostClients
  }

  enum Admission: Sendable {
    case admitted(LiveSubscription)
    case full
    case unknown
  }

  /// A place among those who watch, and the feed. The place is given back by `LiveSubscription.end`.
  func subscribe(_ id: RunID, lastEventID: String?) async throws -> Admission {
    let hasPlace = shared.withLock { shared in
      guard shared.clients < mostClients, !shared.isClosed else { return false }
      shared.clients += 1
      return true
    }
    guard hasPlace else { return .full }
    do {
      guard let feed = try await feed(id) else {
        giveBack()
        return .unknown
      }
      return .admitted(LiveSubscription(feed: feed, lastEventID: lastEventID) { [self] in giveBack() })
    } catch {
      giveBack()
      throw error
    }
  }

  /// Everybody is sent away, and nobody is let in any more.
  func close() {
    let feeds = shared.withLock { shared in
      shared.isClosed = true
      return Array(shared.feeds.values)
    }
    for feed in feeds { feed.close() }
  }

  private var isClosed: Bool { shared.withLock { $0.isClosed } }

  var clients: Int { shared.withLock { $0.clients } }

  private func giveBack() { shared.withLock { $0.clients -= 1 } }

  /// One feed a run: the worker does one thing at a time.
  private func feed(_ id: RunID) async throws -> LiveFeed? {
    let (feed, isNew) = try await worker.run { [self] in
      if let feed = shared.withLock({ $0.feeds[id] }) { return (feed as LiveFeed?, false) }
      let queries = try StoreQueries(storePath)
      guard let run = try queries.run(exactly: id) else { return (nil, false) }
      let feed = LiveFeed(run, in: queries.store, pace)
      shared.withLock { $0.feeds[id] = feed }
      return (feed, true)
    }
    if let feed, isNew { Task(executorPreference: ServingExecutor.shared) { await self.keepLooking(feed, id) } }
    return feed
  }

  private func keepLooking(_ feed: LiveFeed, _ id: RunID) async {
    while !isClosed, (try? await worker.run { feed.look() }) == .goesOn {
      do { try await Task.sleep(for: pace.look) } catch { break }
    }
    shared.withLock { $0.feeds[id] = nil }
  }
}

/// One client's place at a feed.
struct LiveSubscription: Sendable {
  let feed: LiveFeed
  let lastEventID: String?
  /// To be called once, when the client has gone.
  let end: @Sendable () -> Void
}

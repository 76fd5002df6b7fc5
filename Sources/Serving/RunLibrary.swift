import Artifacts
import Execution
import Hashing
import JSONValues
import Reporting
import Synchronization

/// What the site has to show, read from a store: runs, reports, comparisons, logs. What was rendered is kept as long as the run's journal has not
/// grown. Everything here waits for disks and is called on a worker, one thing after the other.
package final class RunLibrary: Sendable {
  /// Nothing of that name is in the store, or not any more.
  struct Missing: Error, Equatable {
    let what: String
  }

  let storePath: String
  private let cache = Mutex(PageCache())
  private let entries = Mutex<[RunID: (stamp: RunStamp, entry: RunListEntry)]>([:])

  /// So many runs a list shows, the newest.
  static let mostRuns = 200
  private static let longestLog = 4 << 20

  package init(storePath: String) { self.storePath = storePath }

  private func queries() throws -> StoreQueries {
    let queries = try StoreQueries(storePath)
    guard try queries.store.files.status(queries.store.root)?.kind == .directory else {
      throw StoreError("there is no store", path: queries.store.root)
    }
    return queries
  }

  // MARK: - Runs

  /// Newest first.
  func runs() throws -> (entries: [RunListEntry], total: Int) {
    let queries = try queries()
    let ids = try queries.ids()
    let names = (try? queries.runNames()) ?? [:]
    let known = entries.withLock { $0 }
    var fresh: [RunID: (stamp: RunStamp, entry: RunListEntry)] = [:]
    var list: [RunListEntry] = []
    for id in ids where list.count < Self.mostRuns {
      guard let stamp = try RunStamp(id, queries.store) else { continue }
      var entry = known[id]?.stamp == stamp && known[id]?.entry.name == names[id.text] ? known[id]?.entry : nil
      if entry == nil, let run = try queries.run(exactly: id) { entry = RunListEntry(run, queries.store, name: names[id.text]) }
      guard let entry else { continue }
      fresh[id] = (stamp, entry)
      list.append(entry)
    }
    entries.withLock { $0 = fresh }
    return (list, ids.count)
  }

  func run(_ id: RunID) throws -> (run: RecordedRun, store: Store) {
    let queries = try queries()
    guard let run = try queries.run(exactly: id) else { throw Missing(what: "no run \(id) in this store") }
    return (run, queries.store)
  }

  // MARK: - What takes long

  enum Form: Sendable, Hashable { case page, json }

  /// Rendered anew only where the run has gone on.
  func rendered(_ form: Form, of ids: [RunID], _ render: ([RunReport]) -> WrittenPage) throws -> WrittenPage {
    let queries = try queries()
    let stamps = try ids.map { id in
      guard let stamp = try RunStamp(id, queries.store) else { throw Missing(what: "no run \(id) in this store") }
      return stamp
    }
    let key = PageCache.Key(form: form, runs: ids)
    if let page = cache.withLock({ $0.page(key, stamps, now: .now) }) { return page }
    let began = ContinuousClock.now
    let reports = try ids.map { id in
      guard let run = try queries.run(exactly: id) else { throw Missing(what: "no run \(id) in this store") }
      return try RunReport.read(run, queries.store)
    }
    let page = render(reports)
    cache.withLock { $0.keep(page, key, stamps, began: began, ended: .now) }
    return page
  }

  var renderings: Int { cache.withLock { $0.renderings } }

  // MARK: - Logs

  package struct Log: Sendable {
    package let bytes: [UInt8]
    /// Where `bytes` begin, and how long it is.
    package let offset: Int
    package let size: Int
  }

  /// A log from a byte on, of a long one the end; nil where there is none.
  package func log(_ instance: RecordedRun.Instance, _ store: Store, from: Int) throws -> Log? {
    guard let key = instance.key else { return nil }
    // What runs now or failed is of more interest than what an earlier result said.
    if let log = try Self.read(store.workDirectory(key).logPath, from: from, store.files) { return log }
    guard let digest = try store.result(key)?.answer.log else { return nil }
    return try Self.read(store.objectPath(digest), from: from, store.files)
  }

  /// Of a regular file, and of nothing that a link in its place leads to.
  private static func read(_ path: String, from: Int, _ files: FileSystem) throws -> Log? {
    guard let status = try files.status(path, followingLinks: false), status.kind == .file else { return nil }
    let start = max(from, status.size - longestLog)
    if from >= status.size { return Log(bytes: [], offset: status.size, size: status.size) }
    let bytes = try files.readEnd(path, count: status.size - start)
    return Log(bytes: bytes, offset: start, size: status.size)
  }
}

/// What tells that a run has gone on: its journal, and whether somebody still runs it.
struct RunStamp: Sendable, Equatable {
  let size: Int
  let modified: Int
  let inode: UInt64
  let isAlive: Bool

  /// Nil where there is no such run.
  init?(_ id: RunID, _ store: Store) throws {
    guard let status = try store.files.status("\(store.root)/runs/\(id.text)/journal.jsonl", followingLinks: false), status.kind == .file
    else {
      return nil
    }
    size = status.size
    modified = status.modified
    inode = status.inode
    isAlive = try RecordedRun.isAlive(id, store)
  }
}

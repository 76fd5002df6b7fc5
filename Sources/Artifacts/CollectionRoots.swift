import Hashing
import JSONValues

/// What is needed, and so stays: found by following views, pins, the last runs of each recipe and the runs that go on.
///
/// The first look (`init`) is made while others work. `refresh` looks again while the gate is closed. In between, things change only
/// in ways that the second look sees:
/// - A run that began is in `runs/` by then (`RunDirectory.begin` is inside the gate); it counts as going on, even if it has ended.
/// - A run that went on has written into its journal what it relies on, before it left the gate. Its keys are followed anew, for their
///   results may have come or changed; *every* outcome of such a key stays, since another run's `--rerun` can change which one answers.
/// - Views that changed show outputs of such runs; pins are read again, all of them.
/// What ended before the first look had set its views by then, which is why runs are looked at before views.
struct CollectionRoots {
  private let store: Store
  /// Objects, and listings of directories whose trees stay.
  private(set) var digests: Set<Digest> = []
  /// Keys of kept runs: what they have in `work/` without a result is waited for.
  private(set) var keys: Set<Digest> = []
  /// Ids of runs whose directories stay.
  private(set) var keptRuns: Set<String> = []
  /// Runs that went on at the first look or began since, with how much of the journal was read.
  private var watched: [String: Int] = [:]
  private var watchedKeys: Set<Digest> = []
  /// Results of such keys, as they were when they were followed whole.
  private var followed: [Digest: FileStatus] = [:]
  private var seenRuns: Set<String> = []
  private var wholeListings: Set<Digest> = []

  init(_ store: Store, keepRuns: Int, now: Int) throws(StoreError) {
    self.store = store
    let ids = try store.files.list(store.root + "/runs") ?? []
    seenRuns = Set(ids)
    for id in ids where try Self.goesOn(store, id, now: now) { watched[id] = 0 }
    try keepLastRuns(ids, keepRuns)
    for view in try store.views() {
      if let digest = view.digest { try keep(digest, isDirectory: view.isDirectory) }
    }
    try refresh()
  }

  /// Everything written down since. Cheap when that is nothing.
  mutating func refresh() throws(StoreError) {
    for id in try store.files.list(store.root + "/runs") ?? [] where seenRuns.insert(id).inserted { watched[id] = 0 }
    for (id, length) in watched {
      guard let journal = try RunLedger.journal("\(store.root)/runs/\(id)", store.files), journal.count != length else { continue }
      watchedKeys.formUnion(RunLedger.keys(journal))
      watched[id] = journal.count
    }
    keptRuns.formUnion(watched.keys)
    keys.formUnion(watchedKeys)
    for key in watchedKeys { try follow(key) }
    for pin in try store.pins() { try keep(pin) }
  }

  // MARK: - Runs

  /// It has a runner, or a queue has jobs of it.
  static func goesOn(_ store: Store, _ id: String, now: Int) throws(StoreError) -> Bool {
    if try isAlive(store, id) { return true }
    return try RunLedger.awaitsJobs(id, store, now: now)
  }

  private static func isAlive(_ store: Store, _ id: String) throws(StoreError) -> Bool {
    let path = "\(store.root)/runs/\(id)/alive"
    guard try store.files.exists(path) else { return false }
    guard let lock = try FileLock.attempt(path, .exclusive, store.files) else { return true }
    lock.release()
    return false
  }

  private mutating func keepLastRuns(_ ids: [String], _ count: Int) throws(StoreError) {
    var seen: [ByteString: Int] = [:]
    for id in ids.reversed() {
      guard let recipe = RunLedger.recipe(try store.files.read("\(store.root)/runs/\(id)/journal.jsonl") ?? []) else { continue }
      guard seen[ByteString(recipe), default: 0] < count else { continue }
      seen[ByteString(recipe), default: 0] += 1
      try keep(run: id)
    }
  }

  /// What every instance of an ended run answers with, but for outputs that were only passing through.
  private mutating func keep(run id: String) throws(StoreError) {
    guard keptRuns.insert(id).inserted, let ledger = try RunLedger("\(store.root)/runs/\(id)", store.files) else { return }
    let spent = ledger.spent
    for (place, instance) in ledger.instances.enumerated() {
      guard let key = instance.key else { continue }
      keys.insert(key)
      guard let record = try store.result(key) else { continue }
      try keep(record.answer, without: spent[place] ?? [])
    }
  }

  private mutating func keep(_ pin: Pin) throws(StoreError) {
    switch pin.subject {
    case .run(let id): try keep(run: id)
    case .outputs(let outputs, _, _, let key):
      keys.insert(key)
      for output in outputs { try keep(output.digest, isDirectory: output.isDirectory) }
      if let log = try store.result(key)?.answer.log { digests.insert(log) }
    }
  }

  // MARK: - Results

  /// All outcomes of a key of a run that goes on. What is not whole yet is looked at again.
  private mutating func follow(_ key: Digest) throws(StoreError) {
    guard let status = try store.files.status(store.resultPath(key)), followed[key] != status else { return }
    guard let record = try store.result(key) else { return }
    var isWhole = true
    for outcome in record.outcomes {
      try keep(outcome, without: [])
      for output in outcome.outputs where output.isDirectory && !wholeListings.contains(output.digest) { isWhole = false }
    }
    if isWhole { followed[key] = status }
  }

  private mutating func keep(_ outcome: ResultOutcome, without spent: [String]) throws(StoreError) {
    for output in outcome.outputs where !spent.contains(where: { $0.utf8.elementsEqual(output.name.utf8) }) {
      try keep(output.digest, isDirectory: output.isDirectory)
    }
    if let log = outcome.log { digests.insert(log) }
  }

  private mutating func keep(_ digest: Digest, isDirectory: Bool) throws(StoreError) {
    digests.insert(digest)
    guard isDirectory, !wholeListings.contains(digest), let listing = try store.listing(digest) else { return }
    digests.formUnion(listing.files.map(\.digest))
    wholeListings.insert(digest)
  }
}

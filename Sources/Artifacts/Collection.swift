import Glibc
import Hashing

/// Removes what nothing needs: bytes, trees, logs, work directories, run directories and leftovers. Results stay; they are small, and lend
/// their digests when their bytes are gone.
///
/// What is needed is what `CollectionRoots` finds: views, pins, the last runs of each recipe, runs that go on. What is not goes when
/// it is older than a grace period, which is a courtesy to people who change their minds; safety beside runs does not hang on it but on
/// `CollectionGate` and these rules, each with a test that interleaves:
///
/// | race | why nothing is lost |
/// |---|---|
/// | a run judges a result as cached that is unmarked | it judges inside the gate and its journal names the key before it leaves; roots are refreshed with the gate closed before anything is removed |
/// | a stage reads its inputs | the keys that made them stand in the journal of its run, which is alive |
/// | a stage publishes bytes that are there already | it looks and publishes inside the gate: they are gone before, and it puts its own in, or they stand in a result of a live run afterwards |
/// | another run's `--rerun` changes the answer of a key | every outcome of a live run's key stays |
/// | a run begins, or begins and ends, after the first look | it begins inside the gate; what the first look has not seen counts as alive |
/// | a run ends, and its views are its only root | runs are looked at before views; one that was seen alive stays a root to the end |
/// | a checkpoint is gone on from | a work directory goes only under its key's lock, and not while a kept run has that key without a result |
/// | jobs of a run wait in a queue, and it has no runner any more | it counts as going on while some have said no last word, for 60 days |
/// | a run directory has been made and its `alive` lock not been taken | both happen inside the gate |
/// | a tree is removed while it is made or used | it is renamed away whole; it is made, or found, by runs inside the gate that named its key; for queries it may be gone, never wrong |
/// | two collectors | there is a lock for one |
/// | the collector is killed | what was renamed away lies in `incoming/` as a temporary file, and goes with the next collection |
///
/// A collection that finds a result, a listing or a pin that it cannot read removes nothing: what hangs on it is not known.
package struct Collection: Sendable {
  package struct Rules: Sendable {
    /// The last runs of each recipe whose results stay.
    package var keepRuns = 1
    /// What is younger stays.
    package var olderThanSeconds = 7.0 * 86_400
    package var isDryRun = false

    package init() {}
  }

  let store: Store
  let rules: Rules
  private let now: Int
  private let waitSeconds: Double
  private let meter: WorkMeter?

  private static let batch = 1000

  package init(_ store: Store, _ rules: Rules = Rules(), now: Int = wallClock(), waitSeconds: Double = 600, meter: WorkMeter? = nil) {
    self.store = store
    self.rules = rules
    self.now = now
    self.waitSeconds = waitSeconds
    self.meter = meter
  }

  /// Throws when another collection is going on.
  package func run() throws(StoreError) -> CollectionReport {
    let lock = try takeLock()
    defer { lock.release() }
    var report = CollectionReport(isDryRun: rules.isDryRun)
    meter?.begin("finding what is needed")
    var roots = try CollectionRoots(store, keepRuns: rules.keepRuns, now: now)
    meter?.begin("looking at objects")
    var candidates = try objects(roots, &report)
    meter?.begin("looking at trees, runs and work directories")
    candidates += try trees(roots)
    candidates += try runs(roots)
    candidates += try workDirectories(roots)
    candidates += try temporaries()
    meter?.begin("removing what nothing needs", items: candidates.count)
    try remove(candidates, &roots, &report)
    return report
  }

  /// Removes outputs that were only passing through (`keep: false`), whatever their age, where nothing else needs their bytes. False when
  /// another collection is going on, which is as good.
  package func free(_ outputs: [StoredOutput]) throws(StoreError) -> Bool {
    guard let lock = try FileLock.attempt(lockPath, .exclusive, store.files) else { return false }
    defer { lock.release() }
    var report = CollectionReport(isDryRun: false)
    var roots = try CollectionRoots(store, keepRuns: rules.keepRuns, now: now)
    var candidates: [Candidate] = []
    for output in outputs {
      if output.isDirectory {
        for file in try store.listing(output.digest)?.files ?? [] {
          candidates.append(Candidate(.object(file.digest), store.objectPath(file.digest), bytes: file.size))
        }
        candidates.append(Candidate(.tree(output.digest), store.treePath(output.digest), bytes: 0))
      }
      candidates.append(Candidate(.object(output.digest), store.objectPath(output.digest), bytes: 0))
    }
    try remove(candidates, &roots, &report)
    return true
  }

  private var lockPath: String { store.root + "/locks/collector" }

  private func takeLock() throws(StoreError) -> FileLock {
    if let lock = try FileLock.attempt(lockPath, .exclusive, store.files) { return lock }
    throw StoreError("another collection is going on in this store", path: store.root)
  }

  // MARK: - Candidates

  struct Candidate {
    enum Kind {
      case object(Digest)
      case tree(Digest)
      case run(String)
      case work(Digest)
      case temporary
      /// Of a transfer that was cut.
      case part
    }

    let kind: Kind
    let path: String
    let bytes: Int

    init(_ kind: Kind, _ path: String, bytes: Int) {
      self.kind = kind
      self.path = path
      self.bytes = bytes
    }
  }

  private func isOld(_ status: FileStatus) -> Bool {
    Double(now - max(status.modified, status.changed)) >= rules.olderThanSeconds * 1e9
  }

  private func objects(_ roots: CollectionRoots, _ report: inout CollectionReport) throws(StoreError) -> [Candidate] {
    var candidates: [Candidate] = []
    for shard in try store.files.list(store.root + "/objects") ?? [] {
      for name in try store.files.list("\(store.root)/objects/\(shard)") ?? [] {
        let path = "\(store.root)/objects/\(shard)/\(name)"
        guard let digest = Digest(shard + name), store.objectPath(digest) == path else { continue }
        meter?.add(items: 1)
        guard let status = try store.files.status(path, followingLinks: false) else { continue }
        if roots.digests.contains(digest) {
          report.keptObjects += 1
          report.keptBytes += status.size
        } else if isOld(status) {
          candidates.append(Candidate(.object(digest), path, bytes: status.size))
        } else {
          report.youngObjects += 1
        }
      }
    }
    return candidates
  }

  private func trees(_ roots: CollectionRoots) throws(StoreError) -> [Candidate] {
    var candidates: [Candidate] = []
    for name in try store.files.list(store.root + "/trees") ?? [] {
      guard let digest = Digest(name), !roots.digests.contains(digest) else { continue }
      let path = "\(store.root)/trees/\(name)"
      guard let status = try store.files.status(path, followingLinks: false), isOld(status) else { continue }
      candidates.append(Candidate(.tree(digest), path, bytes: 0))
    }
    return candidates
  }

  private func runs(_ roots: CollectionRoots) throws(StoreError) -> [Candidate] {
    var candidates: [Candidate] = []
    for id in try store.files.list(store.root + "/runs") ?? [] where !roots.keptRuns.contains(id) {
      let path = "\(store.root)/runs/\(id)"
      if try isOldThroughout(path) { candidates.append(Candidate(.run(id), path, bytes: try size(path))) }
    }
    return candidates
  }

  private func workDirectories(_ roots: CollectionRoots) throws(StoreError) -> [Candidate] {
    var candidates: [Candidate] = []
    for name in try store.files.list(store.root + "/work") ?? [] {
      let path = "\(store.root)/work/\(name)"
      guard let key = Digest(name), try !isWaitedFor(key, roots), try isOldThroughout(path) else { continue }
      candidates.append(Candidate(.work(key), path, bytes: try size(path)))
    }
    return candidates
  }

  /// A kept run was at it and has no result: there may be a checkpoint, there is a log.
  private func isWaitedFor(_ key: Digest, _ roots: CollectionRoots) throws(StoreError) -> Bool {
    guard roots.keys.contains(key) else { return false }
    return try store.files.status(store.resultPath(key)) == nil
  }

  private func temporaries() throws(StoreError) -> [Candidate] {
    var directories = ["incoming", "trees", "index", "pins"]
    directories += (try store.files.list(store.root + "/results") ?? []).map { "results/\($0)" }
    var candidates: [Candidate] = []
    for directory in directories {
      for name in try store.files.list("\(store.root)/\(directory)") ?? [] where TemporaryName.isTemporary(name) {
        let path = "\(store.root)/\(directory)/\(name)"
        guard let status = try store.files.status(path, followingLinks: false) else { continue }
        guard TemporaryName.isStale(name, status, now: now) else { continue }
        candidates.append(Candidate(.temporary, path, bytes: try size(path)))
      }
    }
    for name in try store.abandonedParts() {
      let path = "\(store.root)/incoming/\(name)"
      guard let status = try store.files.status(path, followingLinks: false), isOld(status) else { continue }
      candidates.append(Candidate(.part, path, bytes: status.size))
    }
    for name in try store.files.list(store.root + "/damaged") ?? [] where TemporaryName.isTemporary(name) {
      let path = "\(store.root)/damaged/\(name)"
      if try isOldThroughout(path) { candidates.append(Candidate(.temporary, path, bytes: try size(path))) }
    }
    return candidates
  }

  /// A directory is as young as the youngest that lies in it, two levels down: what a stage writes to is no deeper.
  private func isOldThroughout(_ path: String, depth: Int = 2) throws(StoreError) -> Bool {
    guard let status = try store.files.status(path, followingLinks: false) else { return false }
    guard isOld(status) else { return false }
    guard status.kind == .directory, depth > 0 else { return true }
    for name in try store.files.list(path) ?? [] where try !isOldThroughout("\(path)/\(name)", depth: depth - 1) { return false }
    return true
  }

  private func size(_ path: String) throws(StoreError) -> Int {
    guard let status = try store.files.status(path, followingLinks: false) else { return 0 }
    guard status.kind == .directory else { return status.kind == .file ? status.size : 0 }
    var bytes = 0
    for name in try store.files.list(path) ?? [] { bytes += try size("\(path)/\(name)") }
    return bytes
  }

  // MARK: - Removing

  private func remove(_ candidates: [Candidate], _ roots: inout CollectionRoots, _ report: inout CollectionReport) throws(StoreError) {
    for start in stride(from: 0, to: candidates.count, by: Self.batch) {
      let part = candidates[start..<min(start + Self.batch, candidates.count)]
      if rules.isDryRun {
        for candidate in part { note(candidate, bytes: candidate.bytes, &report) }
        continue
      }
      var aside: [String] = []
      try store.gate.close(within: waitSeconds)
      do throws(StoreError) {
        try roots.refresh()
        for candidate in part { try remove(candidate, roots, &aside, &report) }
      } catch {
        store.gate.open()
        throw error
      }
      store.gate.open()
      // Large files and directories take their time to go, which nobody has to wait for.
      for path in aside { try store.files.remove(path) }
      meter?.add(items: part.count)
    }
  }

  /// With the gate closed and the roots fresh.
  private func remove(
    _ candidate: Candidate, _ roots: CollectionRoots, _ aside: inout [String], _ report: inout CollectionReport
  ) throws(StoreError) {
    guard let status = try store.files.status(candidate.path, followingLinks: false) else { return }
    switch candidate.kind {
    case .object(let digest), .tree(let digest): if roots.digests.contains(digest) { return }
    case .run(let id):
      if roots.keptRuns.contains(id) { return }
      if try CollectionRoots.goesOn(store, id, now: now) { return }
    case .temporary: break
    case .part:
      // With the lock held nobody goes on with it; who waits for it sees that it is gone.
      guard let lock = try FileLock.attemptExisting(candidate.path, store.files) else { return }
      defer { lock.release() }
      try store.files.remove(candidate.path)
      return note(candidate, bytes: status.size, &report)
    case .work(let key):
      guard try !isWaitedFor(key, roots), let lock = try FileLock.attempt(store.lockPath(key), .exclusive, store.files) else { return }
      defer { lock.release() }
      aside.append(try moveAside(candidate.path))
      return note(candidate, bytes: candidate.bytes, &report)
    }
    if status.kind == .directory || status.size > Self.large {
      aside.append(try moveAside(candidate.path))
    } else {
      try store.files.remove(candidate.path)
    }
    note(candidate, bytes: status.kind == .file ? status.size : candidate.bytes, &report)
  }

  /// Bytes; removing a file of this size takes longer than renaming it.
  private static let large = 1 << 24

  private func moveAside(_ path: String) throws(StoreError) -> String {
    let name = path.split(separator: "/").last ?? "removed"
    let place = "\(store.root)/incoming/\(name)\(Store.temporarySuffix())"
    try store.files.rename(path, to: place)
    return place
  }

  private func note(_ candidate: Candidate, bytes: Int, _ report: inout CollectionReport) {
    report.bytes += bytes
    switch candidate.kind {
    case .object: report.objects += 1
    case .tree: report.trees += 1
    case .run(let id): report.runs.append(id)
    case .work: report.workDirectories += 1
    case .temporary, .part: report.temporaries += 1
    }
  }
}

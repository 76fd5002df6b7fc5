import Glibc
import Hashing
import JSONValues
import Synchronization

/// All results in short, in one file that is read at once: derived, and never believed without a look.
///
/// A line names the inode, time and size of the result file it speaks of. One stat tells whether that is still the file that is there;
/// if not, the file itself is read. A line is appended before its result appears, so a crash between the two leaves a line that no stat
/// confirms. A lost index is made again from the results.
package final class ResultIndex: Sendable {
  private struct State {
    var isLoaded = false
    /// The file as it was loaded, and the last line of each key in it, not yet parsed.
    var text: [UInt8] = []
    var lines: [Digest: Range<Int>] = [:]
    /// Every key once, the latest last.
    var order: [Digest] = []
    var lineCount = 0
    /// Parsed, read or written since.
    var entries: [Digest: IndexEntry] = [:]
    var byStage: [ByteString: [Digest]]?
    /// The file lacks something that was found by reading results.
    var isStale = false
  }

  private let root: String
  private let files: FileSystem
  private let state = Mutex(State())

  private var path: String { root + "/index/results" }
  private var lockPath: String { root + "/locks/index" }

  init(root: String, files: FileSystem) {
    self.root = root
    self.files = files
  }

  // MARK: - Asking

  /// What is known of a key; nil when it has no result.
  package func summary(_ key: Digest) throws(StoreError) -> ResultSummary? {
    try state.withLock { (state) throws(StoreError) in try find(key, &state)?.summary }
  }

  /// Keys of all results of a stage, the latest last.
  package func keys(ofStage stage: String) throws(StoreError) -> [Digest] {
    try state.withLock { (state) throws(StoreError) in
      try load(&state)
      if state.byStage == nil {
        var byStage: [ByteString: [Digest]] = [:]
        for key in state.order {
          if let entry = entry(key, state) { byStage[ByteString(entry.summary.stage), default: []].append(key) }
        }
        state.byStage = byStage
      }
      return state.byStage?[ByteString(stage)] ?? []
    }
  }

  /// What the index alone says of a key, without a look at the result: good for a hint, not for a decision.
  package func hint(_ key: Digest) -> ResultSummary? {
    state.withLock { state in entry(key, state)?.summary }
  }

  /// How the file of a result looked when it was asked for or written last; nil when it was not.
  func mark(_ key: Digest) -> (inode: UInt64, modified: Int, size: Int)? {
    state.withLock { state in state.entries[key].map { ($0.inode, $0.modified, $0.size) } }
  }

  private func find(_ key: Digest, _ state: inout State) throws(StoreError) -> IndexEntry? {
    try load(&state)
    guard let status = try files.status(Self.resultPath(key, root: root)) else { return nil }
    if let entry = entry(key, state), entry.speaks(of: status) {
      state.entries[key] = entry
      return entry
    }
    guard let record = try Self.record(key, root: root, files: files) else { return nil }
    let entry = IndexEntry(record, status)
    Self.add(entry, &state)
    state.isStale = true
    return entry
  }

  private func entry(_ key: Digest, _ state: borrowing State) -> IndexEntry? {
    if let entry = state.entries[key] { return entry }
    guard let range = state.lines[key] else { return nil }
    return state.text.withUnsafeBufferPointer { IndexEntry(line: UnsafeBufferPointer(rebasing: $0[range])) }
  }

  private static func add(_ entry: IndexEntry, _ state: inout State) {
    let key = entry.summary.key
    if state.lines[key] == nil && state.entries[key] == nil { state.order.append(key) }
    state.entries[key] = entry
    state.byStage = nil
  }

  // MARK: - Reading

  private func load(_ state: inout State) throws(StoreError) {
    if state.isLoaded { return }
    guard let text = try files.read(path) else { return try rebuild(&state) }
    Self.split(text) { key, range in
      if state.lines.updateValue(range, forKey: key) == nil { state.order.append(key) }
      state.lineCount += 1
    }
    state.text = text
    state.isLoaded = true
  }

  /// Calls `body` with each whole line; a torn last line is none.
  static func split(_ text: [UInt8], _ body: (Digest, Range<Int>) -> Void) {
    text.withUnsafeBufferPointer { text in
      var start = 0
      while start < text.count, let base = text.baseAddress, let found = memchr(base + start, 0x0A, text.count - start) {
        let end = base.distance(to: found.assumingMemoryBound(to: UInt8.self))
        if end - start > 64, let key = Digest(digits: UnsafeBufferPointer(rebasing: text[start..<(start + 64)])) { body(key, start..<end) }
        start = end + 1
      }
    }
  }

  /// The index is gone: every result is read once, oldest first.
  private func rebuild(_ state: inout State) throws(StoreError) {
    var found: [IndexEntry] = []
    for shard in try files.list(root + "/results") ?? [] {
      for name in try files.list("\(root)/results/\(shard)") ?? [] where name.hasSuffix(".json") {
        let path = "\(root)/results/\(shard)/\(name)"
        guard let key = Digest(shard + name.dropLast(5)), let status = try files.status(path),
          let record = try Self.record(key, root: root, files: files)
        else { continue }
        found.append(IndexEntry(record, status))
      }
    }
    state.isLoaded = true
    state.isStale = !found.isEmpty
    for entry in found.sorted(by: { $0.modified < $1.modified }) { Self.add(entry, &state) }
  }

  static func resultPath(_ key: Digest, root: String) -> String { "\(root)/results/\(Store.shard(key)).json" }

  static func record(_ key: Digest, root: String, files: FileSystem) throws(StoreError) -> ResultRecord? {
    let path = resultPath(key, root: root)
    guard let bytes = try files.read(path) else { return nil }
    guard let json = try? JSONValue(parsing: bytes), let record = ResultRecord(json: json), record.key == key else {
      throw StoreError("this result is damaged; remove the file to have it computed again", path: path)
    }
    return record
  }

  // MARK: - Writing

  /// Notes a result that is about to appear: `status` is that of the file before it is renamed, which the renaming does not change.
  func note(_ record: ResultRecord, _ status: FileStatus) throws(StoreError) {
    let entry = IndexEntry(record, status)
    try state.withLock { (state) throws(StoreError) in
      try load(&state)
      let lock = try FileLock.wait(lockPath, .shared, files)
      defer { lock.release() }
      try files.append(entry.line, to: path)
      Self.add(entry, &state)
      state.lineCount += 1
    }
  }

  /// Every line of the file, the latest of each key, for a checkup.
  func lines() throws(StoreError) -> [IndexEntry] {
    guard let text = try files.read(path) else { return [] }
    var latest: [Digest: Range<Int>] = [:]
    Self.split(text) { key, range in latest[key] = range }
    return text.withUnsafeBufferPointer { text in latest.values.compactMap { IndexEntry(line: UnsafeBufferPointer(rebasing: text[$0])) } }
  }

  /// Makes the file anew from the results alone.
  func rewrite() throws(StoreError) {
    let lock = try FileLock.wait(lockPath, .exclusive, files)
    defer { lock.release() }
    let fresh = ResultIndex(root: root, files: files)
    let bytes = try fresh.state.withLock { (state) throws(StoreError) in
      try fresh.rebuild(&state)
      return state.order.flatMap { state.entries[$0]?.line ?? [] }
    }
    let temporary = path + Store.temporarySuffix()
    try files.write(bytes, to: temporary)
    try files.rename(temporary, to: path)
    state.withLock { $0 = State() }
  }

  /// Writes the file anew where it lacks something or holds too much that is superseded. It is only ever a saving, so a failure is none.
  package func tidy() {
    try? state.withLock { (state) throws(StoreError) in
      guard state.isLoaded, state.isStale || state.lineCount > 2 * state.order.count + 64 else { return }
      let lock = try FileLock.wait(lockPath, .exclusive, files)
      defer { lock.release() }
      // Others may have appended since: theirs are taken along.
      let text = try files.read(path) ?? []
      var lines: [Digest: Range<Int>] = [:]
      var order: [Digest] = []
      Self.split(text) { key, range in
        if lines.updateValue(range, forKey: key) == nil { order.append(key) }
      }
      order += state.order.filter { lines[$0] == nil }
      var bytes: [UInt8] = []
      for key in order {
        if let entry = state.entries[key] {
          bytes += entry.line
        } else if let range = lines[key] {
          bytes += text[range]
          bytes.append(0x0A)
        }
      }
      let temporary = path + Store.temporarySuffix()
      try files.write(bytes, to: temporary)
      try files.rename(temporary, to: path)
      state.isStale = false
      state.lineCount = order.count
    }
  }
}

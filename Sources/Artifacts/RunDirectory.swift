import Glibc
import Hashing
import JSONValues
import Synchronization

/// `runs/<id>/` of a run that is going on: the journal it appends to, and the lock that says it is alive.
package final class RunDirectory: Sendable {
  package let id: String
  package let path: String
  private let files: FileSystem
  /// Held, shared, until the run ends; nobody has to clear it up after a crash.
  private let alive: FileLock
  private let pending = Mutex<[UInt8]>([])

  private init(id: String, path: String, files: FileSystem, alive: FileLock) {
    self.id = id
    self.path = path
    self.files = files
    self.alive = alive
  }

  /// Begins a run: `manifest` is kept as it was.
  package static func begin(in store: Store, manifest: [UInt8]) throws(StoreError) -> RunDirectory {
    let id = newID(now: nextMoment())
    let path = "\(store.root)/runs/\(id)"
    // The collector either sees nothing of it, or a run that is alive.
    let alive = try store.gate.inside { () throws(StoreError) in
      try store.files.makeDirectory(path)
      return try FileLock.wait(path + "/alive", .shared, store.files)
    }
    try store.files.write(manifest, to: path + "/manifest.yaml")
    return RunDirectory(id: id, path: path, files: store.files, alive: alive)
  }

  package func write(plan: JSONValue) throws(StoreError) {
    try files.write(plan.encodedBytes() + [0x0A], to: path + "/plan.json")
  }

  /// Takes over the plan of an earlier run; false when that is gone.
  package func adoptPlan(of run: String, in store: Store) throws(StoreError) -> Bool {
    let earlier = "\(store.root)/runs/\(run)/plan.json"
    guard try files.exists(earlier) else { return false }
    do { try files.hardLink(path + "/plan.json", to: earlier) } catch {
      return try files.copy(earlier, to: path + "/plan.json")
    }
    return true
  }

  /// A run that was begun in vain leaves nothing.
  package func discard() throws(StoreError) {
    alive.release()
    try files.remove(path)
  }

  /// As `note("judged", …)` of an instance whose result is there, ten thousand times over.
  package func noteCached(_ instance: String, _ key: Digest) {
    let milliseconds = wallClock() / 1_000_000
    pending.withLock { pending in
      Self.begin("judged", milliseconds, &pending)
      pending += #","instance":"#.utf8
      JSONText.append(quoted: instance, to: &pending)
      pending += #","action":"cached","key":""#.utf8
      pending += key.text.utf8
      pending += "\"}\n".utf8
    }
  }

  private static func begin(_ kind: String, _ milliseconds: Int, _ bytes: inout [UInt8]) {
    bytes += "{\"t\":\(milliseconds / 1000).\(digits(milliseconds % 1000, 3)),\"kind\":".utf8
    JSONText.append(quoted: kind, to: &bytes)
  }

  /// Adds a line to the journal, at the latest with the next `flush`.
  package func note(_ kind: String, _ members: [(String, JSONValue)]) {
    let milliseconds = wallClock() / 1_000_000
    pending.withLock { pending in
      Self.begin(kind, milliseconds, &pending)
      for (name, value) in members {
        pending.append(UInt8(ascii: ","))
        JSONText.append(quoted: name, to: &pending)
        pending.append(UInt8(ascii: ":"))
        value.append(to: &pending)
      }
      pending += [UInt8(ascii: "}"), 0x0A]
    }
  }

  /// Writes what was noted. Called before anything is relied on, so a key stands in the journal before its bytes are used.
  package func flush() throws(StoreError) {
    let bytes = pending.withLock { pending in
      defer { pending = [] }
      return pending
    }
    if bytes.isEmpty { return }
    do { try files.append(bytes, to: path + "/journal.jsonl") } catch {
      // Part of it may stand there, without its end of line: it is said again on lines of its own.
      pending.withLock { $0 = [0x0A] + bytes + $0 }
      throw error
    }
  }

  package func end() throws(StoreError) {
    try flush()
    alive.release()
  }

  private static let lastMoment = Mutex(0)

  /// Now, but a millisecond after the last run that this process began: ids sort by when runs began.
  private static func nextMoment() -> Int {
    lastMoment.withLock { last in
      last = max(wallClock() / 1_000_000, last + 1)
      return last * 1_000_000
    }
  }

  /// `20261121T101530.123Z-4f2a9c`: sorts by time, and two of one moment differ.
  package static func newID(now: Int = wallClock()) -> String {
    var seconds = time_t(now / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let day = digits(Int(parts.tm_year) + 1900, 4) + digits(Int(parts.tm_mon) + 1, 2) + digits(Int(parts.tm_mday), 2)
    let time = digits(Int(parts.tm_hour), 2) + digits(Int(parts.tm_min), 2) + digits(Int(parts.tm_sec), 2)
    let random = String(UInt32.random(in: 0..<(1 << 24)), radix: 16)
    let fill = String(repeating: "0", count: 6 - random.utf8.count)
    return "\(day)T\(time).\(digits(now / 1_000_000 % 1000, 3))Z-\(fill)\(random)"
  }

  private static func digits(_ value: Int, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}

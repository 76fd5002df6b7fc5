import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues

/// Everything that must be true of a store whenever nobody writes to it, looked at without the code that writes it.
struct StoreInspection {
  let root: String
  /// What is wrong, one line each; empty for a store in order.
  private(set) var faults: [String] = []
  /// Locks that cannot be had.
  private(set) var heldLocks: [String] = []
  /// The digests of the outputs that answer, by key.
  private(set) var results: [String: [String]] = [:]

  /// Whether stages of a runner that was killed may still be on their way out.
  enum Locks { case free, mayBeHeld }

  init(_ root: String, locks: Locks = .free) throws {
    self.root = root
    let store = try Store(reading: root)
    try inspectObjects()
    try inspectResults(store)
    try inspectLinks("views")
    try inspectLinks("trees")
    try inspectLocks()
    // `fsck` has to agree: it calls nothing damaged that is not, and the lines above tell whether it missed something.
    faults += try Checkup(store, jobs: 1).run().damage.map { "fsck finds damage: \($0.kind.rawValue) \($0.path)" }
    if locks == .free { faults += heldLocks.map { "a lock that somebody still holds: \($0)" } }
  }

  // MARK: - Parts

  private mutating func inspectObjects() throws {
    for (shard, name) in try entries("objects") {
      let path = "\(root)/objects/\(shard)/\(name)"
      guard let digest = Digest(shard + name) else {
        faults.append("a strange file among the objects: \(path)")
        continue
      }
      if try Digest.ofFile(path).digest != digest { faults.append("an object with other bytes than its name says: \(path)") }
    }
  }

  private mutating func inspectResults(_ store: Store) throws {
    for (shard, name) in try entries("results") where !name.contains(".tmp-") {
      let path = "\(root)/results/\(shard)/\(name)"
      guard name.hasSuffix(".json"), let key = Digest(shard + name.dropLast(5)) else {
        faults.append("a strange file among the results: \(path)")
        continue
      }
      let record: ResultRecord?
      do { record = try store.result(key) } catch {
        faults.append("a damaged result: \(error)")
        continue
      }
      guard let record else {
        faults.append("a result that cannot be found: \(path)")
        continue
      }
      if Digest(hashing: CanonicalJSON.bytes(record.parts)) != key { faults.append("a result whose key is not that of its parts: \(path)") }
      for output in record.answer.outputs where try !store.holds(output) {
        faults.append("a result without the bytes of \(output.name): \(path)")
      }
      if try store.results.summary(key)?.outputs != record.answer.outputs { faults.append("the index says something else than \(path)") }
      results[key.hex] = record.answer.outputs.map { "\($0.name) \($0.digest.hex)" }
    }
  }

  /// Links that lead nowhere, but for those that were still being made.
  private mutating func inspectLinks(_ directory: String) throws {
    let top = "\(root)/\(directory)"
    for path in FileManager.default.subpaths(atPath: top) ?? [] where !path.contains(".tmp-") {
      let full = "\(top)/\(path)"
      if FileSystem.posix.readLink(full) != nil, access(full, F_OK) != 0 { faults.append("a link that leads nowhere: \(full)") }
    }
  }

  /// A lock that can be had is nobody's. Between the fork and the exec of a process that another test starts, it holds whatever is open here:
  /// a lock is stuck when it stays so.
  private mutating func inspectLocks() throws {
    let runs = try FileSystem.posix.list(root + "/runs") ?? []
    let paths = try (FileSystem.posix.list(root + "/locks") ?? []).map { "\(root)/locks/\($0)" } + runs.map { "\(root)/runs/\($0)/alive" }
    for path in paths where access(path, F_OK) == 0 {
      let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      var patience = 100
      while flock(descriptor, LOCK_EX | LOCK_NB) != 0, patience > 0 {
        patience -= 1
        usleep(10_000)
      }
      if patience == 0 { heldLocks.append(path) }
      close(descriptor)
    }
  }

  private func entries(_ directory: String) throws -> [(shard: String, name: String)] {
    var entries: [(String, String)] = []
    for shard in try FileSystem.posix.list("\(root)/\(directory)") ?? [] {
      for name in try FileSystem.posix.list("\(root)/\(directory)/\(shard)") ?? [] { entries.append((shard, name)) }
    }
    return entries
  }
}

import Glibc
import Hashing
import JSONValues

/// Where results are kept: file contents by digest, results by key, and everything that points to them.
///
/// Layout, under `root`:
/// ```
/// objects/ab/cdef…   immutable file contents by SHA-256, read-only; a directory is a canonical JSON listing, itself an object
/// results/ab/cdef…   by key, JSON: every set of outputs seen, with the key's parts in full
/// trees/<digest>/    a directory made of links into objects/
/// locks/<key>        one file a key, never removed
/// work/<key>/        an instance being run
/// runs/<id>/         journal.jsonl, the manifest as it was, plan.json, alive
/// views/<recipe>/<instance>/<output>   links to the latest results
/// index/             derived: what is read in one go instead of a thousand; may be deleted at any time
/// pins/<name>.json   what is kept by name
/// incoming/          what is being written, and <digest>.part: objects that come from elsewhere, as far as they have come
/// damaged/           what `fsck` set aside, and the list of outputs that lost bytes by it
/// ```
/// Files enter by rename, a result appears after its objects last, and a crash at any instant leaves the old state or the new one.
/// It knows nothing of manifests and starts no processes.
package final class Store: Sendable {
  package let root: String
  package let files: FileSystem
  package let results: ResultIndex
  package let sources: SourceHasher
  package let gate: CollectionGate
  package let spares: WorkPool

  private static let formatText = "heirloom store 1\n"
  private static let hex = Array("0123456789abcdef")

  /// Opens a store without making anything; an absent one is empty.
  package init(reading root: String, files: FileSystem = .posix) throws(StoreError) {
    let root = Self.absolute(root)
    self.root = root
    self.files = files
    results = ResultIndex(root: root, files: files)
    sources = SourceHasher(path: root + "/index/sources", files: files)
    gate = CollectionGate(root: root, files: files)
    spares = WorkPool(root: root, files: files)
    try checkFormat()
  }

  /// Opens a store to write to, making what is missing.
  package static func open(_ root: String, files: FileSystem = .posix) throws(StoreError) -> Store {
    let store = try Store(reading: root, files: files)
    try store.create()
    return store
  }

  /// Stages run in directories of their own, so every path they are given is absolute.
  private static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(cString: current) + "/" + path
  }

  private func checkFormat() throws(StoreError) {
    guard let bytes = try files.read(root + "/format") else { return }
    guard bytes == Array(Self.formatText.utf8) else {
      throw StoreError("this store was written by another version of Heirloom", path: root + "/format")
    }
  }

  /// The shards are made at once, so that no later write has to make a directory last.
  private func create() throws(StoreError) {
    if try files.exists(root + "/format") { return }
    for path in Self.directories { try files.makeDirectory("\(root)/\(path)") }
    for name in ["objects", "results"] { try files.syncDirectory("\(root)/\(name)") }
    try publish(Array(Self.formatText.utf8), to: root + "/format")
  }

  /// All directories that a store is made with, relative to its root.
  static let directories: [String] = {
    let shards = hex.flatMap { high in hex.map { low in "\(high)\(low)" } }
    return ["objects", "results", "trees", "locks", "work", "runs", "views", "index", "incoming"]
      + shards.flatMap { ["objects/\($0)", "results/\($0)"] }
  }()

  // MARK: - Paths

  package func objectPath(_ digest: Digest) -> String { "\(root)/objects/\(Self.shard(digest))" }
  package func resultPath(_ key: Digest) -> String { "\(root)/results/\(Self.shard(key)).json" }
  package func treePath(_ digest: Digest) -> String { "\(root)/trees/\(digest.hex)" }
  package func workPath(_ key: Digest) -> String { "\(root)/work/\(key.hex)" }
  package func lockPath(_ key: Digest) -> String { "\(root)/locks/\(key.hex)" }

  /// `ab/cdef…`
  static func shard(_ digest: Digest) -> String {
    let hex = digest.hex
    let cut = hex.index(hex.startIndex, offsetBy: 2)
    return "\(hex[..<cut])/\(hex[cut...])"
  }

  // MARK: - Writing whole files

  /// A file appears under its name complete and lasting, or not at all.
  package func publish(_ bytes: [UInt8], to path: String) throws(StoreError) {
    let temporary = path + Self.temporarySuffix()
    do {
      try files.write(bytes, to: temporary, .lasting)
      try files.rename(temporary, to: path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
    try files.syncDirectory(Self.parent(of: path))
  }

  /// `.` and what no other process uses.
  static func temporarySuffix() -> String { ".tmp-\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))" }

  static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}

// MARK: - Locks

extension Store {
  package enum LockAttempt: Sendable {
    case held(FileLock)
    /// Somebody else has it; who, if it could be read.
    case busy(LockOwner?)
  }

  /// Takes a key's lock if it is free; never waits.
  package func lock(_ key: Digest, owner: LockOwner) throws(StoreError) -> LockAttempt {
    guard let lock = try FileLock.attempt(lockPath(key), .exclusive, files) else {
      return .busy(try self.owner(ofLock: key))
    }
    try note(owner, in: lock)
    return .held(lock)
  }

  /// Who was written down last as having a key's lock.
  package func owner(ofLock key: Digest) throws(StoreError) -> LockOwner? {
    let bytes = try files.read(lockPath(key)) ?? []
    return (try? JSONValue(parsing: bytes)).flatMap(LockOwner.init(json:))
  }

  package func note(_ owner: LockOwner, in lock: FileLock) throws(StoreError) {
    try lock.note(owner.json.encodedBytes(), files)
  }
}

import Glibc
import Hashing

/// The bytes of an object as they come from elsewhere: `incoming/<digest>.part`, hashed while they are written, and an object only when
/// they are what was promised.
///
/// What is left of a transfer that was cut stays, and the next one goes on behind it after it has read it again: nothing that lay about is
/// believed. One process at a time has it, by a lock of the kernel's on the file itself. It knows nothing of networks.
///
/// `@unchecked Sendable`: one task at a time uses it.
package final class PartFile: @unchecked Sendable {
  /// What came is not what was promised.
  package enum Mismatch: Error, Sendable, Equatable {
    case tooMany
    case tooFew(Int)
    case other(Digest)
  }

  package let digest: Digest
  /// Bytes that were promised.
  package let size: Int
  /// Bytes that are here.
  package private(set) var count = 0
  /// Some of them were left by an earlier transfer: they were read again, but what they are is known only when all is here.
  package private(set) var isResumed = false

  private let store: Store
  private let path: String
  private let descriptor: Int32
  private var hasher = DigestHasher()
  private var written = 0

  /// So much is handed to the disk at a time, so that there is little to wait for in the end.
  private static let burst = 32 << 20

  private init(_ store: Store, _ digest: Digest, size: Int, _ path: String, _ descriptor: Int32) {
    self.store = store
    self.digest = digest
    self.size = size
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Nil when another process, or another task of this one, is at it.
  package static func open(_ digest: Digest, size: Int, in store: Store) throws(StoreError) -> PartFile? {
    let path = store.partPath(digest)
    for _ in 0..<100 {
      let descriptor = try store.files.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
      let file = PartFile(store, digest, size: size, path, descriptor)
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
      // Whoever had it before may have made an object of it, which nobody writes to.
      if try file.isInPlace() {
        try file.readAgain()
        return file
      }
    }
    return nil
  }

  private func isInPlace() throws(StoreError) -> Bool {
    guard let now = try store.files.status(path, followingLinks: false), let own = FileStatus.of(descriptor: descriptor) else {
      return false
    }
    return now.place == own.place && now.kind == .file
  }

  /// What an earlier transfer left counts as far as it can be part of the object.
  private func readAgain() throws(StoreError) {
    guard let status = FileStatus.of(descriptor: descriptor), status.size > 0 else { return }
    guard status.size <= size else { return try startAnew() }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { piece.deallocate() }
    try store.files.begin(.read, path)
    while true {
      let got = read(descriptor, piece.baseAddress, piece.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw StoreError(.read, path, errno) }
      if got == 0 { break }
      hasher.update(UnsafeRawBufferPointer(rebasing: piece[..<got]))
      count += got
    }
    isResumed = true
    if count == size, hasher.finish() != digest { try startAnew() }
  }

  /// Forgets everything that came.
  package func startAnew() throws(StoreError) {
    try store.files.begin(.write, path)
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw StoreError(.write, path, errno) }
    hasher = DigestHasher()
    count = 0
    written = 0
    isResumed = false
  }

  /// Writes what comes next.
  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard count + bytes.count <= size else { throw Mismatch.tooMany }
    do { try store.files.write(bytes, descriptor, path) } catch {
      // Part of it may stand there: behind it nothing can go on.
      _ = ftruncate(descriptor, off_t(count))
      _ = lseek(descriptor, off_t(count), SEEK_SET)
      throw error
    }
    hasher.update(bytes)
    count += bytes.count
    written += bytes.count
    if written >= Self.burst {
      store.files.startWriting(path)
      written = 0
    }
  }

  /// Makes an object of it; what has to last before a result may speak of it is added to `pending`. What is not what was promised stays a part,
  /// to be started anew or discarded.
  package func finish(_ pending: inout PendingWrites) throws {
    guard count == size else { throw Mismatch.tooFew(count) }
    let found = hasher.finish()
    guard found == digest else { throw Mismatch.other(found) }
    try store.adopt(path, digest: digest, size: size, &pending)
    if try isInPlace() { try store.files.remove(path) }
  }

  /// Leaves nothing behind.
  package func discard() throws(StoreError) { try store.files.remove(path) }
}

extension Store {
  func partPath(_ digest: Digest) -> String { "\(root)/incoming/\(digest.hex)\(Self.partSuffix)" }

  static let partSuffix = ".part"

  /// What is left of transfers that were cut and that nobody goes on with now: names in `incoming/`.
  func abandonedParts() throws(StoreError) -> [String] {
    var names: [String] = []
    for name in try files.list(root + "/incoming") ?? [] where name.hasSuffix(Self.partSuffix) {
      guard let lock = try FileLock.attemptExisting("\(root)/incoming/\(name)", files) else { continue }
      lock.release()
      names.append(name)
    }
    return names
  }
}

extension Store {
  /// How an object looks as far as it has come from elsewhere; nil when nobody brings it.
  package func partStatus(_ digest: Digest) throws(StoreError) -> FileStatus? { try files.status(partPath(digest), followingLinks: false) }

  /// An object that is there was brought by somebody who may not have come to make it last.
  package func makeLast(_ digest: Digest, size: Int, _ pending: inout PendingWrites) throws(StoreError) {
    pending.add(file: objectPath(digest))
    pending.add(directory: Self.parent(of: objectPath(digest)))
  }
}

import Artifacts
import Glibc
import Hashing
import Synchronization

/// An object of the store, or another file whose bytes are known, as the source of an upload: whatever order it is read in, its last byte is handed out only after all of it has
/// been hashed and found right, so that no damaged object becomes a whole one elsewhere.
package final class ObjectSource: BlobSource {
  package let size: Int
  private let digest: Digest
  private let path: String
  private let descriptor: Int32
  /// What there is to say of bytes that are others than they should be.
  private let advice: String
  private let check: Mutex<Check>

  private struct Check {
    var hasher = DigestHasher()
    /// Bytes hashed so far.
    var place = 0
    var isOver = false
  }

  convenience init(_ blob: Blob, in store: Store) throws(StoreError) {
    try self.init(blob, at: store.objectPath(blob.digest), store.files, advice: "heirloom fsck --repair sets it aside")
  }

  /// Throws a `StoreError` when the file is not there, or has not the size that was promised.
  package init(_ blob: Blob, at path: String, _ files: FileSystem, advice: String) throws(StoreError) {
    self.path = path
    self.advice = advice
    digest = blob.digest
    size = blob.size
    check = Mutex(Check())
    descriptor = try files.open(path, O_RDONLY)
    let found = FileStatus.of(descriptor: descriptor)?.size ?? 0
    guard found == size else {
      close(descriptor)
      throw StoreError("has \(found) bytes instead of \(size); \(advice)", path: path)
    }
    if size == 0 { try compare(Check()) }
  }

  deinit { close(descriptor) }

  package func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
    let bytes = try piece(offset, count)
    try check.withLock { check in
      // What was skipped (it is there already) is hashed from the file.
      while check.place < offset { try hash(piece(check.place, min(1 << 20, offset - check.place)), &check) }
      if check.place < offset + bytes.count {
        let fresh = bytes[(check.place - offset)...]
        fresh.withUnsafeBytes { check.hasher.update($0) }
        check.place += fresh.count
      }
      if check.place == size, !check.isOver {
        try compare(check)
        check.isOver = true
      }
    }
    return bytes
  }

  private func hash(_ bytes: [UInt8], _ check: inout Check) throws {
    check.hasher.update(bytes)
    check.place += bytes.count
  }

  private func compare(_ check: Check) throws(StoreError) {
    let found = check.hasher.finish()
    guard found == digest else { throw StoreError("its content is \(found); \(advice)", path: path) }
  }

  private func piece(_ offset: Int, _ count: Int) throws(StoreError) -> [UInt8] {
    let wanted = max(0, min(count, size - offset))
    var failure: Int32?
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
      while filled < wanted, let start = buffer.baseAddress {
        let got = pread(descriptor, start + filled, wanted - filled, off_t(offset + filled))
        if got < 0 && errno == EINTR { continue }
        if got <= 0 {
          failure = got < 0 ? errno : EIO
          break
        }
        filled += got
      }
    }
    if let failure { throw StoreError("cannot read: \(String(cString: strerror(failure)))", path: path, code: failure) }
    return bytes
  }
}

import Glibc
import Kernels
import Synchronization

/// A file that appears under its name only when it is whole and durable: written beside it, synced, renamed.
///
/// `@unchecked Sendable`: the descriptor is written at positions (pwrite), which threads may do at once; `commit` is called by one thread
/// after all of them are done.
package final class AtomicFile: @unchecked Sendable {
  package let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private let written = Atomic<Int>(0)

  /// Bytes after which the disk is told to begin: the sync at the end then waits for the last of them, not for all.
  private static let writebackSize = 32 << 20

  /// `size`: the final one, in bytes.
  package init(path: String, size: Int) throws(ModelError) {
    self.path = path
    temporaryPath = path + ".\(getpid()).partial"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ModelError("cannot be created: \(systemError(errno))", file: path) }
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      let code = errno
      abandon()
      throw ModelError("cannot be given \(size) bytes: \(systemError(code))", file: path)
    }
  }

  deinit { abandon() }

  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(ModelError) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor, start + done, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw ModelError("cannot be written: \(systemError(errno))", file: path) }
      done += count
    }
    let total = written.wrappingAdd(done, ordering: .relaxed)
    if total.newValue / Self.writebackSize != total.oldValue / Self.writebackSize { Writeback.start(descriptor) }
  }

  /// Makes the file durable and gives it its name.
  package func commit() throws(ModelError) {
    guard fsync(descriptor) == 0 else { throw ModelError("cannot be made durable: \(systemError(errno))", file: path) }
    close(descriptor)
    descriptor = -1
    guard rename(temporaryPath, path) == 0 else {
      let code = errno
      unlink(temporaryPath)
      throw ModelError("cannot be put in place: \(systemError(code))", file: path)
    }
    Self.syncDirectory(of: path)
  }

  package static func write(_ bytes: [UInt8], to path: String) throws(ModelError) {
    let file = try AtomicFile(path: path, size: bytes.count)
    var failure: ModelError?
    bytes.withUnsafeBytes { buffer in
      do throws(ModelError) { try file.write(buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    try file.commit()
  }

  private func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
    descriptor = -1
  }

  /// So that the rename itself survives a crash; some file systems refuse to sync a directory, which is no failure of the write.
  private static func syncDirectory(of path: String) {
    let parent = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }
}

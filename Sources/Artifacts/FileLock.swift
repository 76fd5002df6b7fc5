import Glibc

/// A lock of the kernel's on a file (flock): free as soon as every process that has the descriptor is gone, so nothing is ever
/// unlocked by hand. The file itself is never removed.
///
/// `@unchecked Sendable`: the descriptor is set once; `release` may be called by one thread only.
package final class FileLock: @unchecked Sendable {
  package enum Mode: Sendable { case shared, exclusive }

  package let path: String
  package private(set) var descriptor: Int32

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { release() }

  /// The lock if it is free now, else nil.
  package static func attempt(_ path: String, _ mode: Mode, _ files: FileSystem) throws(StoreError) -> FileLock? {
    try take(path, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB, files)
  }

  /// Waits for the lock; only where it is held for moments.
  package static func wait(_ path: String, _ mode: Mode, _ files: FileSystem) throws(StoreError) -> FileLock {
    while true {
      if let lock = try take(path, mode == .shared ? LOCK_SH : LOCK_EX, files) { return lock }
    }
  }

  /// An exclusive lock on a file that is something else as well; nil when it is taken, or gone.
  static func attemptExisting(_ path: String, _ files: FileSystem) throws(StoreError) -> FileLock? {
    guard try files.status(path, followingLinks: false)?.kind == .file else { return nil }
    return try take(path, LOCK_EX | LOCK_NB, files, creating: 0)
  }

  private static func take(
    _ path: String, _ operation: Int32, _ files: FileSystem, creating: Int32 = O_CREAT
  ) throws(StoreError) -> FileLock? {
    try files.begin(.open, path)
    let descriptor = open(path, O_RDWR | creating | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      if creating == 0, errno == ENOENT { return nil }
      throw StoreError(.open, path, errno)
    }
    while flock(descriptor, operation) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      if code == EWOULDBLOCK { return nil }
      throw StoreError("cannot lock: \(String(cString: strerror(code)))", path: path, code: code)
    }
    return FileLock(path: path, descriptor: descriptor)
  }

  /// Gives up this process's share; heirs of the descriptor keep theirs.
  package func release() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  /// Writes down who holds it, for people and for the next run.
  func note(_ bytes: [UInt8], _ files: FileSystem) throws(StoreError) {
    try files.begin(.write, path)
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw StoreError(.write, path, errno) }
    try files.write(bytes, descriptor, path)
  }
}

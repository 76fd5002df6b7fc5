import CProcesses
import Glibc

/// The file operations that the store is made of, and the one place where they can be made to fail.
///
/// Every operation asks for a fault first; a test answers with one (ENOSPC, EIO, a write that ends half-way) and the operation fails with
/// it. It knows nothing of objects, results or keys.
package struct FileSystem: Sendable {
  /// What is being done, in the words of an error message.
  package enum Operation: String, Sendable, CaseIterable {
    case open, read, write, sync, rename, link, list, remove, protect
    case makeDirectory = "make directory"
    case status = "look at"
  }

  /// How an operation is made to fail.
  package enum Fault: Sendable, Equatable {
    /// Nothing is done.
    case failure(Int32)
    /// Of a write, so many bytes arrive before it fails; any other operation does nothing.
    case shortWrite(bytes: Int, Int32)

    fileprivate var code: Int32 {
      switch self {
      case .failure(let code), .shortWrite(_, let code): code
      }
    }
  }

  private let faults: (@Sendable (Operation, String) -> Fault?)?

  /// `faults` is asked before every operation, with its path, by whichever thread does it.
  package init(faults: (@Sendable (Operation, String) -> Fault?)? = nil) { self.faults = faults }

  /// The same with error numbers alone.
  package init(fault: @escaping @Sendable (Operation, String) -> Int32?) {
    self.init(faults: { fault($0, $1).map(Fault.failure) })
  }

  package static let posix = FileSystem()

  /// Throws the fault that is wanted here; called before every operation.
  package func begin(_ operation: Operation, _ path: String) throws(StoreError) {
    if let fault = faults?(operation, path) { throw StoreError(operation, path, fault.code) }
  }

  private func check(_ result: Int32, _ operation: Operation, _ path: String) throws(StoreError) {
    guard result == 0 else { throw StoreError(operation, path, errno) }
  }

  // MARK: - Looking

  /// What lies at a path, or nil when nothing does. Links are followed unless told otherwise.
  package func status(_ path: String, followingLinks: Bool = true) throws(StoreError) -> FileStatus? {
    try begin(.status, path)
    var raw = stat()
    let result = followingLinks ? stat(path, &raw) : lstat(path, &raw)
    if result == 0 { return FileStatus(raw) }
    guard errno == ENOENT || errno == ENOTDIR else { throw StoreError(.status, path, errno) }
    return nil
  }

  package func exists(_ path: String) throws(StoreError) -> Bool { try status(path, followingLinks: false) != nil }

  /// The names in a directory, sorted by bytes; nil when there is no such directory.
  package func list(_ path: String) throws(StoreError) -> [String]? {
    try begin(.list, path)
    guard let directory = opendir(path) else {
      guard errno == ENOENT else { throw StoreError(.list, path, errno) }
      return nil
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Where a link leads; nil when it is none, or cannot be read.
  package func readLink(_ path: String) -> String? {
    guard faults?(.status, path) == nil else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, buffer.count)
      guard count >= 0 else { return nil }
      return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  // MARK: - Reading and writing

  /// A descriptor of an open file, which the caller closes; children do not inherit it.
  package func open(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws(StoreError) -> Int32 {
    try begin(.open, path)
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw StoreError(.open, path, errno) }
    return descriptor
  }

  /// A file's bytes; nil when there is no such file. A pipe or a device is an error, never waited for.
  package func read(_ path: String) throws(StoreError) -> [UInt8]? {
    try begin(.read, path)
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 {
      guard errno == ENOENT || errno == ENOTDIR else { throw StoreError(.open, path, errno) }
      return nil
    }
    defer { close(descriptor) }
    return try readAll(descriptor, path)
  }

  private func readAll(_ descriptor: Int32, _ path: String) throws(StoreError) -> [UInt8] {
    var raw = stat()
    try check(fstat(descriptor, &raw), .read, path)
    guard raw.st_mode & S_IFMT == S_IFREG else { throw StoreError("is not a regular file", path: path) }
    var bytes: [UInt8] = []
    var failure: Int32 = 0
    let expected = max(Int(raw.st_size), 0)
    var filled = 0
    // One byte more than expected: the read that finds the end is then the same as the one that fills.
    bytes = [UInt8](unsafeUninitializedCapacity: expected + 1) { buffer, count in
      while filled < buffer.count {
        let got = Glibc.read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
        if got < 0 {
          if errno == EINTR { continue }
          failure = errno
          break
        }
        if got == 0 { break }
        filled += got
      }
      count = filled
    }
    guard failure == 0 else { throw StoreError(.read, path, failure) }
    while filled > expected {  // the file grew while it was read
      var more = [UInt8](repeating: 0, count: 65536)
      let got = Glibc.read(descriptor, &more, more.count)
      if got < 0 && errno != EINTR { throw StoreError(.read, path, errno) }
      if got == 0 { break }
      if got > 0 { bytes.append(contentsOf: more[..<got]) }
    }
    return bytes
  }

  /// The last bytes of a file, at most `count` of them; none when there is no such file, or a link in its place: these are files that stages write.
  package func readEnd(_ path: String, count: Int) throws(StoreError) -> [UInt8] {
    try begin(.read, path)
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var raw = stat()
    try check(fstat(descriptor, &raw), .read, path)
    guard raw.st_mode & S_IFMT == S_IFREG else { return [] }
    let start = max(0, Int(raw.st_size) - count)
    var bytes = [UInt8](repeating: 0, count: min(count, Int(raw.st_size)))
    let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
    guard got >= 0 else { throw StoreError(.read, path, errno) }
    return Array(bytes.prefix(got))
  }

  package enum Durability: Sendable { case lasting, passing }

  /// Creates or replaces a file in place. For a file that others may read, write beside it and `rename`.
  package func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644, _ durability: Durability = .passing) throws(StoreError) {
    let descriptor = try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    defer { close(descriptor) }
    try write(bytes, descriptor, path)
    if durability == .lasting { try sync(descriptor, path) }
  }

  /// Appends to a file with one write, so that lines of several writers do not mix.
  package func append(_ bytes: [UInt8], to path: String) throws(StoreError) {
    let descriptor = try open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    try write(bytes, descriptor, path)
  }

  /// Writes all of `bytes` to an open file.
  package func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(StoreError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(StoreError) in try write(UnsafeRawBufferPointer(bytes), descriptor, path) }
  }

  /// Writes all of `bytes` to an open file.
  package func write(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32, _ path: String) throws(StoreError) {
    switch faults?(.write, path) {
    case nil: break
    case .failure(let code)?: throw StoreError(.write, path, code)
    case .shortWrite(let count, let code)?:
      try writeAll(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)), descriptor, path)
      throw StoreError(.write, path, code)
    }
    try writeAll(bytes, descriptor, path)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32, _ path: String) throws(StoreError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw StoreError(.write, path, errno)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Copies a file's bytes into a new file; false when there is nothing to copy.
  package func copy(_ from: String, to path: String, observe: ((Int) -> Void)? = nil) throws(StoreError) -> Bool {
    try begin(.read, from)
    let source = Glibc.open(from, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else {
      if errno == ENOENT { return false }
      throw StoreError(.open, from, errno)
    }
    defer { close(source) }
    let target = try open(path, O_WRONLY | O_CREAT | O_EXCL)
    defer { close(target) }
    try copy(source, from, target, path, observe)
    return true
  }

  /// The rest of one open file into another.
  func copy(
    _ source: Int32, _ from: String, _ target: Int32, _ path: String, _ observe: ((Int) -> Void)? = nil
  ) throws(StoreError) {
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(source, &piece, piece.count)
      if count == 0 { return }
      if count < 0 && errno != EINTR { throw StoreError(.read, from, errno) }
      guard count > 0 else { continue }
      try write(Array(piece[..<count]), target, path)
      observe?(count)
    }
  }

  // MARK: - Making things last

  /// Waits until an open file's bytes are on the disk.
  package func sync(_ descriptor: Int32, _ path: String) throws(StoreError) {
    try begin(.sync, path)
    try check(fsync(descriptor), .sync, path)
  }

  /// Waits until a file's bytes are on the disk.
  package func syncFile(_ path: String) throws(StoreError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(.open, path, errno) }
    defer { close(descriptor) }
    try sync(descriptor, path)
  }

  /// Waits until everything that was written to the file system that `path` is on is on the disk.
  package func syncAll(_ path: String) throws(StoreError) {
    try begin(.sync, path)
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError(.open, path, errno) }
    defer { close(descriptor) }
    try check(hl_sync_all(descriptor), .sync, path)
  }

  /// Has a file's bytes written, without waiting for it.
  package func startWriting(_ path: String) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    _ = hl_start_writing(descriptor)
  }

  /// Waits until the names in a directory are on the disk.
  package func syncDirectory(_ path: String) throws(StoreError) {
    try begin(.sync, path)
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try check(fsync(descriptor), .sync, path)
  }

  package func rename(_ from: String, to: String) throws(StoreError) {
    try begin(.rename, to)
    try check(Glibc.rename(from, to), .rename, to)
  }

  package func protect(_ path: String, mode: mode_t) throws(StoreError) {
    try begin(.protect, path)
    try check(chmod(path, mode), .protect, path)
  }

  /// `UTIME_OMIT`, a macro that Swift does not see.
  private static let leaveTime = (1 << 30) - 2

  /// Sets when a file or directory was changed last, in nanoseconds since 1970.
  package func touch(_ path: String, modified: Int) throws(StoreError) {
    try begin(.protect, path)
    let time = timespec(tv_sec: modified / 1_000_000_000, tv_nsec: modified % 1_000_000_000)
    let times = [timespec(tv_sec: 0, tv_nsec: Self.leaveTime), time]
    try check(utimensat(AT_FDCWD, path, times, 0), .protect, path)
  }

  // MARK: - Names

  /// Makes a directory and those above it; one that is there already will do.
  package func makeDirectory(_ path: String) throws(StoreError) {
    try begin(.makeDirectory, path)
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw StoreError(.makeDirectory, path, errno)
    }
    try makeDirectory(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw StoreError(.makeDirectory, path, errno) }
  }

  /// Leaves an empty directory at a path, whatever was there.
  package func makeEmptyDirectory(_ path: String) throws(StoreError) {
    if try status(path, followingLinks: false)?.kind == .directory, try list(path)?.isEmpty == true { return }
    try remove(path)
    try makeDirectory(path)
  }

  /// A second name for a file.
  package func hardLink(_ path: String, to target: String) throws(StoreError) {
    try begin(.link, path)
    try check(link(target, path), .link, path)
  }

  package func symbolicLink(_ path: String, to target: String) throws(StoreError) {
    try begin(.link, path)
    try check(symlink(target, path), .link, path)
  }

  /// Removes a file, a link or a whole directory; nothing there is fine. Links are removed, never followed.
  package func remove(_ path: String) throws(StoreError) {
    try begin(.remove, path)
    if unlink(path) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM || errno == EACCES else { throw StoreError(.remove, path, errno) }
    guard let entry = try status(path, followingLinks: false) else { return }
    guard entry.kind == .directory else { throw StoreError(.remove, path, EACCES) }
    if rmdir(path) == 0 { return }
    if errno == EACCES || errno == EPERM { _ = chmod(path, 0o755) }
    for name in try list(path) ?? [] { try remove(path + "/" + name) }
    guard rmdir(path) == 0 || errno == ENOENT else { throw StoreError(.remove, path, errno) }
  }
}

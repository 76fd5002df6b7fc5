import Artifacts
import Glibc

/// The files of a remote in a directory that this machine sees: a mounted disk, NFS.
///
/// Faults come in through the store's `FileSystem`, as everywhere where files are written.
package struct DirectoryFiles: RemoteFiles {
  package let address: String
  private let root: String
  private let files: FileSystem

  private static let piece = 1 << 20

  package init(_ root: String, address: String, files: FileSystem = .posix) {
    self.root = root
    self.address = address
    self.files = files
  }

  private func path(_ relative: String) -> String { "\(root)/\(relative)" }

  /// What the system says, as a remote says it.
  private func passingOn<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as StoreError {
      let isPassing = [EAGAIN, EINTR, ETIMEDOUT, ESTALE, EBUSY].contains(error.code ?? 0)
      throw RemoteError(isPassing ? .passing : .lasting, "\(address): \(error)")
    }
  }

  package func sizes(_ paths: [String]) async throws -> [Int?] {
    try passingOn {
      try paths.map { path in
        guard let status = try files.status(self.path(path)), status.kind == .file else { return nil }
        return status.size
      }
    }
  }

  package func read(_ path: String, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    let whole = self.path(path)
    guard try passingOn({ try files.status(whole)?.kind == .file }) else {
      throw RemoteError(.absent, "\(address) does not have \(path)")
    }
    let descriptor = try passingOn { try files.open(whole, O_RDONLY | O_NONBLOCK) }
    defer { Glibc.close(descriptor) }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
    defer { piece.deallocate() }
    var place = offset
    while true {
      try passingOn { try files.begin(.read, whole) }
      let got = pread(descriptor, piece.baseAddress, piece.count, off_t(place))
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw RemoteError(.passing, "\(address): cannot read \(path): \(String(cString: strerror(errno)))") }
      if got == 0 { return }
      place += got
      try sink(UnsafeRawBufferPointer(rebasing: piece[..<got]))
    }
  }

  package func open(_ path: String) async throws -> any RemoteFileWriter {
    let whole = self.path(path)
    return try passingOn {
      // A part that is whole already may have been made read-only by somebody who did not come to rename it.
      if let status = try files.status(whole, followingLinks: false), status.permissions & 0o200 == 0 {
        try files.protect(whole, mode: 0o644)
      }
      let descriptor = try files.open(whole, O_RDWR | O_CREAT | O_NOFOLLOW)
      return DirectoryFileWriter(whole, descriptor, address, files)
    }
  }

  package func rename(_ path: String, to target: String) async throws {
    try passingOn {
      let directory = String(self.path(target).split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
      if try !files.exists(directory) { try files.makeDirectory(directory) }
      try files.rename(self.path(path), to: self.path(target))
      try files.syncDirectory(directory)
    }
  }

  package func remove(_ path: String) async throws { try passingOn { try files.remove(self.path(path)) } }

  package func list(_ path: String) async throws -> [String]? { try passingOn { try files.list(self.path(path)) } }

  package func prepare(_ use: RemoteUse) async throws {
    let entries = try passingOn { try files.list(root) }
    if let entries, entries.contains(FileTreeRemote.mark) {
      let bytes = try passingOn { try files.read(path(FileTreeRemote.mark)) }
      guard bytes == Array(FileTreeRemote.markText.utf8) else {
        throw RemoteError(.lasting, "\(address) was written by another version of Heirloom")
      }
    } else if use == .reading {
      guard let entries else { throw RemoteError(.lasting, "\(address): there is no such directory; make it, or is its disk not mounted?") }
      guard entries.allSatisfy({ $0 == "lost+found" || $0 == "incoming" }) else { throw FileTreeRemote.isNone(address) }
    } else {
      try begin(entries)
    }
    if use == .writing { try passingOn { try files.makeDirectory(path("incoming")) } }
  }

  /// A new remote. What it is to lie in must be there, so that no disk is filled for one that is not mounted.
  private func begin(_ entries: [String]?) throws {
    if let entries {
      guard entries.allSatisfy({ $0 == "lost+found" || $0 == "incoming" }) else { throw FileTreeRemote.isNone(address) }
      return
    }
    let above = root.split(separator: "/").dropLast().joined(separator: "/")
    guard try passingOn({ try files.exists("/" + above) }) else {
      throw RemoteError(.lasting, "\(address): there is no directory /\(above) to make it in; is the disk mounted?")
    }
    try passingOn { try files.makeDirectory(root) }
  }

  package func close() async {}
}

/// `@unchecked Sendable`: one task at a time uses it.
private final class DirectoryFileWriter: RemoteFileWriter, @unchecked Sendable {
  private let path: String
  private let address: String
  private let files: FileSystem
  private var descriptor: Int32
  private var place = 0
  private var sinceBurst = 0

  init(_ path: String, _ descriptor: Int32, _ address: String, _ files: FileSystem) {
    self.path = path
    self.descriptor = descriptor
    self.address = address
    self.files = files
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  var size: Int { get async throws { FileStatus.of(descriptor: descriptor)?.size ?? 0 } }

  func write(_ bytes: [UInt8], at offset: Int) async throws {
    if offset != place {
      guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw failure("write") }
      place = offset
    }
    do { try files.write(bytes, descriptor, path) } catch { throw RemoteError(.lasting, "\(address): \(error)") }
    place += bytes.count
    sinceBurst += bytes.count
    if sinceBurst >= 32 << 20 {
      files.startWriting(path)
      sinceBurst = 0
    }
  }

  func read(_ offset: Int, _ count: Int) async throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard got >= 0 else { throw failure("read") }
    return Array(bytes.prefix(got))
  }

  func finish(size: Int) async throws {
    guard ftruncate(descriptor, off_t(size)) == 0, fchmod(descriptor, 0o444) == 0 else { throw failure("write") }
    do { try files.sync(descriptor, path) } catch { throw RemoteError(.lasting, "\(address): \(error)") }
  }

  func close() async {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  private func failure(_ what: String) -> RemoteError {
    RemoteError(.lasting, "\(address): cannot \(what) \(path): \(String(cString: strerror(errno)))")
  }
}

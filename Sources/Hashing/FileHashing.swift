import Glibc

/// A file that could not be read, and what the system said.
package struct FileHashingError: Error, Equatable, CustomStringConvertible {
  package let path: String
  /// The `errno` of the failed call.
  package let code: Int32

  package init(path: String, code: Int32) { (self.path, self.code) = (path, code) }

  package var description: String { "cannot read \(path): \(String(cString: strerror(code)))" }
}

extension Digest {
  private static var pieceBytes: Int { 1 << 20 }

  /// The digest of a file's contents (what `sha256sum` prints) and its size in bytes, read in pieces of 1 MiB.
  ///
  /// - Parameter observe: is told how many bytes have been read, piece by piece.
  package static func ofFile(
    _ path: String, observe: ((Int) -> Void)? = nil
  ) throws(FileHashingError) -> (digest: Digest, size: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileHashingError(path: path, code: errno) }
    defer { close(descriptor) }
    return try ofFile(descriptor: descriptor, path: path, observe: observe)
  }

  /// The same for a descriptor that is open for reading, from its present offset to the end; `path` is for the error alone.
  package static func ofFile(
    descriptor: Int32, path: String, observe: ((Int) -> Void)? = nil
  ) throws(FileHashingError) -> (digest: Digest, size: Int) {
    var hasher = DigestHasher()
    var size = 0
    var status = stat()
    // A small file, of which there are many, needs no large buffer.
    let wanted = fstat(descriptor, &status) == 0 && status.st_size > 0 ? Int(status.st_size) + 1 : pieceBytes
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(wanted, 4096), pieceBytes), alignment: 4096)
    defer { piece.deallocate() }
    while true {
      let count = read(descriptor, piece.baseAddress, piece.count)
      if count == 0 { return (hasher.finish(), size) }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileHashingError(path: path, code: errno)
      }
      hasher.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      size += count
      observe?(count)
    }
  }
}

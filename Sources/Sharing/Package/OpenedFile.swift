import Glibc

/// A plain file below a directory that somebody else filled: no link is followed on the way to it. Closed when it goes.
final class OpenedFile {
  let size: Int
  private let descriptor: Int32
  private let name: String

  /// The components lead from `directory`, which may itself be a link.
  init(_ directory: String, _ components: [String]) throws(SharingError) {
    let name = components.joined(separator: "/")
    var place = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    for (index, component) in components.enumerated() where place >= 0 {
      let kind = index == components.count - 1 ? O_NONBLOCK : O_DIRECTORY
      let next = openat(place, component, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind)
      let code = errno
      closeFile(place)
      errno = code
      place = next
    }
    guard place >= 0 else {
      let reason = errno == ELOOP || errno == ENOTDIR ? "is a link, or not where it should be" : String(cString: strerror(errno))
      throw SharingError(reason, at: name)
    }
    var status = stat()
    guard fstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      closeFile(place)
      throw SharingError("is not a plain file", at: name)
    }
    descriptor = place
    size = Int(status.st_size)
    self.name = name
  }

  deinit { closeFile(descriptor) }

  /// The next bytes, at most `count`; none at the end.
  func read(_ count: Int) throws(SharingError) -> [UInt8] {
    do throws(SharingError) { return try bytes(of: descriptor)(count) } catch { throw SharingError(error.message, at: name, .transfer) }
  }

  /// Everything, unless it is more than `limit`.
  func all(_ limit: Int) throws(SharingError) -> [UInt8] {
    guard size <= limit else { throw SharingError("has \(size) bytes, more than is read", at: name) }
    var all: [UInt8] = []
    while true {
      let piece = try read(1 << 20)
      if piece.isEmpty { return all }
      all += piece
      guard all.count <= limit else { throw SharingError("grew while it was read", at: name) }
    }
  }
}

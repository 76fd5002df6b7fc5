import Glibc

/// What the file system says of one file: enough to tell that nobody touched it.
package struct FileStatus: Sendable, Equatable {
  package enum Kind: Sendable, Equatable { case file, directory, link, special }

  package let kind: Kind
  /// Bytes.
  package let size: Int
  package let device: UInt64
  package let inode: UInt64
  /// Nanoseconds since 1970.
  package let modified: Int
  package let changed: Int
  /// Of owner, group and others, with the sticky bit and its like.
  package let permissions: UInt32
  /// How many names the file has.
  package let names: Int

  init(_ raw: stat) {
    kind =
      switch raw.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .link
      default: .special
      }
    permissions = UInt32(raw.st_mode & 0o7777)
    size = Int(raw.st_size)
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    modified = Self.nanoseconds(raw.st_mtim)
    changed = Self.nanoseconds(raw.st_ctim)
    names = Int(raw.st_nlink)
  }

  /// What tells two directories apart, whatever they are called.
  struct Place: Equatable {
    let device: UInt64
    let inode: UInt64
  }

  var place: Place { Place(device: device, inode: inode) }

  private static func nanoseconds(_ time: timespec) -> Int { Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec) }

  /// Of an open file; nil when it cannot be told.
  package static func of(descriptor: Int32) -> FileStatus? {
    var raw = stat()
    return fstat(descriptor, &raw) == 0 ? FileStatus(raw) : nil
  }
}

/// Now, in nanoseconds since 1970.
package func wallClock() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
}

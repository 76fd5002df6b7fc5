import Artifacts
import Glibc

/// Writes an archive, entry after entry, in pieces: the same entries are the same bytes, whoever writes them and when.
package struct TarWriter {
  private let descriptor: Int32
  private let path: String
  private let files: FileSystem
  private var left = 0
  private var padding = 0

  /// `descriptor` is open for writing and stays the caller's.
  package init(_ descriptor: Int32, path: String, files: FileSystem = .posix) {
    self.descriptor = descriptor
    self.path = path
    self.files = files
  }

  /// Begins a file; exactly `size` bytes have to follow by `write`.
  package mutating func begin(_ entry: EntryPath, size: Int) throws(StoreError) {
    precondition(left == 0, "\(left) bytes of the last entry are missing")
    let header = TarHeader(kind: .file, path: Array(entry.text.utf8), size: size)
    if !header.fits {
      let record = PaxRecord(path: Array(entry.text.utf8), size: size > TarHeader.mostSize ? size : nil).bytes
      try put(TarHeader(kind: .extended, path: Array("pax/header".utf8), size: record.count).bytes)
      try put(record + Self.zeros(after: record.count))
    }
    try put(header.bytes)
    left = size
    padding = Self.zeros(after: size).count
    if left == 0 { try pad() }
  }

  package mutating func write(_ bytes: [UInt8]) throws(StoreError) {
    precondition(bytes.count <= left, "more bytes than were declared")
    if bytes.isEmpty { return }
    try put(bytes)
    left -= bytes.count
    if left == 0 { try pad() }
  }

  /// Two empty blocks end an archive.
  package func end() throws(StoreError) {
    precondition(left == 0, "\(left) bytes of the last entry are missing")
    try put([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
  }

  private mutating func pad() throws(StoreError) {
    try put([UInt8](repeating: 0, count: padding))
    padding = 0
  }

  private static func zeros(after size: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: (TarHeader.blockBytes - size % TarHeader.blockBytes) % TarHeader.blockBytes)
  }

  private func put(_ bytes: [UInt8]) throws(StoreError) {
    if !bytes.isEmpty { try files.write(bytes, descriptor, path) }
  }
}

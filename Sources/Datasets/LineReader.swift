import Foundation

/// The lines of a file, read in blocks: a file beyond memory streams, a line of any length is one value.
///
/// Lines end at "\n" and have at most 64 MiB; a "\r" before it stays, for JSON it is space. A byte order mark at the start is skipped.
package struct LineReader: ~Copyable {
  private let handle: FileHandle
  private let name: String
  private var buffer: [UInt8] = []
  private var start = 0
  private var ended = false
  private static let blockSize = 1 << 20
  private static let longestLine = 1 << 26

  /// The number of the line that `next` gave last, counted from 1.
  package private(set) var line = 0

  /// - Parameter name: what errors call the file; the path where left out.
  package init(path: String, name: String? = nil) throws(DatasetError) {
    let name = name ?? path
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { throw DatasetError("no such file", file: name) }
    guard !isDirectory.boolValue else { throw DatasetError("is a directory where a file of records should be", file: name) }
    var status = stat()
    // Opening a pipe would wait for somebody to write to it.
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw DatasetError("is not a regular file", file: name) }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw DatasetError("cannot be read", file: name) }
    self.handle = handle
    self.name = name
  }

  /// The next line without its end; nil after the last.
  package mutating func next() throws(DatasetError) -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = newline(from: searched) {
        defer { start = end + 1 }
        return deliver(start..<end)
      }
      searched = buffer.count
      guard searched - start <= Self.longestLine else {
        throw DatasetError("has more than \(Self.longestLine) bytes", file: name, line: line + 1)
      }
      if ended {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return deliver(start..<buffer.count)
      }
      searched -= start
      try fill()
    }
  }

  private mutating func deliver(_ range: Range<Int>) -> ArraySlice<UInt8> {
    line += 1
    let slice = buffer[range]
    return line == 1 && slice.starts(with: [0xEF, 0xBB, 0xBF]) ? slice.dropFirst(3) : slice
  }

  private func newline(from index: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard index < bytes.count, let base = bytes.baseAddress, let found = memchr(base + index, 0x0A, bytes.count - index) else {
        return nil
      }
      return UnsafeRawPointer(found) - base
    }
  }

  /// Drops what has been delivered and appends a block.
  private mutating func fill() throws(DatasetError) {
    buffer.removeFirst(start)
    start = 0
    let block: Data?
    do { block = try handle.read(upToCount: Self.blockSize) } catch {
      throw DatasetError("cannot be read: \(error.localizedDescription)", file: name)
    }
    guard let block, !block.isEmpty else {
      ended = true
      return
    }
    buffer.append(contentsOf: block)
  }
}

import Artifacts
import Glibc

/// A file on the other side that is being written, many requests on their way at once.
///
/// `@unchecked Sendable`: one task at a time uses it.
final class SFTPFileWriter: RemoteFileWriter, @unchecked Sendable {
  private let files: SSHFiles
  private let connection: SFTPConnection
  private let path: String
  private let handle: [UInt8]
  private var asked: [(number: UInt32, count: Int)] = []
  private var underway = 0
  private var isOpen = true

  init(_ files: SSHFiles, _ connection: SFTPConnection, _ path: String, _ handle: [UInt8]) {
    self.files = files
    self.connection = connection
    self.path = path
    self.handle = handle
  }

  var size: Int {
    get async throws {
      let answer = try connection.answer(connection.ask(.fileStatus) { $0.append(handle) })
      guard case .attributes(let size, _) = answer else { throw files.failure(answer, path) }
      return size ?? 0
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) async throws {
    let piece = files.pieceBytes(connection)
    for start in stride(from: 0, to: bytes.count, by: piece) {
      let part = bytes[start..<min(start + piece, bytes.count)]
      let number = try connection.ask(.write, reserving: part.count + 300) {
        $0.append(handle)
        $0.append(UInt64(offset + start))
        $0.append(part)
      }
      asked.append((number, part.count))
      underway += part.count
      while underway > SSHFiles.window { try settle() }
    }
  }

  /// Waits for the oldest of what is underway.
  private func settle() throws {
    let (number, count) = asked.removeFirst()
    underway -= count
    let answer = try connection.answer(number)
    guard case .status(SFTPAnswer.ok, _) = answer else { throw files.failure(answer, path) }
  }

  func read(_ offset: Int, _ count: Int) async throws -> [UInt8] {
    while !asked.isEmpty { try settle() }
    let piece = files.pieceBytes(connection)
    let numbers = try stride(from: 0, to: count, by: piece).map { start in
      (
        start,
        try connection.ask(.read) {
          $0.append(handle)
          $0.append(UInt64(offset + start))
          $0.append(UInt32(min(piece, count - start)))
        }
      )
    }
    var bytes: [UInt8] = []
    var isWhole = true
    for (start, number) in numbers {
      // What follows a gap is of no use.
      guard case .data(let part) = try connection.answer(number), isWhole, part.count <= piece else {
        isWhole = false
        continue
      }
      bytes += part
      isWhole = part.count == min(piece, count - start)
    }
    return bytes
  }

  func finish(size: Int) async throws {
    while !asked.isEmpty { try settle() }
    if connection.extensions.contains(Self.sync) {
      try demand(.extended) {
        $0.append(Self.sync)
        $0.append(handle)
      }
    }
    try demand(.setFileStatus) {
      $0.append(handle)
      $0.append(SFTPPacket.sizeFlag | SFTPPacket.permissionsFlag)
      $0.append(UInt64(size))
      $0.append(UInt32(0o444))
    }
  }

  private static let sync = "fsync@openssh.com"

  private func demand(_ kind: SFTPPacket.Kind, _ fill: (inout SFTPPacket) -> Void) throws {
    let answer = try connection.answer(connection.ask(kind, fill))
    guard case .status(SFTPAnswer.ok, _) = answer else { throw files.failure(answer, path) }
  }

  func close() async {
    guard isOpen else { return }
    isOpen = false
    for (number, _) in asked { _ = try? connection.answer(number) }
    asked = []
    _ = try? connection.answer(connection.ask(.close) { $0.append(handle) })
  }
}

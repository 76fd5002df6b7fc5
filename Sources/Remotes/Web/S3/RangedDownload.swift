import NIOHTTP1

/// Gets a large object in several parts at once and gives them on in order: one connection to an object store is slow, and four are four times as
/// fast. At most `atOnce` parts are in memory.
struct RangedDownload {
  private let client: S3Client
  private let blob: Blob
  private let offset: Int

  private static let part = 8 << 20
  private static let atOnce = 4

  init(_ client: S3Client, _ blob: Blob, from offset: Int) {
    self.client = client
    self.blob = blob
    self.offset = offset
  }

  /// False, and nothing given, when the server knows no ranges.
  func run(_ sink: (UnsafeRawBufferPointer) throws -> Void) async throws -> Bool {
    let count = (blob.size - offset + Self.part - 1) / Self.part
    // The first alone, for it tells whether the server does it at all.
    guard let first = try await bytes(0) else { return false }
    try first.withUnsafeBytes { try sink($0) }
    try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
      var begun = 1
      var given = 1
      var ready: [Int: [UInt8]] = [:]
      while given < count {
        while begun < count, begun - given < Self.atOnce {
          let index = begun
          group.addTask {
            guard let bytes = try await self.bytes(index) else {
              throw RemoteError(.damaged, "\(client.address.text): the server gave one part of an object and not another")
            }
            return (index, bytes)
          }
          begun += 1
        }
        guard let (index, bytes) = try await group.next() else { break }
        ready[index] = bytes
        while let next = ready.removeValue(forKey: given) {
          try next.withUnsafeBytes { try sink($0) }
          given += 1
        }
      }
    }
    return true
  }

  private func bytes(_ index: Int) async throws -> [UInt8]? {
    let start = offset + index * Self.part
    let count = min(Self.part, blob.size - start)
    var request = WebRequest(.GET, client.url(S3Remote.key(blob)), headers: ["range": "bytes=\(start)-\(start + count - 1)"])
    request.isStreamed = true
    let answer = try await client.send(request)
    if answer.status == 200 { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    let address = client.address.text
    try await RangedAnswer(answer, of: blob, from: start, address).deliver { piece in
      guard bytes.count + piece.count <= count else {
        throw RemoteError(.damaged, "\(address): the server gave more of \(blob.digest) than was asked for")
      }
      bytes += piece
    } refused: { body in
      client.error(answer, SmallXML(parsing: body), "read an object")
    }
    guard bytes.count == count else { throw RemoteError(.passing, "\(address): the server gave less of \(blob.digest) than was asked for") }
    return bytes
  }
}

import Glibc
import Hashing
import Remotes
import Synchronization

/// A remote in memory that does what a test wants it to: the hostile one among the real ones.
final class MemoryRemote: Remote {
  struct State: Sendable {
    var blobs: [Digest: [UInt8]] = [:]
    var documents: [RemoteDocument: [UInt8]] = [:]
    /// In order.
    var gets: [(digest: Digest, offset: Int)] = []
    var puts: [Digest] = []
    var documentPuts: [RemoteDocument] = []
    var given = 0
  }

  /// How many bytes a connection lives.
  let cutAfter: Int?
  /// What goes wrong before anything is answered.
  let trouble: (@Sendable () async throws -> Void)?
  let address = "memory:"
  private let state = Mutex(State())

  init(cutAfter: Int? = nil, trouble: (@Sendable () async throws -> Void)? = nil) {
    self.cutAfter = cutAfter
    self.trouble = trouble
  }

  var seen: State { state.withLock { $0 } }
  func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

  func missing(_ blobs: [Blob]) async throws -> [Blob] {
    try await trouble?()
    return state.withLock { state in blobs.filter { state.blobs[$0.digest] == nil } }
  }

  func get(_ blob: Blob, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    try await trouble?()
    let bytes = state.withLock { state in
      state.gets.append((blob.digest, offset))
      return state.blobs[blob.digest]
    }
    guard let bytes else { throw RemoteError(.absent, "memory: does not have \(blob.digest)") }
    var place = offset
    let end = min(bytes.count, cutAfter.map { offset + $0 } ?? bytes.count)
    while place < end {
      let next = min(end, place + 4096)
      try bytes[place..<next].withUnsafeBytes(sink)
      state.withLock { $0.given += next - place }
      place = next
    }
    if end < bytes.count { throw RemoteError(.passing, "memory: the connection broke") }
  }

  func put(_ blob: Blob, _ source: any BlobSource, progress: @Sendable (Int) -> Void) async throws {
    try await trouble?()
    var bytes: [UInt8] = []
    while bytes.count < source.size {
      let piece = try source.read(bytes.count, 1000)
      bytes += piece
      progress(piece.count)
    }
    let whole = bytes
    state.withLock { state in
      state.blobs[blob.digest] = whole
      state.puts.append(blob.digest)
    }
  }

  func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]? {
    try await trouble?()
    return state.withLock { $0.documents[name] }
  }

  func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob]) async throws {
    try await trouble?()
    state.withLock { state in
      // What it stands on is there already.
      precondition(blobs.allSatisfy { state.blobs[$0.digest] != nil })
      state.documents[name] = bytes
      state.documentPuts.append(name)
    }
  }

  func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]? {
    try await trouble?()
    return state.withLock { $0.documents.keys.filter { $0.kind == kind }.sorted { $0.name < $1.name } }
  }

  func close() async {}
}

import Artifacts
import Glibc
import Hashing
import Synchronization

/// A remote made of files, laid out like a store, in a directory here (`dir:`) or on another machine (`ssh://`): what is pushed by one way
/// can be pulled by the other.
///
/// ```
/// heirloom-remote            says what this directory is
/// objects/ab/cdef…           bytes by SHA-256, read-only
/// results/ab/cdef….json      documents by key; tags/NAME.json and statements/NAME.json by name
/// incoming/                  what is being written; <digest>.<name>.part: an object, as far as it has come
/// ```
/// Files appear by rename, whole. Several may push at once, also the same. Each writes under a name that nobody else ever had, so that what
/// it renames in the end is what it wrote. A part that lies there when a push begins is renamed, read again and gone on with, never cut:
/// should somebody still write to it, that is the same bytes, and whose name is gone finds the object there, or takes the part back.
package final class FileTreeRemote: Remote {
  static let mark = "heirloom-remote"
  static let markText = "heirloom remote 1\n"

  package let address: String
  private let files: any RemoteFiles
  private let state = Mutex(State())

  private struct State {
    var prepared: Set<RemoteUse> = []
    /// Names in `incoming` that nobody here has gone on with, by digest.
    var parts: [String: [String]] = [:]
  }

  /// At a time, from the source to the remote.
  private static let piece = 1 << 20

  package init(_ files: any RemoteFiles) {
    self.files = files
    address = files.address
  }

  package func missing(_ blobs: [Blob]) async throws -> [Blob] {
    // Who asks this is about to push: a remote that is not there yet is made, not missed.
    try await prepare(.writing)
    let sizes = try await files.sizes(blobs.map { Self.path($0.digest) })
    return zip(blobs, sizes).filter { $0.size != $1 }.map(\.0)
  }

  package func get(_ blob: Blob, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    try await prepare(.reading)
    try await files.read(Self.path(blob.digest), from: offset, sink)
  }

  package func put(_ blob: Blob, _ source: any BlobSource, progress: @Sendable (Int) -> Void) async throws {
    try await prepare(.writing)
    let path = Self.path(blob.digest)
    for turn in 1... {
      let part = try await ownPart(blob.digest)
      do {
        try await write(source, to: part, progress)
        if try await name(part, path, blob.size, isLastTurn: turn == Self.mostTurns) { break }
      } catch {
        leave([part], of: blob.digest)
        throw error
      }
      try await findParts()
    }
    for part in takeParts(blob.digest) { try? await files.remove(part) }
  }

  private func write(_ source: any BlobSource, to part: String, _ progress: @Sendable (Int) -> Void) async throws {
    let writer = try await files.open(part)
    do {
      var place = try await common(writer, source, progress)
      while place < source.size {
        try Task.checkCancellation()
        let bytes = try source.read(place, Self.piece)
        try await writer.write(bytes, at: place)
        place += bytes.count
        progress(bytes.count)
      }
      try await writer.finish(size: source.size)
    } catch {
      await writer.close()
      throw error
    }
    await writer.close()
  }

  /// Against others who keep taking a part over.
  private static let mostTurns = 5

  /// False when somebody else goes on with the part, under another name.
  private func name(_ part: String, _ path: String, _ size: Int, isLastTurn: Bool) async throws -> Bool {
    do {
      try await files.rename(part, to: path)
      return true
    } catch {
      let sizes = try await files.sizes([path, part])
      // Somebody else has written the same and was faster.
      let isThere = sizes[0] == size
      guard isThere || (sizes[1] == nil && !isLastTurn) else { throw error }
      return isThere
    }
  }

  // MARK: - Parts

  /// A name for this push alone, which a part that somebody left has now, if there is one.
  private func ownPart(_ digest: Digest) async throws -> String {
    let own = "incoming/\(digest.hex).\(Self.uniqueName).part"
    var left = takeParts(digest)
    while let part = left.last {
      do {
        try await files.rename(part, to: own)
        leave(left.dropLast(), of: digest)
        break
      } catch let error as RemoteError where error.kind == .passing {
        leave(left[...], of: digest)
        throw error
      } catch {
        // It is gone: somebody else has taken it, or has finished.
        left.removeLast()
      }
    }
    return own
  }

  private func leave(_ parts: ArraySlice<String>, of digest: Digest) {
    if !parts.isEmpty { state.withLock { $0.parts[digest.hex, default: []] += parts } }
  }

  private func takeParts(_ digest: Digest) -> [String] { state.withLock { $0.parts.removeValue(forKey: digest.hex) } ?? [] }

  private func findParts() async throws {
    var parts: [String: [String]] = [:]
    for name in try await files.list("incoming") ?? [] where name.hasSuffix(".part") && !name.contains("/") {
      parts[String(name.prefix { $0 != "." }), default: []].append("incoming/\(name)")
    }
    let found = parts
    state.withLock { $0.parts = found }
  }

  private static var uniqueName: String { "\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))" }

  /// How much of the source stands in a part already.
  private func common(
    _ writer: any RemoteFileWriter, _ source: any BlobSource, _ progress: @Sendable (Int) -> Void
  ) async throws -> Int {
    let known = min(try await writer.size, source.size)
    var place = 0
    while place < known {
      try Task.checkCancellation()
      let there = try await writer.read(place, min(Self.piece, known - place))
      let ours = try source.read(place, there.count)
      guard !there.isEmpty, there == ours else { break }
      place += there.count
      // Nothing is sent, but something moves.
      progress(0)
    }
    return place
  }

  // MARK: - Documents

  package func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]? {
    try await prepare(.reading)
    var bytes: [UInt8] = []
    do {
      try await files.read(Self.path(name), from: 0) { piece in
        guard bytes.count + piece.count <= limit else { throw Transfer.tooLong(address, name, limit) }
        bytes.append(contentsOf: piece)
      }
    } catch let error as RemoteError where error.kind == .absent { return nil }
    return bytes
  }

  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob]) async throws {
    try await prepare(.writing)
    try await write(bytes, to: Self.path(name))
  }

  private func write(_ bytes: [UInt8], to path: String) async throws {
    let temporary = "incoming/\(Self.uniqueName).tmp"
    let writer = try await files.open(temporary)
    do {
      try await writer.write(bytes, at: 0)
      try await writer.finish(size: bytes.count)
      await writer.close()
      try await files.rename(temporary, to: path)
    } catch {
      await writer.close()
      try? await files.remove(temporary)
      throw error
    }
  }

  package func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]? {
    try await prepare(.reading)
    var names: [String] = []
    for entry in try await files.list(kind.rawValue) ?? [] {
      guard kind == .results else {
        names.append(entry)
        continue
      }
      names += (try await files.list("results/\(entry)") ?? []).map { entry + $0 }
    }
    return names.compactMap { name in
      guard name.hasSuffix(Self.suffix) else { return nil }
      return RemoteDocument(kind, String(name.dropLast(Self.suffix.count)))
    }
  }

  package func close() async { await files.close() }

  // MARK: - Layout

  private static let suffix = ".json"

  private static func path(_ digest: Digest) -> String { "objects/\(shard(digest.hex))" }

  private static func path(_ name: RemoteDocument) -> String {
    "\(name.kind.rawValue)/\(name.kind == .results ? shard(name.name) : name.name)\(suffix)"
  }

  private static func shard(_ name: String) -> String { "\(name.prefix(2))/\(name.dropFirst(2))" }

  private func prepare(_ use: RemoteUse) async throws {
    if state.withLock({ $0.prepared.contains(use) }) { return }
    try await files.prepare(use)
    if use == .writing {
      if try await files.sizes([Self.mark]) == [nil] { try await write(Array(Self.markText.utf8), to: Self.mark) }
      try await findParts()
    }
    state.withLock { _ = $0.prepared.insert(use) }
  }

  /// What to say of a directory that is something else.
  static func isNone(_ address: String) -> RemoteError {
    RemoteError(.usage, "\(address) holds other files and is no remote of Heirloom; name an empty directory, or one that is not there yet")
  }
}

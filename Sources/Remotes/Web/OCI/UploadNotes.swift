import Artifacts
import Glibc
import Hashing
import Synchronization

/// Where uploads were begun that are not ended: a later attempt goes on there, also one of another process when there is a directory for
/// it. An address is all that is remembered, and a registry that no longer knows it is asked for another.
final class UploadNotes: Sendable {
  private let directory: String?
  private let files: FileSystem
  private let places = Mutex<[String: WebURL]>([:])
  private static let mostBytes = 16384

  init(_ directory: String?, files: FileSystem = .posix) {
    self.directory = directory
    self.files = files
  }

  /// - Parameter name: of the remote and the blob, as `name(_:_:)` makes it.
  subscript(name: String) -> WebURL? {
    get { places.withLock { $0[name] } ?? read(name) }
    set {
      places.withLock { $0[name] = newValue }
      write(newValue, name)
    }
  }

  static func name(_ address: String, _ digest: Digest) -> String { Digest(hashing: "\(address) \(digest.hex)").hex }

  /// Called as temporary files of the store are, so that its collector takes those that nobody went on with.
  private func path(_ name: String) -> String? { directory.map { "\($0)/upload-\(name.prefix(32)).tmp-0" } }

  private func read(_ name: String) -> WebURL? {
    guard let path = path(name), let status = try? files.status(path, followingLinks: false), status.kind == .file else { return nil }
    guard status.size <= Self.mostBytes, let bytes = try? files.read(path) else { return nil }
    return WebURL(String(decoding: bytes, as: UTF8.self))
  }

  /// A note that cannot be written costs a transfer's beginning, and is no reason to fail.
  private func write(_ place: WebURL?, _ name: String) {
    guard let path = path(name) else { return }
    guard let place else { return (try? files.remove(path)) ?? () }
    let temporary = "\(path)-\(getpid())"
    try? files.write(Array(place.description.utf8), to: temporary, mode: 0o600)
    try? files.rename(temporary, to: path)
  }
}

import Artifacts
import Foundation

/// A directory that goes when the test is over.
final class ScratchDirectory: Sendable {
  let path: String

  init(in directory: String = FileManager.default.temporaryDirectory.path) throws {
    path = directory + "/heirloom-sharing-" + UUID().uuidString
    try FileSystem.posix.makeDirectory(path)
  }

  /// Where hundreds of stores are made and removed quickly: a disk takes a tenth of a second for the directories of one.
  static func inMemory() throws -> ScratchDirectory {
    access("/dev/shm", W_OK) == 0 ? try ScratchDirectory(in: "/dev/shm") : try ScratchDirectory()
  }

  deinit { try? FileSystem.posix.remove(path) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let whole = "\(path)/\(name)"
    try FileSystem.posix.makeDirectory((whole as NSString).deletingLastPathComponent)
    try FileSystem.posix.write(bytes, to: whole)
  }

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func read(_ name: String) throws -> [UInt8]? { try FileSystem.posix.read("\(path)/\(name)") }

  /// Every file below a directory, relative to it.
  func files(_ directory: String = "") -> [String] {
    let base = directory.isEmpty ? path : "\(path)/\(directory)"
    return (FileManager.default.subpaths(atPath: base) ?? []).filter {
      (try? FileSystem.posix.status("\(base)/\($0)", followingLinks: false))??.kind != .directory
    }.sorted()
  }
}

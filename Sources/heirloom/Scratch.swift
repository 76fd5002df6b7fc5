import Artifacts
import Foundation

/// A directory that goes when the work is over.
final class Scratch {
  let path: String
  private let isKept: Bool

  init(keep: String? = nil) throws {
    isKept = keep != nil
    path = keep ?? FileManager.default.temporaryDirectory.path + "/heirloom-reproduce-" + UUID().uuidString
    if let names = try? FileManager.default.contentsOfDirectory(atPath: path), !names.isEmpty {
      throw CommandFailure.usage("\(path) is not empty")
    }
    try FileSystem.posix.makeDirectory(path)
  }

  func remove() { if !isKept { try? FileSystem.posix.remove(path) } }
}

import Datasets
import Foundation

/// Writes rollouts to a file as they come, each line whole or not at all as far as the file system keeps a single write together.
package final class RolloutWriter {
  private let handle: FileHandle
  private let path: String

  /// Creates the file, or empties it; `appending` goes on behind what is there.
  package init(_ path: String, appending: Bool = false) throws(DatasetError) {
    let exists = FileManager.default.fileExists(atPath: path)
    guard appending && exists || FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forUpdatingAtPath: path)
    else { throw DatasetError("cannot be written", file: path) }
    self.path = path
    self.handle = handle
    try attempt { if appending { try handle.seekToEnd() } }
  }

  package func append(_ rollout: Rollout) throws(DatasetError) {
    try attempt { try handle.write(contentsOf: rollout.json.encodedBytes() + [0x0A]) }
  }

  /// What was appended is on the disk.
  package func synchronize() throws(DatasetError) { try attempt { try handle.synchronize() } }

  package func close() throws(DatasetError) { try attempt { try handle.close() } }

  private func attempt(_ body: () throws -> Void) throws(DatasetError) {
    do { try body() } catch { throw DatasetError("cannot be written: \(error.localizedDescription)", file: path) }
  }
}

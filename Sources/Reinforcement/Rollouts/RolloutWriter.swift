import Datasets
import Foundation

/// Writes rollouts to a file as they come, one in memory at a time.
package final class RolloutWriter {
  private let handle: FileHandle
  private let path: String

  /// Creates the file, or empties it.
  package init(_ path: String) throws(DatasetError) {
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
      throw DatasetError("cannot be written", file: path)
    }
    self.path = path
    self.handle = handle
  }

  package func append(_ rollout: Rollout) throws(DatasetError) {
    try attempt { try handle.write(contentsOf: rollout.json.encodedBytes() + [0x0A]) }
  }

  package func close() throws(DatasetError) { try attempt { try handle.close() } }

  private func attempt(_ body: () throws -> Void) throws(DatasetError) {
    do { try body() } catch { throw DatasetError("cannot be written: \(error.localizedDescription)", file: path) }
  }
}

import Datasets
import JSONValues
import Modeling

/// A `rollouts` artifact: JSONL, a rollout an own line. Holds one line in memory at a time.
package struct RolloutFile: Sendable {
  private let file: RecordFile

  /// - Parameter name: what errors call the file; the path where left out.
  package init(_ path: String, name: String? = nil) { file = RecordFile(path, name: name) }

  package var name: String { file.name }

  /// Hands every rollout to `body` with its line. Errors carry file and line, those of `body` too.
  package func read(_ body: (Rollout, Int) throws(DatasetError) -> Void) throws(DatasetError) {
    try file.readRows { row, line throws(DatasetError) in try body(try Rollout(json: row), line) }
  }

  package func rollouts() throws(DatasetError) -> [Rollout] {
    var rollouts: [Rollout] = []
    try read { rollout, _ in rollouts.append(rollout) }
    return rollouts
  }

  /// Equal rollouts give equal bytes.
  package static func write(_ rollouts: some Sequence<Rollout>, to path: String) throws(DatasetError) {
    try RecordFile.write(rows: rollouts.lazy.map(\.json), to: path)
  }

  /// The same bytes, whole and durable or not at all: whoever dies in its midst leaves what was there.
  static func replace(_ path: String, with rollouts: [Rollout]) throws(DatasetError) {
    let bytes = rollouts.reduce(into: [UInt8]()) { $0 += $1.json.encodedBytes() + [0x0A] }
    do throws(ModelError) { try AtomicFile.write(bytes, to: path) } catch { throw DatasetError(error.message, file: path) }
  }
}

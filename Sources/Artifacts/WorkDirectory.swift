import Hashing

/// The directory one instance is run in: `stage.json  out/  checkpoint/  events.jsonl  log.txt`. Whoever uses it holds the key's lock.
package struct WorkDirectory: Sendable {
  package let path: String
  private let files: FileSystem

  package init(path: String, files: FileSystem) {
    self.path = path
    self.files = files
  }

  package var orderPath: String { path + "/stage.json" }
  package var outputDirectory: String { path + "/out" }
  package var checkpointDirectory: String { path + "/checkpoint" }
  package var eventsPath: String { path + "/events.jsonl" }
  package var logPath: String { path + "/log.txt" }
  package func outputPath(_ name: String) -> String { "\(outputDirectory)/\(name)" }

  /// Whether an earlier attempt left something to go on from.
  package func hasCheckpoint() throws(StoreError) -> Bool { try files.list(checkpointDirectory)?.isEmpty == false }

  package enum Past: Sendable {
    /// Log, events and checkpoint of the attempt before are kept, and appended to.
    case kept
    case forgotten
  }

  /// Makes it ready for an attempt. Half-made outputs never survive.
  package func prepare(_ past: Past) throws(StoreError) {
    switch past {
    case .forgotten: try files.remove(path)
    case .kept: for entry in [outputDirectory, orderPath] { try files.remove(entry) }
    }
    for directory in [outputDirectory, checkpointDirectory] { try files.makeDirectory(directory) }
  }

  package func remove() throws(StoreError) { try files.remove(path) }
}

extension Store {
  package func workDirectory(_ key: Digest) -> WorkDirectory { WorkDirectory(path: workPath(key), files: files) }
}

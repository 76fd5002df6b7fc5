import Hashing

/// The directory one instance is run in: `stage.json  out/  checkpoint/  events.jsonl  log.txt`. Whoever uses it holds the key's lock.
package struct WorkDirectory: Sendable {
  package let path: String
  private let files: FileSystem
  private let pool: WorkPool?

  package init(path: String, files: FileSystem, pool: WorkPool? = nil) {
    self.path = path
    self.files = files
    self.pool = pool
  }

  package var orderPath: String { path + "/stage.json" }
  package var outputDirectory: String { path + "/out" }
  package var checkpointDirectory: String { path + "/checkpoint" }
  package var eventsPath: String { path + "/events.jsonl" }
  package var logPath: String { path + "/log.txt" }
  /// Which job of a queueing system works here or is going to; who submits it writes it.
  package var claimPath: String { path + "/job.json" }
  package func outputPath(_ name: String) -> String { "\(outputDirectory)/\(name)" }

  /// Whether an earlier attempt left something to go on from.
  package func hasCheckpoint() throws(StoreError) -> Bool { try files.list(checkpointDirectory)?.isEmpty == false }

  package enum Past: Sendable {
    /// Log, events and checkpoint of the attempt before are kept, and appended to.
    case kept
    case forgotten
  }

  /// Whether its directories are still directories of its own: through a link in their place, files elsewhere would be taken for outputs.
  package func isIntact() throws(StoreError) -> Bool {
    for directory in [path, outputDirectory] where try files.status(directory, followingLinks: false)?.kind != .directory { return false }
    return true
  }

  /// Makes it ready for an attempt. Half-made outputs never survive, nor does a link that a stage put where its log or checkpoint belongs.
  package func prepare(_ past: Past) throws(StoreError) {
    if try files.status(path, followingLinks: false) == nil, pool?.take(for: self) == true { return }
    switch past {
    case .forgotten:
      if try files.status(path, followingLinks: false)?.kind == .directory, try files.exists(claimPath) {
        for entry in try files.list(path) ?? [] where "\(path)/\(entry)" != claimPath { try files.remove("\(path)/\(entry)") }
      } else {
        try files.remove(path)
      }
    case .kept:
      for entry in [outputDirectory, orderPath] { try files.remove(entry) }
      let own: [(String, FileStatus.Kind)] = [(logPath, .file), (eventsPath, .file), (checkpointDirectory, .directory)]
      for (entry, kind) in own {
        if let found = try files.status(entry, followingLinks: false), found.kind != kind { try files.remove(entry) }
      }
    }
    for directory in [outputDirectory, checkpointDirectory] { try files.makeDirectory(directory) }
  }

  /// It has served: nothing of it is needed any more.
  package func remove() throws(StoreError) {
    if let pool { try pool.put(self) } else { try files.remove(path) }
  }
}

extension Store {
  package func workDirectory(_ key: Digest) -> WorkDirectory { WorkDirectory(path: workPath(key), files: files, pool: spares) }
}

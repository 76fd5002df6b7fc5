import Synchronization

/// Work directories that were used and are as new: the next stage of this run takes one instead of making its own.
///
/// Making and removing six files a stage is what a file system is slowest at; ext4 looks past every recently deleted inode for a free one, so
/// thousands of small stages in a row got slower and slower. Spares lie among the store's temporaries, where nobody takes them for anything.
package final class WorkPool: Sendable {
  private let root: String
  private let files: FileSystem
  private let spares = Mutex<[String]>([])

  /// Stages that run at once come and go in step; more would only lie about.
  private static let most = 16

  init(root: String, files: FileSystem) {
    self.root = root
    self.files = files
  }

  /// Puts a directory aside if a stage left it as it found it, but for what is emptied easily; else removes it.
  func put(_ work: WorkDirectory) throws(StoreError) {
    guard spares.withLock({ $0.count < Self.most }), try isAsNew(work) else { return try files.remove(work.path) }
    let spare = "\(root)/incoming/work\(Store.temporarySuffix())"
    try files.rename(work.path, to: spare)
    spares.withLock { $0.append(spare) }
  }

  /// Puts a spare in the place of a work directory that is not there; false when there is none.
  func take(for work: WorkDirectory) -> Bool {
    while let spare = spares.withLock({ $0.popLast() }) {
      do throws(StoreError) {
        try files.rename(spare, to: work.path)
        return true
      } catch {
        // The collector was faster, or the disk is full: whoever asked makes his own, or hears of it there.
        try? files.remove(spare)
      }
    }
    return false
  }

  /// The run is over.
  package func clear() {
    for spare in spares.withLock({ spares in
      defer { spares = [] }
      return spares
    }) { try? files.remove(spare) }
  }

  private func isAsNew(_ work: WorkDirectory) throws(StoreError) -> Bool {
    guard let own = try files.status(work.path, followingLinks: false), own.kind == .directory, own.permissions == 0o755 else {
      return false
    }
    let names = try files.list(work.path) ?? []
    guard names.contains("out"), names.contains("checkpoint") else { return false }
    for name in names {
      let path = "\(work.path)/\(name)"
      guard let status = try files.status(path, followingLinks: false) else { return false }
      switch name {
      case "out", "checkpoint", "tmp":
        guard status.kind == .directory, status.permissions == 0o755, try files.list(path)?.isEmpty == true else { return false }
      case "log.txt", "stage.json":
        guard status.kind == .file, status.names == 1, status.permissions == 0o644, name == "stage.json" || status.size == 0 else {
          return false
        }
      case "events.jsonl": try files.remove(path)
      default: return false
      }
    }
    return true
  }
}

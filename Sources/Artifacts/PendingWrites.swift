/// What has to last before a result may speak of it: files with their bytes, and the directories that their names are in.
package struct PendingWrites: Sendable {
  private(set) var files: Set<String> = []
  private(set) var directories: Set<String> = []

  package init() {}

  mutating func add(file: String) { files.insert(file) }

  mutating func add(directory: String) { directories.insert(directory) }

  package mutating func add(_ other: PendingWrites) {
    files.formUnion(other.files)
    directories.formUnion(other.directories)
  }

  var isEmpty: Bool { files.isEmpty && directories.isEmpty }

  /// From so many on, one sync of the whole file system costs less than one of each.
  private static let many = 12

  /// Waits until all of it is on the disk.
  package func sync(_ system: FileSystem, root: String) throws(StoreError) {
    if files.count + directories.count >= Self.many { return try system.syncAll(root) }
    for file in files.sorted() { try system.syncFile(file) }
    for directory in directories.sorted() { try system.syncDirectory(directory) }
  }
}

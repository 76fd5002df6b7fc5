import Artifacts
import Glibc

/// Writes a recipe as one archive: a plain tar file, its document first. The same recipe is the same bytes.
package enum ArchiveExport {
  package enum Replacing: Sendable { case nothing, whatIsThere }

  /// The file appears whole or not at all.
  package static func write(
    _ package: RecipePackage, to path: String, _ replacing: Replacing = .nothing, files: FileSystem = .posix, meter: WorkMeter? = nil
  ) throws {
    if replacing == .nothing, try files.exists(path) { throw SharingError("is there already; --force replaces it", at: path) }
    meter?.begin("writing \(path)", bytes: package.size)
    let temporary = path + temporarySuffix()
    let descriptor = try files.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
    do {
      defer { closeFile(descriptor) }
      try write(package, descriptor, temporary, files, meter)
      try files.sync(descriptor, temporary)
      try files.rename(temporary, to: path)
    } catch {
      try? files.remove(temporary)
      throw error
    }
  }

  private static func write(
    _ package: RecipePackage, _ descriptor: Int32, _ path: String, _ files: FileSystem, _ meter: WorkMeter?
  ) throws {
    var writer = TarWriter(descriptor, path: path, files: files)
    let document = package.document.bytes
    try writer.begin(try EntryPath(RecipeDocument.name), size: document.count)
    try writer.write(document)
    for item in package.items {
      try writer.begin(item.entry.path, size: item.entry.size)
      try package.read(item, files) { piece in
        try writer.write(piece)
        meter?.add(bytes: piece.count)
      }
    }
    try writer.end()
  }

  /// What the store's collector, too, knows as unfinished.
  static func temporarySuffix() -> String { ".tmp-\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))" }
}

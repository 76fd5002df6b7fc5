import Artifacts
import Glibc
import Hashing
import JSONValues

/// Takes an exported recipe in: its files into a directory, its artifacts into a store. All of it is unpacked and checked beside the places
/// where it belongs before the first file is moved; what is refused leaves nothing.
package struct RecipeImport {
  package enum Existing: Sendable { case stay, replaced }

  package struct Outcome: Sendable, Equatable {
    package let document: RecipeDocument
    /// Of files of the recipe: written, and there already with the same bytes.
    package var files = 0
    package var unchanged = 0
    package var objects = 0
    package var results = 0
    /// Results of keys that some run was computing, or that had given something else here: they were left as they are.
    package var passedOver: [String] = []

    package init(document: RecipeDocument) { self.document = document }
  }

  private let container: RecipeContainer
  private let directory: String
  private let storePath: String
  private let existing: Existing
  private let files: FileSystem
  private let meter: WorkMeter?

  /// - Parameters:
  ///   - directory: where the recipe's files go, absolute; made where it is not there.
  ///   - storePath: where artifacts go; made only when there are some.
  package init(
    _ container: RecipeContainer, into directory: String, storePath: String, _ existing: Existing = .stay, files: FileSystem = .posix,
    meter: WorkMeter? = nil
  ) {
    self.container = container
    self.directory = directory
    self.storePath = storePath
    self.existing = existing
    self.files = files
    self.meter = meter
  }

  package func run() throws -> Outcome {
    // On the file system where the recipe will lie, so that moving is a rename.
    let staging = directory + ArchiveExport.temporarySuffix()
    let intake = StoreIntake(storePath, files)
    defer {
      try? files.remove(staging)
      intake.discard()
    }
    try files.makeDirectory(staging)
    let document = try container.unpack(files: files, meter: meter, begin: checkSpace) { entry in
      switch try RecipeDocument.place(of: entry.path) {
      case .recipe(let path): "\(staging)/\(path.text)"
      case .object, .result: try intake.path(for: entry)
      }
    }
    for empty in document.emptyDirectories { try files.makeDirectory("\(staging)/\(empty)") }
    try intake.check(document)
    try checkConflicts(document, staging)
    var outcome = Outcome(document: document)
    try intake.takeIn(document, &outcome)
    try move(document, staging, &outcome)
    return outcome
  }

  /// What cannot fit is refused before a byte is written.
  private func checkSpace(_ document: RecipeDocument) throws(SharingError) {
    var status = statvfs()
    guard let place = try? files.nearest(to: directory), statvfs(place, &status) == 0 else { return }
    let free = Int(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
    guard document.size <= free else {
      throw SharingError("it holds \(document.size) bytes, and the disk has \(free) free", .transfer)
    }
  }

  // MARK: - The recipe's files

  private func recipeFiles(_ document: RecipeDocument) -> [(path: String, entry: RecipeDocument.Entry)] {
    document.entries.compactMap { entry in
      guard case .recipe(let path)? = try? RecipeDocument.place(of: entry.path) else { return nil }
      return (path.text, entry)
    }
  }

  private func checkConflicts(_ document: RecipeDocument, _ staging: String) throws {
    guard let status = try files.status(directory) else { return }
    guard status.kind == .directory else { throw SharingError("is not a directory", at: directory) }
    var others: [String] = []
    for (path, entry) in recipeFiles(document) {
      try checkRoad(path)
      guard let there = try files.status("\(directory)/\(path)", followingLinks: false) else { continue }
      guard there.kind == .file else { throw SharingError("is there already, and no plain file", at: "\(directory)/\(path)") }
      if existing == .stay, try files.digest(ofFile: "\(directory)/\(path)").digest != entry.digest { others.append(path) }
    }
    if let first = others.first {
      let more = others.count > 1 ? " (and \(others.count - 1) more)" : ""
      throw SharingError("is there already with other bytes\(more); --force replaces it", at: "\(directory)/\(first)")
    }
  }

  /// No link stands on the way: it could lead anywhere.
  private func checkRoad(_ path: String) throws {
    var place = directory
    for component in path.split(separator: "/").dropLast() {
      place += "/\(component)"
      guard let status = try files.status(place, followingLinks: false) else { return }
      guard status.kind == .directory else { throw SharingError("is no directory, and the recipe has one there", at: place) }
    }
  }

  private func move(_ document: RecipeDocument, _ staging: String, _ outcome: inout Outcome) throws {
    let list = recipeFiles(document)
    let there = try files.list(directory)
    if there == nil || there?.isEmpty == true {
      try files.rename(staging, to: directory)
      outcome.files = list.count
      return
    }
    for (path, entry) in list {
      let target = "\(directory)/\(path)"
      if let known = try files.status(target, followingLinks: false), known.kind == .file,
        try files.digest(ofFile: target).digest == entry.digest
      {
        outcome.unchanged += 1
        continue
      }
      if let slash = target.lastIndex(of: "/") { try files.makeDirectory(String(target[..<slash])) }
      try files.rename("\(staging)/\(path)", to: target)
      outcome.files += 1
    }
    for empty in document.emptyDirectories { try files.makeDirectory("\(directory)/\(empty)") }
  }
}

extension FileSystem {
  /// The path itself, or the nearest directory above it that is there: what will be made lies on its file system.
  func nearest(to path: String) throws(StoreError) -> String {
    var place = path[...]
    while !(try exists(String(place))) {
      guard let slash = place.lastIndex(of: "/") else { return "." }
      if slash == place.startIndex { return "/" }
      place = place[..<slash]
    }
    return String(place)
  }
}

import Artifacts
import Glibc
import Hashing
import JSONValues

/// An exported recipe as somebody gave it: an archive, the directory that one unpacks to, or an OCI layout. Everything in it is foreign.
package enum RecipeContainer: Sendable, Equatable {
  case archive(String)
  case directory(String)
  case layout(String)

  /// What lies at a path; nil for a directory that holds no exported recipe.
  package static func at(_ path: String, files: FileSystem = .posix) throws -> RecipeContainer? {
    guard let status = try files.status(path) else { throw SharingError("no such file or directory", at: path) }
    switch status.kind {
    case .file: return .archive(path)
    case .directory:
      if try files.status("\(path)/\(LayoutExport.marker)", followingLinks: false)?.kind == .file { return .layout(path) }
      return try files.status("\(path)/\(RecipeDocument.name)", followingLinks: false)?.kind == .file ? .directory(path) : nil
    case .link, .special: throw SharingError("is neither a file nor a directory", at: path)
    }
  }

  package var path: String {
    switch self {
    case .archive(let path), .directory(let path), .layout(let path): path
    }
  }

  /// What it says of itself; nothing else is looked at.
  package func document(files: FileSystem = .posix) throws -> RecipeDocument {
    do {
      switch self {
      case .archive(let path): return try ArchiveUnpacking(path, files, nil).document()
      case .directory(let path): return try RecipeDocument(reading: OpenedFile(path, [RecipeDocument.name]).all(RecipeDocument.mostBytes))
      case .layout(let path): return try LayoutReading(path).document()
      }
    } catch let error as SharingError { throw located(error) }
  }

  private func located(_ error: SharingError) -> SharingError {
    SharingError(error.place.map { "\($0): \(error.message)" } ?? error.message, at: path, error.blame)
  }

  /// What is to be done with an entry: where its bytes go, nil to pass over them (they are checked all the same).
  package typealias Placing = (RecipeDocument.Entry) throws -> String?

  /// Reads everything, checks every byte, and writes what `placing` wants. Files that were written before it throws are the caller's to
  /// remove.
  package func unpack(
    files: FileSystem = .posix, meter: WorkMeter? = nil, begin: (RecipeDocument) throws -> Void = { _ in }, _ placing: Placing
  ) throws -> RecipeDocument {
    do {
      switch self {
      case .archive(let path): return try ArchiveUnpacking(path, files, meter).unpack(begin, placing)
      case .directory(let path):
        let document = try RecipeDocument(reading: OpenedFile(path, [RecipeDocument.name]).all(RecipeDocument.mostBytes))
        try begin(document)
        return try Self.unpack(document, in: path, files, meter, placing)
      case .layout(let path):
        let document = try LayoutReading(path).document()
        try begin(document)
        return try Self.unpack(document, path, files, meter, placing) { try OpenedFile(path, ["blobs", "sha256", $0.digest.hex]) }
      }
    } catch let error as SharingError { throw located(error) }
  }

  /// What a document lists, from the directory it lies in.
  static func unpack(
    _ document: RecipeDocument, in directory: String, _ files: FileSystem, _ meter: WorkMeter?, _ placing: Placing
  ) throws -> RecipeDocument {
    try unpack(document, directory, files, meter, placing) { entry in
      try OpenedFile(directory, entry.path.text.split(separator: "/").map(String.init))
    }
  }

  private static func unpack(
    _ document: RecipeDocument, _ path: String, _ files: FileSystem, _ meter: WorkMeter?, _ placing: Placing,
    _ open: (RecipeDocument.Entry) throws -> OpenedFile
  ) throws -> RecipeDocument {
    meter?.begin("reading \(path)", bytes: document.size)
    for entry in document.entries {
      let file = try open(entry)
      guard file.size == entry.size else {
        throw SharingError("has \(file.size) bytes, and \(entry.size) were declared", at: entry.path.text)
      }
      var sink = try EntrySink(entry, try placing(entry), files)
      try sink.fill(meter) { count in try file.read(count) }
    }
    return document
  }
}

/// Reads a tar file entry by entry.
private struct ArchiveUnpacking {
  private let path: String
  private let files: FileSystem
  private let meter: WorkMeter?

  init(_ path: String, _ files: FileSystem, _ meter: WorkMeter?) {
    self.path = path
    self.files = files
    self.meter = meter
  }

  func document() throws -> RecipeDocument {
    let descriptor = try files.open(path, O_RDONLY | O_NONBLOCK)
    defer { closeFile(descriptor) }
    var reader = try self.reader(descriptor)
    return try document(&reader)
  }

  private func reader(_ descriptor: Int32) throws(SharingError) -> TarReader {
    guard let status = FileStatus.of(descriptor: descriptor), status.kind == .file else { throw SharingError("is not a file") }
    return TarReader(bytes: status.size, bytes(of: descriptor))
  }

  func unpack(_ begin: (RecipeDocument) throws -> Void, _ placing: RecipeContainer.Placing) throws -> RecipeDocument {
    let descriptor = try files.open(path, O_RDONLY | O_NONBLOCK)
    defer { closeFile(descriptor) }
    var reader = try self.reader(descriptor)
    let document = try self.document(&reader)
    try begin(document)
    meter?.begin("reading \(path)", bytes: document.size)
    var expected = Dictionary(document.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    while let found = try reader.next() {
      guard let entry = expected.removeValue(forKey: found.path) else {
        throw SharingError("is not listed in \(RecipeDocument.name)", at: found.path.text)
      }
      guard entry.size == found.size else {
        throw SharingError("has \(found.size) bytes, and \(entry.size) were declared", at: found.path.text)
      }
      var sink = try EntrySink(entry, try placing(entry), files)
      try sink.fill(meter) { (count) throws(SharingError) in try reader.read(count) }
    }
    if let missing = expected.keys.min() { throw SharingError("is listed and not there", at: missing.text) }
    return document
  }

  private func document(_ reader: inout TarReader) throws -> RecipeDocument {
    guard let first = try reader.next(), first.path.text == RecipeDocument.name else {
      throw SharingError("this is not an exported recipe: its first file is not \(RecipeDocument.name)")
    }
    guard first.size <= RecipeDocument.mostBytes else {
      throw SharingError("has \(first.size) bytes, more than is read", at: first.path.text)
    }
    var text: [UInt8] = []
    while text.count < first.size { text += try reader.read(first.size - text.count) }
    return try RecipeDocument(reading: text)
  }
}

/// Takes the bytes of one entry, writes them where wanted, and sees that they are what was declared.
private struct EntrySink {
  private let entry: RecipeDocument.Entry
  private let path: String?
  private let files: FileSystem

  init(_ entry: RecipeDocument.Entry, _ path: String?, _ files: FileSystem) throws {
    self.entry = entry
    self.path = path
    self.files = files
  }

  private static let pieceBytes = 1 << 20

  mutating func fill(_ meter: WorkMeter?, _ read: (Int) throws -> [UInt8]) throws {
    var descriptor: Int32?
    if let path {
      if let slash = path.lastIndex(of: "/") { try files.makeDirectory(String(path[..<slash])) }
      descriptor = try files.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: entry.isExecutable ? 0o755 : 0o644)
    }
    defer { if let descriptor { closeFile(descriptor) } }
    var hasher = DigestHasher()
    var left = entry.size
    while left > 0 {
      let piece = try read(min(left, Self.pieceBytes))
      guard !piece.isEmpty else { throw SharingError("ends before its size", at: entry.path.text) }
      hasher.update(piece)
      left -= piece.count
      if let descriptor, let path { try files.write(piece, descriptor, path) }
      meter?.add(bytes: piece.count)
    }
    let found = hasher.finish()
    guard found == entry.digest else {
      throw SharingError("has the digest \(found), and \(entry.digest) was declared", at: entry.path.text)
    }
  }
}

import Glibc
import Hashing
import Synchronization

/// Why a source cannot be an input, in words that begin after its name.
package struct SourceProblem: Error, Sendable, Equatable {
  package let message: String
}

/// What a source file or directory holds, and how every file of it looked when it was read.
package struct SourceContent: Sendable, Equatable {
  package let digest: Digest
  /// Bytes.
  package let size: Int
  package let isDirectory: Bool
  /// Absolute paths, links followed.
  package let files: [String: FileStatus]
}

/// Digests of source files, remembered by path, size, times and inode, so that an unchanged file costs one look.
///
/// A digest is remembered only if the file's times lie well before the moment of reading: a file changed within the clock's grain
/// after it was read would look the same (git's "racily clean" entries). What is forgotten is only read again.
package final class SourceHasher: Sendable {
  private struct Memory {
    var isLoaded = false
    var isChanged = false
    var digests: [String: (status: FileStatus.Mark, digest: Digest)] = [:]
  }

  /// Coarser than any file system's clock.
  private static let grainNanoseconds = 2_000_000_000
  private static let maximumDepth = 64
  /// Links can make a tree of a few directories endless.
  private static let mostEntries = 1 << 21

  private let path: String
  private let files: FileSystem
  private let now: @Sendable () -> Int
  private let memory = Mutex(Memory())
  /// How many files were read, not remembered: for tests.
  package let filesRead = Atomic<Int>(0)
  /// Told of every byte that is read.
  package let meter = WorkMeter("reading sources")

  package init(path: String, files: FileSystem = .posix, now: @escaping @Sendable () -> Int = wallClock) {
    self.path = path
    self.files = files
    self.now = now
  }

  /// The content of a source; links are followed, for model directories are often made of them.
  package func content(of source: String) throws -> SourceContent {
    guard let status = try look(source) else { throw SourceProblem(message: "no such file or directory") }
    var seen: [String: FileStatus] = [:]
    switch status.kind {
    case .file:
      begin([(source, status)], of: source)
      let digest = try digest(source, &seen)
      return SourceContent(digest: digest, size: status.size, isDirectory: false, files: seen)
    case .directory:
      var found: [Found] = []
      var empty: [String] = []
      try walk(source, "", [status.place], &found, &empty)
      begin(found.map { ("\(source)/\($0.path)", $0.status) }, of: source)
      var entries: [TreeListing.File] = []
      for file in found {
        let path = "\(source)/\(file.path)"
        let digest = try digest(path, &seen)
        entries.append(TreeListing.File(path: file.path, digest: digest, size: seen[path]?.size ?? file.status.size))
      }
      let listing = TreeListing(files: entries, emptyDirectories: empty)
      return SourceContent(digest: Digest(hashing: listing.bytes), size: listing.size, isDirectory: true, files: seen)
    case .link, .special: throw SourceProblem(message: "is neither a file nor a directory")
    }
  }

  /// The first file that no longer looks as it did; nil when all do.
  package func changedFile(since content: SourceContent) -> String? {
    content.files.sorted { $0.key < $1.key }.first { path, status in (try? files.status(path)) != status }?.key
  }

  private func look(_ path: String) throws -> FileStatus? {
    do { return try files.status(path) } catch { throw SourceProblem(message: error.message) }
  }

  /// A file below a source, by its relative path, before it is read.
  private struct Found {
    let path: String
    let status: FileStatus
  }

  /// What is not remembered will be read: so it is known how much that is.
  private func begin(_ found: [(path: String, status: FileStatus)], of source: String) {
    let bytes = memory.withLock { memory in
      load(&memory)
      return found.reduce(0) { memory.digests[$1.path]?.status == FileStatus.Mark($1.status) ? $0 : $0 + $1.status.size }
    }
    if bytes > 0 { meter.begin("hashing \(source.split(separator: "/").suffix(2).joined(separator: "/"))", bytes: bytes) }
  }

  private func walk(
    _ root: String, _ directory: String, _ above: [FileStatus.Place], _ entries: inout [Found], _ empty: inout [String]
  ) throws {
    guard above.count <= Self.maximumDepth else { throw SourceProblem(message: "is nested deeper than \(Self.maximumDepth) directories") }
    let names: [String]
    do { names = try files.list(directory.isEmpty ? root : "\(root)/\(directory)") ?? [] } catch {
      throw SourceProblem(message: error.description)
    }
    if names.isEmpty && !directory.isEmpty { empty.append(directory) }
    for name in names {
      let relative = directory.isEmpty ? name : "\(directory)/\(name)"
      let path = "\(root)/\(relative)"
      guard name.isPrintable else { throw SourceProblem(message: "holds a name with a control character: \(Store.fileName(relative))") }
      guard entries.count + empty.count < Self.mostEntries else {
        throw SourceProblem(message: "holds more than \(Self.mostEntries) files")
      }
      guard let status = try look(path) else { throw SourceProblem(message: "holds a link to nothing: \(relative)") }
      switch status.kind {
      case .file: entries.append(Found(path: relative, status: status))
      case .directory:
        guard !above.contains(status.place) else { throw SourceProblem(message: "holds a link to a directory that it is in: \(relative)") }
        try walk(root, relative, above + [status.place], &entries, &empty)
      case .link, .special: throw SourceProblem(message: "holds what is neither a file nor a directory: \(relative)")
      }
    }
  }

  // MARK: - One file

  private func digest(_ path: String, _ seen: inout [String: FileStatus]) throws -> Digest {
    let start = now()
    guard let status = try look(path) else { throw SourceProblem(message: "no such file: \(path)") }
    seen[path] = status
    let mark = FileStatus.Mark(status)
    let known = memory.withLock { memory in
      load(&memory)
      return memory.digests[path]
    }
    if let known, known.status == mark { return known.digest }
    filesRead.add(1, ordering: .relaxed)
    let digest: Digest
    do throws(FileHashingError) {
      digest = try files.digest(ofFile: path) { self.meter.add(bytes: $0) }.digest
    } catch { throw SourceProblem(message: error.description) }
    guard try look(path) == status else { throw SourceProblem(message: "changed while it was read: \(path)") }
    if max(status.modified, status.changed) + Self.grainNanoseconds <= start {
      memory.withLock { memory in
        memory.digests[path] = (mark, digest)
        memory.isChanged = true
      }
    }
    return digest
  }

  // MARK: - Remembering

  /// A line is `size modified changed inode digest path`, tabs between; a path with a line break is not remembered.
  private func load(_ memory: inout Memory) {
    if memory.isLoaded { return }
    memory.isLoaded = true
    guard let bytes = try? files.read(path) else { return }
    for line in bytes.split(separator: 0x0A) {
      let fields = line.split(separator: 9, maxSplits: 5, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 6, let size = Int(fields[0]), let modified = Int(fields[1]), let changed = Int(fields[2]),
        let inode = UInt64(fields[3]), let digest = Digest(fields[4])
      else { continue }
      memory.digests[fields[5]] = (FileStatus.Mark(size: size, modified: modified, changed: changed, inode: inode), digest)
    }
  }

  /// Keeps what was learned for the next run. It is only ever a saving, so a failure is none.
  package func save() {
    memory.withLock { memory in
      guard memory.isChanged else { return }
      memory.isChanged = false
      var text = ""
      for (path, entry) in memory.digests.sorted(by: { $0.key < $1.key }) where !path.utf8.contains(0x0A) {
        let mark = entry.status
        text += "\(mark.size)\t\(mark.modified)\t\(mark.changed)\t\(mark.inode)\t\(entry.digest.hex)\t\(path)\n"
      }
      let temporary = path + Store.temporarySuffix()
      do throws(StoreError) {
        try files.write(Array(text.utf8), to: temporary)
        try files.rename(temporary, to: path)
      } catch { try? files.remove(temporary) }
    }
  }
}

extension FileStatus {
  /// What of a file's status tells that its bytes are the same.
  struct Mark: Equatable {
    let size: Int
    let modified: Int
    let changed: Int
    let inode: UInt64
  }
}

extension FileStatus.Mark {
  init(_ status: FileStatus) { self.init(size: status.size, modified: status.modified, changed: status.changed, inode: status.inode) }
}

import Glibc

/// The file system as planning sees it: read-only, and a value, so that tests bring their own.
package struct ProjectFiles: Sendable {
  package enum Kind: Sendable, Equatable { case file, directory, other }

  /// The bytes of a file, or what the system says against it. At most `limit` bytes and one more are read.
  package let read: @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], ReadFailure>
  /// What stands at a path, links followed; nil when nothing does.
  package let kind: @Sendable (_ path: String) -> Kind?
  /// The names in a directory, in byte order.
  package let list: @Sendable (_ path: String) -> [String]

  package struct ReadFailure: Error {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
  }

  package init(
    read: @escaping @Sendable (String, Int) -> Result<[UInt8], ReadFailure>, kind: @escaping @Sendable (String) -> Kind?,
    list: @escaping @Sendable (String) -> [String]
  ) {
    self.read = read
    self.kind = kind
    self.list = list
  }

  /// The machine's own.
  package static let disk = ProjectFiles(read: readFile, kind: statKind, list: listDirectory)

  /// Files that exist only here, by absolute path; directories are the prefixes of their paths.
  package static func inMemory(_ texts: [String: String]) -> ProjectFiles {
    ProjectFiles(
      read: { path, limit in
        guard let text = texts[path] else { return .failure(ReadFailure("No such file or directory")) }
        return .success(Array(text.utf8.prefix(limit + 1)))
      },
      kind: { path in
        if texts[path] != nil { return .file }
        return texts.keys.contains { $0.hasPrefix(path + "/") } ? .directory : nil
      },
      list: { path in
        let below = texts.keys.filter { $0.hasPrefix(path + "/") }.map { $0.dropFirst(path.utf8.count + 1) }
        return Set(below.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
      })
  }
}

private func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

@Sendable private func readFile(_ path: String, _ limit: Int) -> Result<[UInt8], ProjectFiles.ReadFailure> {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return .failure(.init(reason(errno))) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { return .failure(.init(reason(errno))) }
  let expected = status.st_mode & S_IFMT == S_IFREG ? min(Int(status.st_size), limit) + 1 : min(limit + 1, 1 << 16)
  var bytes: [UInt8] = []
  while bytes.count <= limit {
    let room = max(1, min(limit + 1 - bytes.count, max(expected - bytes.count, 4096)))
    var count = 0
    let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
      count = Glibc.read(descriptor, buffer.baseAddress, room)
      used = max(count, 0)
    }
    if count < 0 {
      if errno == EINTR { continue }
      return .failure(.init(reason(errno)))
    }
    if count == 0 { break }
    bytes += piece
  }
  return .success(bytes)
}

@Sendable private func statKind(_ path: String) -> ProjectFiles.Kind? {
  var status = stat()
  guard stat(path, &status) == 0 else { return nil }
  return switch status.st_mode & S_IFMT {
  case S_IFREG: .file
  case S_IFDIR: .directory
  default: .other
  }
}

@Sendable private func listDirectory(_ path: String) -> [String] {
  guard let directory = opendir(path) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

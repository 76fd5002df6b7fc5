import Artifacts
import Glibc
import Synchronization

/// The files of a remote on another machine, by sftp through the system's `ssh`: its configuration, agent, known hosts and jump hosts are
/// the user's own, and no password is ever asked for. One connection carries everything; one that broke is made anew by the next call.
package final class SSHFiles: RemoteFiles {
  package let address: String
  private let words: [String]
  private let root: String
  private let environment: [String: String]
  private let limitSeconds: Double
  private let state = Mutex<State>(State())

  private struct State {
    var connection: SFTPConnection?
    /// Of directories that are known to be there.
    var made: Set<String> = []
  }

  /// Bytes in a request, and requests on their way at once for one file. Every server takes 32 KiB; OpenSSH's gives and takes 255.
  static let smallPiece = 32 << 10
  static let largePiece = 255 << 10
  static let window = 4 << 20

  /// - Parameter address: `ssh://[user@]host[:port]/path`; `/~/path` is below the home directory.
  /// - Parameter environment: the caller's; `HEIRLOOM_SSH` there is what is started in the place of `ssh`, with options (`ssh -F file`).
  package init(_ address: String, environment: [String: String], limitSeconds: Double = 60) throws(RemoteError) {
    self.address = address
    self.environment = environment
    self.limitSeconds = limitSeconds
    let rest = address.dropFirst(RemoteAddress.Kind.ssh.rawValue.count)
    guard let slash = rest.firstIndex(of: "/"), rest.index(after: slash) < rest.endIndex else {
      throw RemoteError(.usage, "'\(address)' has no path: ssh://[user@]host[:port]/path")
    }
    let path = rest[slash...]
    root = path.hasPrefix("/~/") ? String(path.dropFirst(3)) : String(path)
    var words = (environment["HEIRLOOM_SSH"] ?? "ssh").split(separator: " ").map(String.init)
    words += Self.options
    words += try Self.destination(rest[..<slash], address)
    self.words = words + ["sftp"]
  }

  /// `-l user -p port -- host`: nothing in an address can be taken for an option.
  private static func destination(_ authority: Substring, _ address: String) throws(RemoteError) -> [String] {
    var words: [String] = []
    var host = authority
    if let at = host.lastIndex(of: "@") {
      words += ["-l", try plain(host[..<at], "user", address)]
      host = host[host.index(after: at)...]
    }
    if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
      guard let port = UInt16(host[host.index(after: colon)...]), port > 0 else {
        throw RemoteError(.usage, "'\(address)' has no such port")
      }
      words += ["-p", String(port)]
      host = host[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return words + ["--", try plain(host, "host", address)]
  }

  private static func plain(_ word: Substring, _ what: String, _ address: String) throws(RemoteError) -> String {
    guard !word.isEmpty, !word.hasPrefix("-") else { throw RemoteError(.usage, "'\(address)' has no \(what)") }
    return String(word)
  }

  private static let options = [
    "-oBatchMode=yes", "-oConnectTimeout=30", "-oServerAliveInterval=15", "-oServerAliveCountMax=4", "-oForwardX11=no", "-T", "-s",
  ]

  // MARK: - Connection

  func connection() throws -> SFTPConnection {
    try state.withLock { state in
      if let connection = state.connection, !connection.isOver { return connection }
      let connection = try SFTPConnection(address, words: words, environment: environment, limitSeconds: limitSeconds)
      state.connection = connection
      state.made = []
      return connection
    }
  }

  package func close() async {
    let connection = state.withLock { state in
      defer { state.connection = nil }
      return state.connection
    }
    connection?.end()
  }

  func whole(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  func pieceBytes(_ connection: SFTPConnection) -> Int {
    connection.extensions.contains("limits@openssh.com") ? Self.largePiece : Self.smallPiece
  }

  func failure(_ answer: SFTPAnswer, _ path: String) -> RemoteError {
    guard case .status(let code, let message) = answer else {
      return RemoteError(.lasting, "\(address): \(path): an answer to something else")
    }
    let text = "\(address): \(path): \(message.printable(most: 200))"
    switch code {
    case SFTPAnswer.noSuchFile: return RemoteError(.absent, text)
    case SFTPAnswer.permissionDenied: return RemoteError(.lasting, text + " (is it mounted read-only, or another user's?)")
    default: return RemoteError(.lasting, text)
    }
  }

  /// A request that is answered with a status.
  func demand(_ kind: SFTPPacket.Kind, _ path: String, _ fill: (inout SFTPPacket) -> Void) throws {
    let connection = try connection()
    let answer = try connection.answer(connection.ask(kind, fill))
    guard case .status(SFTPAnswer.ok, _) = answer else { throw failure(answer, path) }
  }

  func handle(_ path: String, _ flags: UInt32, _ connection: SFTPConnection) throws -> [UInt8] {
    let number = try connection.ask(.open) {
      $0.append(whole(path))
      $0.append(flags)
      $0.append(UInt32(0))
    }
    let answer = try connection.answer(number)
    guard case .handle(let handle) = answer else { throw failure(answer, path) }
    return Array(handle)
  }

  // MARK: - Looking

  package func sizes(_ paths: [String]) async throws -> [Int?] {
    let connection = try connection()
    let numbers = try paths.map { path in try connection.ask(.status) { $0.append(whole(path)) } }
    return try zip(paths, numbers).map { path, number in
      switch try connection.answer(number) {
      case .attributes(let size, let permissions): return permissions.map { $0 & 0o170000 == 0o100000 } ?? true ? size : nil
      case .status(SFTPAnswer.noSuchFile, _): return nil
      case let other: throw failure(other, path)
      }
    }
  }

  package func list(_ path: String) async throws -> [String]? {
    let connection = try connection()
    let opened = try connection.answer(connection.ask(.openDirectory) { $0.append(whole(path)) })
    if case .status(SFTPAnswer.noSuchFile, _) = opened { return nil }
    guard case .handle(let handle) = opened else { throw failure(opened, path) }
    defer { _ = try? connection.answer(connection.ask(.close) { $0.append(handle) }) }
    var names: [String] = []
    while true {
      switch try connection.answer(connection.ask(.readDirectory) { $0.append(handle) }) {
      case .names(let more):
        names += more.filter { $0 != "." && $0 != ".." }
        guard !more.isEmpty, names.count <= 1_000_000 else { throw RemoteError(.lasting, "\(address): \(path): too long a directory") }
      case .status(SFTPAnswer.endOfFile, _): return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      case let other: throw failure(other, path)
      }
    }
  }

  package func prepare(_ use: RemoteUse) async throws {
    let entries = try await list("")
    if let entries, entries.contains(FileTreeRemote.mark) {
      var text: [UInt8] = []
      try await read(FileTreeRemote.mark, from: 0) { if text.count < 1024 { text.append(contentsOf: $0) } }
      guard text == Array(FileTreeRemote.markText.utf8) else {
        throw RemoteError(.lasting, "\(address) was written by another version of Heirloom")
      }
    } else if let entries {
      guard entries.allSatisfy({ $0 == "lost+found" || $0 == "incoming" }) else { throw FileTreeRemote.isNone(address) }
    } else if use == .reading {
      throw RemoteError(.lasting, "\(address): there is no such directory")
    } else {
      try make("")
    }
    if use == .writing { try makeDirectories("incoming") }
  }

  // MARK: - Reading

  package func read(_ path: String, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    let connection = try connection()
    let handle = try handle(path, SFTPPacket.forReading, connection)
    defer { _ = try? connection.answer(connection.ask(.close) { $0.append(handle) }) }
    var reading = SFTPReading(handle: handle, offset: offset, piece: pieceBytes(connection), connection: connection)
    defer { reading.abandon() }
    while let bytes = try reading.next({ failure($0, path) }) { try bytes.withUnsafeBytes(sink) }
  }

  // MARK: - Changing

  package func open(_ path: String) async throws -> any RemoteFileWriter {
    try makeDirectories(path.split(separator: "/").dropLast().joined(separator: "/"))
    let connection = try connection()
    do {
      return SFTPFileWriter(self, connection, path, try handle(path, SFTPPacket.forReadingAndWriting, connection))
    } catch let error as RemoteError where error.kind == .lasting {
      // A part that is whole already may be read-only: somebody did not come to rename it.
      try demand(.setStatus, path) {
        $0.append(whole(path))
        $0.append(SFTPPacket.permissionsFlag)
        $0.append(UInt32(0o644))
      }
      return SFTPFileWriter(self, connection, path, try handle(path, SFTPPacket.forReadingAndWriting, connection))
    }
  }

  package func rename(_ path: String, to target: String) async throws {
    try makeDirectories(target.split(separator: "/").dropLast().joined(separator: "/"))
    guard try connection().extensions.contains(Self.posixRename) else {
      // Version 3 alone renames to free names only.
      try? await remove(target)
      return try demand(.rename, target) {
        $0.append(whole(path))
        $0.append(whole(target))
      }
    }
    try demand(.extended, target) {
      $0.append(Self.posixRename)
      $0.append(whole(path))
      $0.append(whole(target))
    }
  }

  static let posixRename = "posix-rename@openssh.com"

  package func remove(_ path: String) async throws { try demand(.remove, path) { $0.append(whole(path)) } }

  private func makeDirectories(_ path: String) throws {
    if path.isEmpty || state.withLock({ $0.made.contains(path) }) { return }
    try makeDirectories(path.split(separator: "/").dropLast().joined(separator: "/"))
    try make(path)
    state.withLock { _ = $0.made.insert(path) }
  }

  /// One that is there already will do.
  private func make(_ path: String) throws {
    let connection = try connection()
    let made = try connection.answer(
      connection.ask(.makeDirectory) {
        $0.append(whole(path))
        $0.append(UInt32(0))
      })
    if case .status(SFTPAnswer.ok, _) = made { return }
    let found = try connection.answer(connection.ask(.status) { $0.append(whole(path)) })
    if case .attributes(_, let permissions) = found, permissions.map({ $0 & 0o170000 == 0o040000 }) ?? true { return }
    throw failure(made, path.isEmpty ? "the directory itself" : path)
  }
}

/// Requests of one file's bytes in order, many on their way at once.
struct SFTPReading {
  private let handle: [UInt8]
  private let piece: Int
  private let connection: SFTPConnection
  private var asked: [(number: UInt32, offset: Int, count: Int)] = []
  private var offset: Int
  private var isAtEnd = false

  init(handle: [UInt8], offset: Int, piece: Int, connection: SFTPConnection) {
    self.handle = handle
    self.offset = offset
    self.piece = piece
    self.connection = connection
  }

  /// The next bytes; nil at the end of the file.
  mutating func next(_ failure: (SFTPAnswer) -> RemoteError) throws -> ArraySlice<UInt8>? {
    while !isAtEnd, asked.count * piece < SSHFiles.window { try ask(offset, piece, at: asked.count) }
    guard !asked.isEmpty else { return nil }
    let (number, place, count) = asked.removeFirst()
    switch try connection.answer(number) {
    case .data(let bytes):
      guard (1...count).contains(bytes.count) else { throw RemoteError(.lasting, "the sftp server gave bytes that nobody asked for") }
      // Fewer than asked for: the rest is asked for next, before what follows it.
      if bytes.count < count { try ask(place + bytes.count, count - bytes.count, at: 0) }
      return bytes
    case .status(SFTPAnswer.endOfFile, _):
      isAtEnd = true
      abandon()
      return nil
    case let other: throw failure(other)
    }
  }

  private mutating func ask(_ offset: Int, _ count: Int, at place: Int) throws {
    let number = try connection.ask(.read) {
      $0.append(handle)
      $0.append(UInt64(offset))
      $0.append(UInt32(count))
    }
    asked.insert((number, offset, count), at: place)
    self.offset = max(self.offset, offset + count)
  }

  /// Answers to what is still on its way are taken and thrown away.
  mutating func abandon() {
    for (number, _, _) in asked { _ = try? connection.answer(number) }
    asked = []
  }
}

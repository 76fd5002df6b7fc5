import Artifacts
import Glibc
import NIOHTTP1
import Remotes
import Synchronization
import Testing

/// An HTTP server that answers as a test wants it to, also as no server should: on sockets and threads of its own, byte by byte. It knows
/// nothing of what is asked.
final class ScriptedServer: Sendable {
  struct Request: Sendable {
    let method: String
    /// Path and query as they came.
    let target: String
    let headers: [String: String]
    var body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }
    func parameter(_ name: String) -> String? {
      let query = target.drop { $0 != "?" }.dropFirst()
      return query.split(separator: "&").first { $0.hasPrefix("\(name)=") }.flatMap { WebURL.decoded($0.dropFirst(name.count + 1)) }
    }
  }

  enum Answer: Sendable {
    /// With the length that the body has.
    case plain(Int, [String: String], [UInt8])
    /// These bytes, and the connection is closed.
    case raw([UInt8])
    /// These bytes, and then the others as long as anybody listens.
    case endless([UInt8], [UInt8])
    /// Nothing, and the connection stays open until the other side closes it.
    case silence

    static func json(_ status: Int, _ text: String, _ headers: [String: String] = [:]) -> Answer {
      .plain(status, headers.merging(["content-type": "application/json"]) { own, _ in own }, Array(text.utf8))
    }
  }

  let port: Int
  private let listener: Int32
  private let answer: @Sendable (Request) -> Answer
  /// How much of a body is read before the connection is cut; nil for all of it.
  private let cut: @Sendable (Request) -> Int?
  private let seen = Mutex<[Request]>([])
  private let connections = Mutex<Set<Int32>>([])

  init(cut: @escaping @Sendable (Request) -> Int? = { _ in nil }, _ answer: @escaping @Sendable (Request) -> Answer) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let code = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 64) == 0 ? getsockname(listener, address, &length) : -1
      }
    }
    guard code == 0 else { throw StoreError("no socket", code: errno) }
    port = Int(UInt16(bigEndian: place.sin_port))
    self.answer = answer
    self.cut = cut
    startThread { [self] in accept() }
  }

  /// Everything asked so far.
  var requests: [Request] { seen.withLock { $0 } }
  var address: String { "127.0.0.1:\(port)" }

  func stop() {
    // Closed by the thread that accepts: else another server could be given the number while that thread still takes it for its own.
    shutdown(listener, Int32(SHUT_RDWR))
    connections.withLock { open in for connection in open { shutdown(connection, Int32(SHUT_RDWR)) } }
  }

  private func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else {
        close(listener)
        return
      }
      connections.withLock { _ = $0.insert(connection) }
      startThread { [self] in
        serve(connection)
        connections.withLock { _ = $0.remove(connection) }
        close(connection)
      }
    }
  }

  private func serve(_ connection: Int32) {
    var rest: [UInt8] = []
    while let request = read(connection, &rest) {
      seen.withLock { $0.append(request) }
      if cut(request) != nil {
        // What came is known, and nothing is said.
        _ = answer(request)
        return
      }
      switch answer(request) {
      case .plain(let status, let headers, let body):
        guard write(connection, Self.head(status, headers, body.count)), request.method == "HEAD" || write(connection, body) else { return }
      case .raw(let bytes):
        _ = write(connection, bytes)
        return
      case .endless(let first, let more):
        guard write(connection, first) else { return }
        while write(connection, more) {}
        return
      case .silence:
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
        return
      }
    }
  }

  static func head(_ status: Int, _ headers: [String: String], _ count: Int?) -> [UInt8] {
    var text = "HTTP/1.1 \(status) Scripted\r\n"
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
    if let count, headers["content-length"] == nil { text += "content-length: \(count)\r\n" }
    return Array((text + "\r\n").utf8)
  }

  private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  // MARK: - Reading

  private func read(_ connection: Int32, _ rest: inout [UInt8]) -> Request? {
    guard let head = take(connection, &rest, until: Array("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    var request = Request(method: String(words[0]), target: String(words[1]), headers: headers, body: [])
    let limit = cut(request)
    if headers["transfer-encoding"] == "chunked" {
      guard let body = chunks(connection, &rest) else { return nil }
      request.body = body
      return request
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let wanted = min(length, limit ?? length)
    while rest.count < wanted, fill(connection, &rest) {}
    guard rest.count >= wanted else { return nil }
    request.body = Array(rest.prefix(wanted))
    rest = Array(rest.dropFirst(wanted))
    return request
  }

  private func chunks(_ connection: Int32, _ rest: inout [UInt8]) -> [UInt8]? {
    var body: [UInt8] = []
    while let line = take(connection, &rest, until: Array("\r\n".utf8)), let size = Int(String(decoding: line, as: UTF8.self), radix: 16) {
      while rest.count < size + 2, fill(connection, &rest) {}
      guard rest.count >= size + 2 else { return nil }
      body += rest.prefix(size)
      rest = Array(rest.dropFirst(size + 2))
      if size == 0 { return body }
    }
    return nil
  }

  private func take(_ connection: Int32, _ rest: inout [UInt8], until end: [UInt8]) -> [UInt8]? {
    while true {
      if let place = rest.firstRange(of: end) {
        defer { rest = Array(rest[place.upperBound...]) }
        return Array(rest[..<place.lowerBound])
      }
      guard rest.count < 1 << 20, fill(connection, &rest) else { return nil }
    }
  }

  private func fill(_ connection: Int32, _ rest: inout [UInt8]) -> Bool {
    var piece = [UInt8](repeating: 0, count: 65536)
    let count = recv(connection, &piece, piece.count, 0)
    guard count > 0 else { return false }
    rest += piece[..<count]
    return true
  }
}

extension ScriptedServer.Answer: CustomTestStringConvertible {
  var testDescription: String {
    switch self {
    case .plain(let status, let headers, let body): "\(status) \(headers) \(body.count) bytes"
    case .raw(let bytes): "'\(String(decoding: bytes.prefix(60), as: UTF8.self))'"
    case .endless: "something without end"
    case .silence: "nothing"
    }
  }
}

/// Runs what blocks on threads that are there for it.
func onThreads<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
  let threads = RemoteThreads(6)
  defer { threads.finish() }
  return try await Task(executorPreference: threads) { try await body() }.value
}

/// The error that comes of it, as the user would read it.
func failure(_ body: @escaping @Sendable () async throws -> Void) async throws -> RemoteError? {
  try await onThreads {
    do { try await body() } catch let error as RemoteError { return error }
    return nil
  }
}

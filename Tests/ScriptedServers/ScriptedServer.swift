import Foundation

/// An HTTP server that answers as a test says, also as no server should: on plain sockets and threads of its own, byte by byte. It knows
/// nothing of what is asked.
package final class ScriptedServer: @unchecked Sendable {
  package struct Request: Sendable {
    package let method: String
    /// Path and query as they came.
    package let target: String
    package let headers: [String: String]
    package fileprivate(set) var body: [UInt8]

    package var path: String { String(target.prefix { $0 != "?" }) }
    package var text: String { String(decoding: body, as: UTF8.self) }

    package func parameter(_ name: String) -> String? {
      let query = target.drop { $0 != "?" }.dropFirst()
      return query.split(separator: "&").first { $0.hasPrefix("\(name)=") }?.dropFirst(name.count + 1).removingPercentEncoding
    }
  }

  package enum Answer: Sendable {
    /// With the length that the body has.
    case plain(Int, [String: String], [UInt8])
    /// These bytes, and the connection is closed.
    case raw([UInt8])
    /// These bytes, and then the others as long as anybody listens.
    case endless([UInt8], [UInt8])
    /// Nothing, and the connection stays open until the other side closes it.
    case silence

    /// The connection is closed without a word.
    package static let hangUp = Answer.raw([])

    package static func json(_ text: String) -> Answer { .json(200, text) }

    package static func json(_ status: Int, _ text: String, _ headers: [String: String] = [:]) -> Answer {
      .plain(status, headers.merging(["content-type": "application/json"]) { own, _ in own }, Array(text.utf8))
    }
  }

  package let port: Int
  private let listener: Int32
  private let answer: @Sendable (Request, Int) -> Answer
  /// How much of a body is read before the connection is cut; nil for all of it.
  private let cut: @Sendable (Request) -> Int?
  private let lock = NSLock()
  private var heard: [Request] = []
  private var connections: Set<Int32> = []
  private var isStopped = false

  /// - Parameter answer: to a request, by how many came before it.
  package init(
    port: Int = 0, cut: @escaping @Sendable (Request) -> Int? = { _ in nil }, _ answer: @escaping @Sendable (Request, Int) -> Answer
  ) throws {
    self.answer = answer
    self.cut = cut
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(port).bigEndian
    place.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let code = withUnsafeMutablePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, size) == 0 && listen(listener, 128) == 0 ? getsockname(listener, address, &size) : -1
      }
    }
    guard code == 0 else { throw POSIXError(.EADDRINUSE) }
    self.port = Int(UInt16(bigEndian: place.sin_port))
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let self else {
          if connection >= 0 { close(connection) }
          // Closed here alone: elsewhere its number could be another socket's before this thread has seen it.
          close(listener)
          return
        }
        self.begin(connection)
      }
    }
  }

  package convenience init(
    cut: @escaping @Sendable (Request) -> Int? = { _ in nil }, _ answer: @escaping @Sendable (Request) -> Answer
  ) throws {
    try self.init(cut: cut) { request, _ in answer(request) }
  }

  package var address: String { "127.0.0.1:\(port)" }
  package var url: String { "http://\(address)/v1" }

  /// Everything asked so far.
  package var requests: [Request] { lock.withLock { heard } }

  package func stop() {
    lock.withLock {
      guard !isStopped else { return }
      isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  deinit { stop() }

  // MARK: - One connection

  private func begin(_ connection: Int32) {
    lock.withLock { _ = connections.insert(connection) }
    Thread.detachNewThread { [self] in
      serve(connection)
      lock.withLock { _ = connections.remove(connection) }
      close(connection)
    }
  }

  private func serve(_ connection: Int32) {
    var rest: [UInt8] = []
    while let request = read(connection, &rest) {
      let number = lock.withLock {
        heard.append(request)
        return heard.count - 1
      }
      // Asked first, for another request may be cut after this one.
      let isCut = cut(request) != nil
      let answer = answer(request, number)
      // What came is known, and nothing is said.
      if isCut { return }
      switch answer {
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

  private static func head(_ status: Int, _ headers: [String: String], _ count: Int) -> [UInt8] {
    var text = "HTTP/1.1 \(status) Scripted\r\n"
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
    if headers["content-length"] == nil { text += "content-length: \(count)\r\n" }
    return Array((text + "\r\n").utf8)
  }

  private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
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
    if headers["transfer-encoding"] == "chunked" {
      guard let body = chunks(connection, &rest) else { return nil }
      request.body = body
      return request
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let wanted = min(length, cut(request) ?? length)
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

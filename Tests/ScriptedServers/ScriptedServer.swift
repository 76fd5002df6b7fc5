import Foundation

/// An HTTP server that answers as a test says, on plain sockets and threads of its own.
package final class ScriptedServer: @unchecked Sendable {
  package struct Request: Sendable {
    package let method: String
    package let path: String
    package let headers: [String: String]
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
  }

  package enum Reply: Sendable {
    case json(String)
    case status(Int, String, headers: [String: String] = [:])
    /// Whatever the bytes are.
    case raw([UInt8])
    /// Nothing, until the client goes away.
    case silence
    /// The connection is closed without a word.
    case hangUp
  }

  package let port: UInt16
  private let listener: Int32
  private let answer: @Sendable (Request, Int) -> Reply
  private let lock = NSLock()
  private var heard: [Request] = []
  private var isClosed = false

  /// - Parameter answer: of a request, and of how many came before it.
  package init(port: UInt16 = 0, _ answer: @escaping @Sendable (Request, Int) -> Reply) throws {
    self.answer = answer
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 && listen(descriptor, 128) == 0 ? getsockname(descriptor, address, &size) : -1
      }
    }
    guard code == 0 else { throw POSIXError(.EADDRINUSE) }
    self.port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else {
          // Closed here alone: elsewhere its number could be another socket's before this thread has seen it.
          close(descriptor)
          return
        }
        guard let self else {
          close(connection)
          close(descriptor)
          return
        }
        Thread.detachNewThread { self.serve(connection) }
      }
    }
  }

  package var url: String { "http://127.0.0.1:\(port)/v1" }

  package var requests: [Request] { lock.withLock { heard } }

  package func stop() {
    lock.withLock {
      guard !isClosed else { return }
      isClosed = true
      shutdown(listener, Int32(SHUT_RDWR))
    }
  }

  deinit { stop() }

  // MARK: - One connection

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var bytes: [UInt8] = []
    while let request = Self.read(connection, &bytes) {
      let number = lock.withLock {
        heard.append(request)
        return heard.count - 1
      }
      switch answer(request, number) {
      case .json(let text): Self.write(connection, Self.message(200, text, [:]))
      case .status(let status, let text, let headers): Self.write(connection, Self.message(status, text, headers))
      case .raw(let bytes):
        Self.write(connection, bytes)
        return
      case .silence:
        var byte: UInt8 = 0
        while Foundation.read(connection, &byte, 1) > 0 {}
        return
      case .hangUp: return
      }
    }
  }

  private static func message(_ status: Int, _ text: String, _ headers: [String: String]) -> [UInt8] {
    let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
    let head = "HTTP/1.1 \(status) Said\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\(more)\r\n"
    return Array((head + text).utf8)
  }

  private static func write(_ connection: Int32, _ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func read(_ connection: Int32, _ bytes: inout [UInt8]) -> Request? {
    var room = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        let headers = lines.dropFirst().reduce(into: [String: String]()) { headers, line in
          guard let colon = line.firstIndex(of: ":") else { return }
          headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap(Int.init) ?? 0
        if bytes.count >= end.upperBound + length, words.count > 1 {
          let body = Array(bytes[end.upperBound..<end.upperBound + length])
          bytes.removeFirst(end.upperBound + length)
          return Request(method: words[0], path: words[1], headers: headers, body: body)
        }
      }
      let count = Foundation.read(connection, &room, room.count)
      guard count > 0 else { return nil }
      bytes += room[..<count]
    }
  }
}

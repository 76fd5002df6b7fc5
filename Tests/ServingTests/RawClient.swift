import Foundation
import Glibc

/// A connection to a server on this machine, byte by byte: what a browser would never say can be said with it. One thread of its own waits.
final class RawClient: @unchecked Sendable {
  struct Failure: Error { let what: String }

  private let descriptor: Int32
  private let queue = DispatchQueue(label: "raw client")
  private var received: [UInt8] = []

  /// - Parameter receiveBuffer: bytes that the system takes before anybody reads; nil for its own choice.
  init(port: Int, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { throw Failure(what: "cannot connect: \(String(cString: strerror(errno)))") }
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Everything until the server closes the connection.
  func readAll() async throws -> String { try await read { _ in false } }

  /// Until what has come since the last reading satisfies `isEnough`, or the server closes.
  func read(until isEnough: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
          let text = String(decoding: received, as: UTF8.self)
          if !received.isEmpty, isEnough(text) {
            received = []
            return continuation.resume(returning: text)
          }
          let count = recv(descriptor, &piece, piece.count, 0)
          if count < 0, errno == EINTR { continue }
          if count < 0, errno == EAGAIN {
            return continuation.resume(throwing: Failure(what: "nothing more came after: \(text.suffix(400))"))
          }
          guard count > 0 else {
            received = []
            return continuation.resume(returning: text)
          }
          received += piece[..<count]
        }
      }
    }
  }
}

/// An answer, read as HTTP says.
struct RawReply {
  let status: Int
  /// Names in small letters.
  let headers: [String: String]
  let body: String

  init(_ text: String) {
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\r\n")
    status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    self.headers = headers
    body = parts.count > 1 ? String(parts[1]) : ""
  }
}

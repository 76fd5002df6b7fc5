import AsyncHTTPClient
import Diagnostics
import JSONValues
import NIOCore
import NIOHTTP1

/// What a server answered: the head, and a body that is taken piece by piece and never further than wanted. Nothing in it is trusted.
package struct WebAnswer: Sendable {
  package let status: Int
  package let headers: HTTPHeaders
  /// Where it came from, after redirects.
  package let url: WebURL
  private let body: HTTPClientResponse.Body
  private let address: String

  package init(_ response: HTTPClientResponse, from url: WebURL, address: String) {
    status = Int(response.status.code)
    headers = response.headers
    body = response.body
    self.url = url
    self.address = address
  }

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// The header of that name, the first where there are several.
  package func header(_ name: String) -> String? { headers.first(name: name) }

  /// The length that the server claims.
  package var contentLength: Int? { header("content-length").flatMap { Int($0) } }

  /// `bytes START-END/TOTAL`; the total can be unknown.
  package var contentRange: (start: Int, total: Int?)? {
    guard let text = header("content-range"), text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let start = parts[0].split(separator: "-").first.flatMap({ Int($0) }) else { return nil }
    return (start, Int(parts[1]))
  }

  /// Seconds that the server asks to be left alone for, within reason.
  package var retryAfter: Double? { header("retry-after").flatMap { Double($0) }.map { min(max($0, 0), 300) } }

  /// Gives the body piece by piece. What `sink` throws comes out as it is.
  package func stream(_ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    var pieces = body.makeAsyncIterator()
    while let piece = try await next(&pieces) { try piece.withUnsafeReadableBytes { try sink($0) } }
  }

  private func next(_ pieces: inout HTTPClientResponse.Body.AsyncIterator) async throws -> ByteBuffer? {
    do { return try await pieces.next() } catch { throw WebFailure.error(error, address) }
  }

  /// The whole body, which is at most `limit` bytes.
  package func bytes(_ limit: Int, _ what: String) async throws -> [UInt8] {
    if let contentLength, contentLength > limit { throw tooLong(what, limit) }
    var bytes: [UInt8] = []
    try await stream { piece in
      guard bytes.count + piece.count <= limit else { throw tooLong(what, limit) }
      bytes += piece
    }
    return bytes
  }

  private func tooLong(_ what: String, _ limit: Int) -> RemoteError {
    RemoteError(.damaged, "\(address): \(what) has more than \(limit) bytes")
  }

  package func json(_ limit: Int, _ what: String) async throws -> JSONValue {
    let bytes = try await bytes(limit, what)
    do { return try JSONValue(parsing: bytes, maximumDepth: 32) } catch {
      throw RemoteError(.damaged, "\(address): \(what) is no JSON: \(VisibleText.line(error.description, on: .terminal))")
    }
  }

  /// The first bytes of a body that only says why, whatever happens meanwhile.
  package func excerpt(_ limit: Int = 16384) async -> [UInt8] {
    var bytes: [UInt8] = []
    struct Enough: Error {}
    try? await stream { piece in
      bytes += piece.prefix(limit - bytes.count)
      if bytes.count >= limit { throw Enough() }
    }
    return bytes
  }
}

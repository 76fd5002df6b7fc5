import HTTPTypes
import HummingbirdCore
import NIOCore

/// Between the protocol and the site: a request becomes a visit, a reply becomes parts of a response.
struct Responder: Sendable {
  let site: Site

  /// Pages go out in pieces, so that a client who takes them slowly, but takes them, is told from one who does not.
  private static let piece = 64 << 10

  func respond(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
    let visit = Self.visit(request)
    let reply = await site.reply(to: visit, lastEventID: request.headers[Self.lastEventID])
    // What was refused may have more to say, which is not listened to.
    let isRefused = reply.status >= 400 && (visit.hasBody || reply.status == 414)
    let head = Self.head(reply, closes: isRefused)
    switch reply.body {
    case .bytes(let bytes): try await Self.send(bytes, head, writer, isHead: visit.method == "HEAD")
    case .events(let subscription):
      defer { subscription.end() }
      if visit.method == "HEAD" { return try await writer.writeResponse(head) }
      try await Self.send(subscription, head, writer)
    }
    if isRefused { throw Refused() }
  }

  /// Closes the connection.
  private struct Refused: Error {}

  private static let lastEventID = HTTPField.Name("Last-Event-ID")!
  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
  private static let fetchMode = HTTPField.Name("Sec-Fetch-Mode")!

  private static func visit(_ request: Request) -> Gatekeeper.Visit {
    let headers = request.headers
    let length = headers[.contentLength]
    return Gatekeeper.Visit(
      method: request.method.rawValue,
      hosts: [request.head.authority].compactMap(\.self) + headers[values: HTTPField.Name("Host")!],
      origins: headers[values: .origin], fetchSite: headers[fetchSite], fetchMode: headers[fetchMode], target: request.head.path ?? "",
      hasBody: length != nil && length != "0" || headers[.transferEncoding] != nil)
  }

  private static func head(_ reply: Reply, closes: Bool) -> HTTPResponse {
    var head = HTTPResponse(status: .init(code: reply.status))
    head.headerFields[.contentType] = reply.contentType
    head.headerFields[.contentSecurityPolicy] = reply.policy
    if case .bytes(let bytes) = reply.body { head.headerFields[.contentLength] = String(bytes.count) }
    if closes { head.headerFields[.connection] = "close" }
    for (name, value) in Reply.always + reply.fields {
      if let name = HTTPField.Name(name) { head.headerFields[name] = value }
    }
    return head
  }

  private static func send(_ bytes: [UInt8], _ head: HTTPResponse, _ writer: consuming ResponseWriter, isHead: Bool) async throws {
    if isHead { return try await writer.writeResponse(head) }
    let buffer = ByteBuffer(bytes: bytes)
    var body = try await writer.writeHead(head)
    for start in stride(from: 0, to: buffer.readableBytes, by: piece) {
      guard let part = buffer.getSlice(at: start, length: min(piece, buffer.readableBytes - start)) else { break }
      try await body.write(part)
    }
    try await body.finish(nil)
  }

  private static func send(_ subscription: LiveSubscription, _ head: HTTPResponse, _ writer: consuming ResponseWriter) async throws {
    var body = try await writer.writeHead(head)
    let feed = subscription.feed
    let (watcher, signals) = feed.watch()
    defer { feed.leave(watcher) }
    var position = feed.position(lastEventID: subscription.lastEventID)
    // Come back after a second.
    try await body.write(ByteBuffer(string: "retry: 1000\n\n"))
    for await _ in signals {
      let telling = feed.tell(from: position)
      position = telling.position
      if telling.texts.isEmpty { try await body.write(ByteBuffer(string: ": still here\n\n")) }
      for text in telling.texts { try await body.write(ByteBuffer(bytes: text)) }
      if telling.isLast { break }
    }
    try await body.finish(nil)
  }
}

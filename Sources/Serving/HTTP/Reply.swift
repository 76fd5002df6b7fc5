import JSONValues

/// What is answered, before anything is known of connections.
struct Reply: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Parts as they come, without an end known beforehand.
    case events(LiveSubscription)
  }

  var status = 200
  var contentType = "text/html; charset=utf-8"
  /// What a page may load and run; of anything but pages, nothing.
  var policy = Reply.nothing
  var fields: [(name: String, value: String)] = []
  var body = Body.bytes([])

  static let nothing = "default-src 'none'"

  /// With every answer, whatever it is.
  static let always: [(name: String, value: String)] = [
    ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  static func page(_ page: WrittenPage, status: Int = 200) -> Reply {
    Reply(status: status, policy: page.policy + "; frame-ancestors 'none'", body: .bytes(page.bytes))
  }

  static func json(_ value: JSONValue) -> Reply {
    Reply(contentType: "application/json", body: .bytes(value.encodedBytes() + [0x0A]))
  }

  static func text(_ bytes: [UInt8], status: Int = 200) -> Reply {
    Reply(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(bytes))
  }

  static func line(_ text: String, status: Int) -> Reply { .text(Array((text + "\n").utf8), status: status) }

  static func refusal(_ refusal: Gatekeeper.Refusal) -> Reply {
    var reply = line(refusal.line, status: refusal.status)
    if refusal.status == 405 { reply.fields.append(("Allow", "GET, HEAD")) }
    return reply
  }

  static func events(_ subscription: LiveSubscription) -> Reply {
    Reply(contentType: "text/event-stream", body: .events(subscription))
  }
}

/// A page that was rendered, and what it may do.
struct WrittenPage: Sendable {
  let bytes: [UInt8]
  let policy: String
}

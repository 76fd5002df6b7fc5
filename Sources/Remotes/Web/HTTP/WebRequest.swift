import NIOHTTP1

/// What is asked of a server, once.
package struct WebRequest: Sendable {
  package enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// Part of something larger, read while it is sent.
    case part(ReadAhead)
  }

  /// How long a server may say nothing.
  package enum Patience: Hashable, Sendable {
    case usual
    /// It has work to do first: putting gigabytes in their place.
    case long
  }

  package var method: HTTPMethod
  package var url: WebURL
  package var headers: HTTPHeaders = [:]
  package var body: Body = .none
  package var patience: Patience = .usual
  /// Of where in the middle of a body: an answer may take as long as the bytes take.
  package var isStreamed = false

  package init(_ method: HTTPMethod, _ url: WebURL, headers: HTTPHeaders = [:], body: Body = .none) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }

  /// Whether it can be sent once more as it is.
  package var canBeRepeated: Bool { if case .part = body { false } else { true } }
}

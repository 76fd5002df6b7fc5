import Foundation

/// Where a server is, and how it is asked there: the base of its addresses (`http://127.0.0.1:8000/v1`), a key, limits.
package struct ServerAddress: Sendable {
  package let base: String
  /// Sent as a bearer token; in no error.
  let key: String?
  /// Seconds until an answer has to be there.
  let timeout: Double
  /// Requests at once.
  package let concurrency: Int
  /// Bytes of an answer.
  let mostBytes: Int

  /// - Throws: where the text is no address over HTTP.
  package init(_ base: String, key: String? = nil, timeout: Double, concurrency: Int, mostBytes: Int = 64 << 20) throws(EndpointError) {
    guard let url = URL(string: base), url.scheme == "http" || url.scheme == "https", url.host()?.isEmpty == false, url.query() == nil,
      url.fragment() == nil
    else { throw EndpointError("endpoint.url: '\(base.prefix(200))' is no address such as http://127.0.0.1:8000/v1") }
    guard url.user() == nil, url.password() == nil else {
      throw EndpointError("endpoint.url: a password does not belong in the address; name the variable that holds the key, api_key_variable")
    }
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.key = key
    self.timeout = timeout
    self.concurrency = concurrency
    self.mostBytes = mostBytes
  }

  func url(_ path: String) -> String { "\(base)/\(path)" }

  /// A text of the server's without the key, which a server may repeat.
  func withoutKey(_ text: String) -> String {
    guard let key, key.utf8.count >= 4 else { return text }
    return text.replacingOccurrences(of: key, with: "***")
  }
}

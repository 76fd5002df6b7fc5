import Glibc
import Hashing
import NIOHTTP1

import struct Crypto.HMAC
import struct Crypto.SHA256
import struct Crypto.SymmetricKey

/// AWS Signature Version 4, as S3 wants it: the path is encoded once and not tidied. It knows no clock and no credentials of its own.
package struct RequestSignature: Sendable {
  package struct Keys: Sendable, Equatable {
    package let id: String
    package let secret: String
    package var session: String?

    package init(id: String, secret: String, session: String? = nil) {
      self.id = id
      self.secret = secret
      self.session = session
    }
  }

  /// What stands for the body in the signature.
  package enum Payload: Sendable {
    /// The server checks the bytes against it.
    case digest(Digest)
    case unsigned

    var text: String {
      switch self {
      case .digest(let digest): digest.hex
      case .unsigned: "UNSIGNED-PAYLOAD"
      }
    }
  }

  package let keys: Keys
  package let region: String
  private let service = "s3"

  package init(keys: Keys, region: String) {
    self.keys = keys
    self.region = region
  }

  /// Adds what the server needs to know who asks.
  ///
  /// - Parameter seconds: now, since 1970.
  package func sign(_ request: inout WebRequest, _ payload: Payload, at seconds: Int) {
    let time = Self.time(seconds)
    request.headers.replaceOrAdd(name: "x-amz-date", value: time)
    request.headers.replaceOrAdd(name: "x-amz-content-sha256", value: payload.text)
    if let session = keys.session { request.headers.replaceOrAdd(name: "x-amz-security-token", value: session) }
    let headers = signedHeaders(request)
    let names = headers.map(\.name).joined(separator: ";")
    let canonical = Self.canonical(request, headers, names, payload.text)
    let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Digest(hashing: canonical).hex)"
    let signature = Self.hexadecimal(Self.code(text, key(String(time.prefix(8)))))
    request.headers.replaceOrAdd(
      name: "authorization", value: "AWS4-HMAC-SHA256 Credential=\(keys.id)/\(scope),SignedHeaders=\(names),Signature=\(signature)")
  }

  /// Name in lower case and value with single spaces, by name; what proxies add or change is left out.
  private func signedHeaders(_ request: WebRequest) -> [(name: String, value: String)] {
    var values: [String: [String]] = ["host": [request.url.authority]]
    for (name, value) in request.headers {
      let name = name.lowercased()
      guard !["authorization", "user-agent", "content-length", "expect", "connection"].contains(name) else { continue }
      values[name, default: []].append(value.split(separator: " ").joined(separator: " "))
    }
    return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value.joined(separator: ",")) }
  }

  package static func canonical(_ request: WebRequest, _ headers: [(name: String, value: String)], _ names: String, _ payload: String)
    -> String
  {
    let pairs = (request.url.query ?? "").split(separator: "&").map { $0.contains("=") ? String($0) : "\($0)=" }
    let query = pairs.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "&")
    let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
    return "\(request.method.rawValue)\n\(request.url.path)\n\(query)\n\(lines)\n\(names)\n\(payload)"
  }

  private func key(_ day: String) -> [UInt8] {
    [day, region, service, "aws4_request"].reduce(Array("AWS4\(keys.secret)".utf8)) { Self.code($1, $0) }
  }

  private static func code(_ text: String, _ key: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String { Digest(bytes: bytes).map(\.hex) ?? "" }

  /// `20150830T123600Z`
  package static func time(_ seconds: Int) -> String {
    var moment = time_t(seconds)
    var parts = tm()
    gmtime_r(&moment, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return
      "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
  }
}

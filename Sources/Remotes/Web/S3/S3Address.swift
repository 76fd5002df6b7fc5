import Diagnostics

/// `s3://bucket/prefix` and its options, taken apart. It asks nobody and reads no file.
///
/// Options after `?`: `endpoint` (a server other than AWS), `region`, `path-style` (1: the bucket is in the path, 0: in the host's name),
/// `profile`, `anonymous=1` (nothing is signed).
package struct S3Address: Sendable {
  package static let scheme = "s3://"

  /// As written, without options: what messages begin with.
  package let text: String
  package let bucket: String
  /// Without `/` at either end; may be empty.
  package let prefix: String
  package let endpoint: WebURL?
  package let region: String?
  package let isPathStyle: Bool?
  package let profile: String?
  package let isAnonymous: Bool

  package init(_ address: String) throws(RemoteError) {
    func wrong(_ why: String) -> RemoteError { RemoteError(.usage, "\(VisibleText.line(address, on: .terminal)): \(why)") }
    guard address.hasPrefix(Self.scheme) else { throw wrong("an address of a bucket begins with s3://") }
    let options = try AddressOptions(address, knowing: ["endpoint", "region", "path-style", "profile", "anonymous"])
    let parts = options.place.dropFirst(Self.scheme.count).split(separator: "/", omittingEmptySubsequences: false)
    guard Self.isBucket(parts[0]) else {
      throw wrong("expected s3://BUCKET/PREFIX; a bucket has 3 to 63 small letters, digits, '-' and '.'")
    }
    let names = parts.dropFirst().filter { !$0.isEmpty }
    guard !names.contains(where: { $0 == "." || $0 == ".." }) else { throw wrong("a prefix has no '.' and '..'") }
    prefix = names.joined(separator: "/")
    guard prefix.utf8.count <= 800 else { throw wrong("a prefix has at most 800 bytes") }
    bucket = String(parts[0])
    text = Self.scheme + bucket + (prefix.isEmpty ? "" : "/\(prefix)")
    let name = text
    endpoint = try options.value("endpoint").map { server throws(RemoteError) in try Self.endpoint(server, name) }
    region = options.value("region")
    if let region, !Self.isRegion(region) { throw wrong("'\(VisibleText.line(region, on: .terminal))' is no region") }
    isPathStyle = try options.flag("path-style")
    profile = options.value("profile")
    isAnonymous = try options.flag("anonymous") ?? false
  }

  /// A server's address, with or without `https://`.
  package static func endpoint(_ text: String, _ address: String) throws(RemoteError) -> WebURL {
    guard let url = WebURL(text.contains("://") ? text : "https://\(text)"), url.query == nil else {
      throw RemoteError(
        .usage, "\(address): '\(VisibleText.line(text, on: .terminal))' is no endpoint; one is http://HOST:PORT or https://HOST")
    }
    return url
  }

  package static func isRegion(_ text: String) -> Bool {
    (1...40).contains(text.utf8.count) && text.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }

  private static func isBucket(_ text: Substring) -> Bool {
    guard (3...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else { return false }
    return isPlain(first) && isPlain(last) && !text.contains("..")
      && text.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  private static func isPlain(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
}

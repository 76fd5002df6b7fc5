import Diagnostics

/// `oci://registry/repository[:tag]`, taken apart. It asks nobody.
///
/// Options after `?`: `plain-http=1` speaks http to a registry that is not on this machine, `plain-http=0` https to one that is.
package struct OCIAddress: Sendable {
  package static let scheme = "oci://"

  /// As written, without the tag: what messages begin with.
  package let text: String
  /// The server that is spoken to.
  package let server: WebURL
  /// As the user and credential files name it.
  package let registry: String
  package let repository: String
  package let tag: String?

  package init(_ address: String) throws(RemoteError) {
    func wrong(_ why: String) -> RemoteError { RemoteError(.usage, "\(VisibleText.line(address, on: .terminal)): \(why)") }
    guard address.hasPrefix(Self.scheme) else { throw wrong("an address of a registry begins with oci://") }
    let options = try AddressOptions(address, knowing: ["plain-http"])
    let parts = options.place.dropFirst(Self.scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let (host, port) = WebURL.authority(parts[0]) else { throw wrong("expected oci://REGISTRY/REPOSITORY[:TAG]") }
    guard parts.count == 2, !parts[1].isEmpty else { throw wrong("the repository is missing: oci://\(parts[0])/REPOSITORY[:TAG]") }
    let named = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard Self.isRepository(named[0]) else {
      throw wrong("a repository has small letters, digits and single '.', '_', '-' in parts divided by '/'")
    }
    if named.count == 2, !Self.isTag(named[1]) {
      throw wrong("a tag has 1 to 128 letters, digits, '_', '.' and '-', and begins with none of the last two")
    }
    registry = port.map { "\(host):\($0)" } ?? host
    repository = String(named[0])
    tag = named.count == 2 ? String(named[1]) : nil
    text = "\(Self.scheme)\(registry)/\(repository)"
    // The one registry whose name is not where it is.
    let real = host == "docker.io" ? "registry-1.docker.io" : host
    var server = WebURL(.https, host: real, port: port)
    if try options.flag("plain-http") ?? server.isLoopback { server.scheme = .http }
    self.server = server
  }

  private static func isRepository(_ text: Substring) -> Bool {
    guard text.utf8.count <= 255 else { return false }
    return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      let bytes = Array(part.utf8)
      guard let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last) else { return false }
      guard bytes.allSatisfy({ isPlain($0) || ".-_".utf8.contains($0) }) else { return false }
      return !part.contains("..") && !part.contains("___") && !part.contains("._") && !part.contains("_.")
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }

  private static func isTag(_ text: Substring) -> Bool { RemoteDocument(.tags, String(text)) != nil }
}

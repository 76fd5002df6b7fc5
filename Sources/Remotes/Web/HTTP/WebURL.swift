/// An http or https address in parts, as it goes over the wire: path and query stay encoded. It knows nothing of who is there.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
  package enum Scheme: String, Sendable {
    case http, https
    var port: Int { self == .http ? 80 : 443 }
  }

  package var scheme: Scheme
  /// In lower case; an IPv6 address is in brackets.
  package var host: String
  package var port: Int?
  /// Encoded, beginning with `/`.
  package var path: String
  /// Encoded, without the `?`.
  package var query: String?

  package init(_ scheme: Scheme, host: String, port: Int? = nil, path: String = "/", query: String? = nil) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    self.query = query
  }

  /// Nil for everything that is no plain address: other schemes, names and passwords, spaces and control characters, more than 8 KB.
  package init?(_ text: String) {
    guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
    guard let colon = text.range(of: "://"), let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased()) else { return nil }
    let rest = text[colon.upperBound...].prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard let (host, port) = Self.authority(authority) else { return nil }
    let target = rest[authority.endIndex...]
    let path = target.prefix { $0 != "?" }
    let query = path.endIndex < target.endIndex ? String(target[target.index(after: path.endIndex)...]) : nil
    self.init(scheme, host: host, port: port, path: path.isEmpty ? "/" : String(path), query: query)
  }

  /// `host`, `host:port`, `[address]:port`.
  package static func authority(_ text: Substring) -> (host: String, port: Int?)? {
    let host: Substring
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[...end]
      guard host.dropFirst().dropLast().utf8.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) else {
        return nil
      }
    } else {
      host = text.prefix { $0 != ":" }
      guard !host.isEmpty, host.utf8.allSatisfy({ isHostByte($0) }) else { return nil }
    }
    guard host.endIndex < text.endIndex else { return (host.lowercased(), nil) }
    let digits = text[host.endIndex...].dropFirst()
    guard text[host.endIndex] == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
      (1...65535).contains(port)
    else { return nil }
    return (host.lowercased(), port)
  }

  package var description: String { "\(scheme.rawValue)://\(authority)\(target)" }

  /// As the `Host` header has it.
  package var authority: String { port.map { $0 == scheme.port ? host : "\(host):\($0)" } ?? host }

  /// Path and query.
  package var target: String { path + (query.map { "?" + $0 } ?? "") }

  /// Whether it is the same server over the same kind of connection: what was meant for one may be told the other.
  package func isSamePlace(as other: WebURL) -> Bool {
    scheme == other.scheme && host == other.host && (port ?? scheme.port) == (other.port ?? other.scheme.port)
  }

  package var isLoopback: Bool {
    host == "localhost" || host == "[::1]"
      || (host.hasPrefix("127.") && host.split(separator: ".", omittingEmptySubsequences: false).count == 4
        && host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
  }

  /// Where a `Location` leads that was given here; nil when it leads nowhere.
  package func resolving(_ location: String) -> WebURL? {
    if location.contains("://") { return WebURL(location) }
    if location.hasPrefix("//") { return WebURL("\(scheme.rawValue):\(location)") }
    let base = "\(scheme.rawValue)://\(authority)"
    if location.hasPrefix("/") { return WebURL(base + location) }
    if location.hasPrefix("?") { return WebURL(base + path + location) }
    guard !location.isEmpty, let slash = path.lastIndex(of: "/") else { return nil }
    return WebURL(base + path[...slash] + location)
  }

  package func adding(_ name: String, _ value: String) -> WebURL {
    var url = self
    let pair = "\(Self.encoded(name))=\(Self.encoded(value))"
    url.query = query.map { $0.isEmpty ? pair : "\($0)&\(pair)" } ?? pair
    return url
  }

  /// RFC 3986 with everything encoded but the unreserved characters, as signatures want it.
  package static func encoded(_ text: String, keeping kept: String = "") -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if isUnreserved(byte) || kept.utf8.contains(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What `%41` stands for; nil where it stands for nothing.
  package static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.allSatisfy(isHexadecimal), let value = UInt8(String(Substring(digits)), radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static let hexadecimal = Array("0123456789ABCDEF".utf8)

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): true
    default: false
    }
  }

  private static func isHostByte(_ byte: UInt8) -> Bool { isUnreserved(byte) && byte != UInt8(ascii: "~") }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }
}

extension StringProtocol {
  /// Of the first `text`, compared byte by byte as far as ASCII goes.
  fileprivate func range(of text: String) -> Range<Index>? { self.firstRange(of: text) }
}

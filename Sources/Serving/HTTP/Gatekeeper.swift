/// Who is let in: reading requests that were meant for this server and come from its own pages.
///
/// A page on the web can have a browser send requests to a loopback address, by a name of its own that it lets point there (DNS rebinding); but
/// then the request says that name. So names are believed only where they cannot be anybody's: `localhost`, addresses, and the name that
/// the server was told to bind. Ports are not compared: people come through tunnels.
package struct Gatekeeper: Sendable {
  /// As much of a request as decides.
  package struct Visit: Sendable {
    package var method: String
    /// `Host`, as often as it was said.
    package var hosts: [String]
    package var origins: [String]
    /// `Sec-Fetch-Site` and `Sec-Fetch-Mode`, of browsers.
    package var fetchSite: String?
    package var fetchMode: String?
    package var target: String
    package var hasBody: Bool

    package init(
      method: String, hosts: [String], origins: [String], fetchSite: String? = nil, fetchMode: String? = nil, target: String, hasBody: Bool
    ) {
      self.method = method
      self.hosts = hosts
      self.origins = origins
      self.fetchSite = fetchSite
      self.fetchMode = fetchMode
      self.target = target
      self.hasBody = hasBody
    }
  }

  package struct Refusal: Error, Sendable, Equatable {
    package let status: Int
    package let line: String
  }

  /// What `--host` said.
  package let boundHost: String
  /// Every address is as good as loopback where the server listens to more than that.
  package let isLoopback: Bool

  package static let longestTarget = 2048

  package init(boundHost: String) {
    self.boundHost = Self.bare(boundHost.lowercased())
    isLoopback = Self.isLoopback(self.boundHost)
  }

  package func check(_ visit: Visit) throws(Refusal) {
    guard visit.method == "GET" || visit.method == "HEAD" else {
      throw Refusal(status: 405, line: "only GET and HEAD: nothing can be changed here")
    }
    guard visit.target.utf8.count <= Self.longestTarget else { throw Refusal(status: 414, line: "the address is too long") }
    guard !visit.hasBody else { throw Refusal(status: 413, line: "requests here have no body") }
    guard visit.hosts.count == 1, let host = Self.host(visit.hosts[0]) else {
      throw Refusal(status: 400, line: "the request names no host, or more than one")
    }
    guard isKnown(host) else { throw Refusal(status: 421, line: "this server is not the host that the request names") }
    for origin in visit.origins where !Self.isSame(origin, visit.hosts[0]) {
      throw Refusal(status: 403, line: "pages of other origins may not ask here")
    }
    // Older browsers send no Origin with a GET; of the others, a link that is followed is all that may come from elsewhere.
    if let site = visit.fetchSite, site != "same-origin", site != "none", visit.fetchMode != "navigate" {
      throw Refusal(status: 403, line: "pages of other origins may not ask here")
    }
  }

  private func isKnown(_ host: String) -> Bool {
    if host == "localhost" || host == boundHost { return true }
    return isLoopback ? Self.isLoopback(host) : Self.isAddress(host)
  }

  private static func isSame(_ origin: String, _ host: String) -> Bool { origin.lowercased() == "http://" + host.lowercased() }

  // MARK: - Names of hosts

  /// Without port and brackets, in small letters; nil where it is not one.
  package static func host(_ text: String) -> String? {
    let text = text.lowercased()
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/\\@?#,".utf8.contains($0) }) else { return nil }
    var name = Substring(text)
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" && isPort(rest.dropFirst()) else { return nil }
      name = text[text.index(after: text.startIndex)..<end]
      return isAddress(String(name)) && name.contains(":") ? String(name) : nil
    }
    if let colon = text.firstIndex(of: ":") {
      guard isPort(text[text.index(after: colon)...]) else { return nil }
      name = text[..<colon]
    }
    return name.isEmpty ? nil : String(name)
  }

  private static func isPort(_ text: Substring) -> Bool { UInt16(text) != nil && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }

  private static func bare(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }

  package static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || octets(host)?.first == 127
  }

  /// Four numbers with points, or hexadecimal groups with colons: what no name can be.
  package static func isAddress(_ host: String) -> Bool {
    if octets(host) != nil { return true }
    return host.contains(":") && host.utf8.allSatisfy { "0123456789abcdef:.%".utf8.contains($0) }
  }

  private static func octets(_ host: String) -> [UInt8]? {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let octets = parts.compactMap { $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt8($0) : nil }
    return parts.count == 4 && octets.count == 4 ? octets : nil
  }
}

import AsyncHTTPClient

/// Which proxy leads to a server, as the environment says: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case. It connects to
/// nothing. A loopback address is reached without one.
package struct Proxies: Sendable {
  private let secure: HTTPClient.Configuration.Proxy?
  private let plain: HTTPClient.Configuration.Proxy?
  private let exceptions: [Substring]

  package init(_ environment: [String: String]) {
    // HTTP_PROXY in capitals is what a web server would make of a header `Proxy:`; only the small one is asked, as other clients do.
    let all = Self.value("ALL_PROXY", environment)
    secure = (Self.value("HTTPS_PROXY", environment) ?? all).flatMap(Self.proxy)
    plain = (environment["http_proxy"] ?? all).flatMap(Self.proxy)
    let names = (Self.value("NO_PROXY", environment) ?? "").lowercased()
    exceptions = Array(names).split { $0 == "," || $0 == " " }.map { Substring(String($0)) }
  }

  private static func value(_ name: String, _ environment: [String: String]) -> String? {
    (environment[name.lowercased()] ?? environment[name]).flatMap { $0.isEmpty ? nil : $0 }
  }

  package func proxy(for url: WebURL) -> HTTPClient.Configuration.Proxy? {
    guard let proxy = url.scheme == .https ? secure : plain, !url.isLoopback, !isException(url) else { return nil }
    return proxy
  }

  /// A name covers itself and what is below it; `*` everything; a port, where there is one, must be that.
  private func isException(_ url: WebURL) -> Bool {
    exceptions.contains { exception in
      if exception == "*" { return true }
      guard let (host, port) = WebURL.authority(exception.first == "." ? exception.dropFirst() : exception) else { return false }
      if let port, port != url.port ?? url.scheme.port { return false }
      return url.host == host || url.host.hasSuffix("." + host)
    }
  }

  /// `http://name:password@host:port`, or without scheme, or SOCKS5.
  private static func proxy(_ text: String) -> HTTPClient.Configuration.Proxy? {
    let scheme = text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() } ?? "http"
    let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
    let authority = rest.prefix { $0 != "/" }
    let at = authority.lastIndex(of: "@")
    guard let (host, port) = WebURL.authority(at.map { authority[authority.index(after: $0)...] } ?? authority) else { return nil }
    let bare = host.first == "[" ? String(host.dropFirst().dropLast()) : host
    switch scheme {
    case "socks5", "socks5h", "socks": return .socksServer(host: bare, port: port ?? 1080)
    case "http":
      guard let at else { return .server(host: bare, port: port ?? 80) }
      let pair = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
        WebURL.decoded($0) ?? String($0)
      }
      return .server(host: bare, port: port ?? 80, authorization: .basic(username: pair[0], password: pair.count > 1 ? pair[1] : ""))
    default: return nil
    }
  }
}

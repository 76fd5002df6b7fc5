import Serving
import Testing

@Suite("Who is let in") struct GatekeeperTests {
  private func status(
    _ gatekeeper: Gatekeeper = Gatekeeper(boundHost: "127.0.0.1"), method: String = "GET", host: String? = "127.0.0.1:7788",
    origin: String? = nil, site: String? = nil, mode: String? = nil, target: String = "/", hasBody: Bool = false
  ) -> Int {
    let visit = Gatekeeper.Visit(
      method: method, hosts: host.map { [$0] } ?? [], origins: origin.map { [$0] } ?? [], fetchSite: site, fetchMode: mode, target: target,
      hasBody: hasBody)
    do throws(Gatekeeper.Refusal) {
      try gatekeeper.check(visit)
      return 200
    } catch { return error.status }
  }

  @Test("names that cannot be anybody's are known, with any port: people come through tunnels")
  func hosts() {
    for host in ["127.0.0.1", "127.0.0.1:9000", "localhost:7788", "LOCALHOST", "[::1]:7788", "[::1]", "127.0.0.5"] {
      #expect(status(host: host) == 200, "\(host)")
    }
    for host in [
      "example.org", "example.org:7788", "localhost.example.org", "127.0.0.1.example.org", "192.168.1.5", "10.0.0.1:80", "0.0.0.0",
      "[fe80::1]",
      "127.1", "2130706433", "0x7f.0.0.1", "localhost.",
    ] {
      #expect(status(host: host) == 421, "\(host)")
    }
    for host in [
      "", " ", "a b", "[::1", "[::1]x", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "a/b", "user@127.0.0.1", "127.0.0.1,example.org",
      "[localhost]",
    ] {
      #expect(status(host: host) == 400, "\(host)")
    }
    #expect(status(host: nil) == 400)
    let twice = Gatekeeper.Visit(
      method: "GET", hosts: ["localhost", "example.org"], origins: [], fetchSite: nil, fetchMode: nil, target: "/", hasBody: false)
    #expect(throws: Gatekeeper.Refusal.self) { try Gatekeeper(boundHost: "127.0.0.1").check(twice) }
  }

  @Test("where the server listens to more than this machine, addresses are believed and names are not")
  func elsewhere() {
    let open = Gatekeeper(boundHost: "0.0.0.0")
    #expect(status(open, host: "192.168.1.5:7788") == 200)
    #expect(status(open, host: "[fe80::1]:7788") == 200)
    #expect(status(open, host: "example.org") == 421)
    #expect(status(Gatekeeper(boundHost: "box.lan"), host: "box.lan:7788") == 200)
    #expect(status(Gatekeeper(boundHost: "box.lan"), host: "other.lan:7788") == 421)
  }

  @Test("pages of other origins may not ask; a link that is followed is no page that asks")
  func origins() {
    #expect(status(origin: "http://127.0.0.1:7788") == 200)
    for origin in ["http://example.org", "null", "https://127.0.0.1:7788", "http://127.0.0.1:9999", "http://localhost:7788", ""] {
      #expect(status(origin: origin) == 403, "\(origin)")
    }
    #expect(status(site: "same-origin", mode: "cors") == 200)
    #expect(status(site: "none", mode: "navigate") == 200)
    #expect(status(site: "cross-site", mode: "navigate") == 200)
    #expect(status(site: "cross-site", mode: "no-cors") == 403)
    #expect(status(site: "same-site", mode: "cors") == 403)
  }

  @Test("only reading, without bodies, and not at length")
  func rest() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "get", "BREW"] {
      #expect(status(method: method) == 405)
    }
    #expect(status(method: "HEAD") == 200)
    #expect(status(hasBody: true) == 413)
    #expect(status(target: "/" + String(repeating: "a", count: 3000)) == 414)
  }
}

import Artifacts
import Execution
import Foundation
import JSONValues
import Serving
import Testing

@Suite("The server", .timeLimit(.minutes(5))) struct ServerTests {
  private static let always = [
    "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
  ]

  /// Two runs in one store: one over, with a log, one that goes on.
  private func runs() throws -> (over: StagedRun, going: StagedRun) {
    let over = try StagedRun(parameters: JSONObject([("seed", 1)]))
    try over.start(0)
    try over.log(0, "hello from a\n")
    try over.finish(0)
    try over.end()
    let going = try StagedRun(parameters: JSONObject([("seed", 2)]), in: over.root)
    try going.start(0)
    return (over, going)
  }

  @Test("every page answers, with the headers that keep it to itself")
  func routes() async throws {
    let (over, going) = try runs()
    try await TestServer.with(over.storePath) { server in
      let pages: [(target: String, type: String, holds: String)] = [
        ("/", "text/html; charset=utf-8", "/runs/\(over.id)"), ("/runs.json", "application/json", "\"recipe\":\"staged\""),
        ("/runs/\(over.id)", "text/html; charset=utf-8", "Instances"), ("/runs/\(going.id)", "text/html; charset=utf-8", "id=\"live\""),
        ("/runs/\(over.id)/report.json", "application/json", "heirloom report 1"),
        ("/runs/\(over.id)/instances/0", "text/html; charset=utf-8", "hello from a"),
        ("/runs/\(over.id)/instances/0/log", "text/plain; charset=utf-8", "hello from a"),
        ("/runs/\(over.id)/instances/0/log?from=6", "text/plain; charset=utf-8", "from a"),
        ("/compare", "text/html; charset=utf-8", "Compare"),
        ("/compare?run=\(over.id)&run=\(going.id)", "text/html; charset=utf-8", "Parameters"),
        ("/compare.json?run=\(over.id)&run=\(going.id)", "application/json", "heirloom comparison 1"),
      ]
      for (target, type, text) in pages {
        let reply = try await server.ask(target)
        #expect(reply.status == 200, "\(target)")
        #expect(reply.headers["content-type"] == type, "\(target)")
        #expect(reply.body.contains(text), "\(target)")
        for (name, value) in Self.always { #expect(reply.headers[name] == value, "\(target) \(name)") }
        let policy = reply.headers["content-security-policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe"), "\(target)")
        if type.hasPrefix("text/html") { #expect(policy.contains("frame-ancestors 'none'") && policy.contains("connect-src 'self'")) }
        let head = try await server.ask(target, method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.headers["content-length"] == reply.headers["content-length"])
      }
      #expect(try await server.ask("/runs/\(over.id)/instances/1/log").status == 404)
      #expect(try await server.ask("/runs/\(over.id)/instances/99").status == 404)
      #expect(try await server.ask("/runs/20200101T000000.000Z-000000").status == 404)
      #expect(try await server.ask("/runs/20200101T000000.000Z-000000/events").status == 404)
      #expect(try await server.ask("/compare.json?run=\(over.id)").status == 400)
    }
  }

  @Test("requests of others are refused in one line")
  func refused() async throws {
    let run = try StagedRun()
    try await TestServer.with(run.storePath) { server in
      let foreign = try await server.ask("/", host: "example.org")
      #expect(foreign.status == 421)
      #expect(foreign.body == "this server is not the host that the request names\n")
      let origin = try await server.ask("/", "Origin: http://example.org\r\n")
      #expect(origin.status == 403)
      #expect(origin.body == "pages of other origins may not ask here\n")
      #expect(origin.headers["access-control-allow-origin"] == nil)
      #expect(try await server.ask("/", host: nil).status == 400)
      #expect(try await server.ask("/", "Host: example.org\r\n").status == 400)
      for name in Self.always.keys { #expect(foreign.headers[name] != nil) }
      for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let reply = try await server.ask("/", method: method)
        #expect(reply.status == 405)
        #expect(reply.headers["allow"] == "GET, HEAD")
      }
    }
  }

  @Test("no way of writing a path leads out of the store, nor to what is in it")
  func traversal() async throws {
    let run = try StagedRun()
    try Data("the secret".utf8).write(to: URL(fileURLWithPath: run.root + "/secret"))
    try await TestServer.with(run.storePath) { server in
      let ups = ["..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "..%5c", "....//", "%uff0e%uff0e"]
      for up in ups {
        for path in [
          "/\(up)/secret", "/runs/\(up)/\(up)/secret", "/runs/\(run.id)/\(up)/\(up)/\(up)/secret", "/runs/\(up)%2f\(up)%2fsecret",
        ] {
          let reply = try await server.ask(path)
          #expect((400...404).contains(reply.status), "\(path)")
          #expect(!reply.body.contains("the secret"))
        }
      }
      for path in [
        "/format", "/runs", "/runs/\(run.id)/journal.jsonl", "/runs/\(run.id)/manifest.yaml", "/objects/", "//etc/passwd", "/etc/passwd",
      ] {
        #expect(try await server.ask(path).status == 404, "\(path)")
      }
      #expect(try await server.ask("http://example.org/runs.json").status == 200, "the host is what Host says")
    }
  }

  @Test("what is too long, or has a body, is refused and the connection closed")
  func oversized() async throws {
    let run = try StagedRun()
    try await TestServer.with(run.storePath) { server in
      #expect(try await server.ask("/" + String(repeating: "a", count: 5000)).status == 414)
      #expect(try await server.ask("/", "X-Long: \(String(repeating: "a", count: 9000))\r\n").status == 400)
      #expect(try await server.ask("/", (0..<100).map { "X-\($0): a\r\n" }.joined()).status == 400)
      let body = try RawClient(port: server.port)
      body.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nabc")
      #expect(RawReply(try await body.readAll()).status == 413)
      let chunked = try RawClient(port: server.port)
      chunked.send("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
      #expect(RawReply(try await chunked.readAll()).status == 413)
      for nonsense in ["\u{16}\u{3}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let client = try RawClient(port: server.port)
        client.send(nonsense)
        let status = RawReply(try await client.readAll()).status
        #expect(status == 0 || (400..<600).contains(status))
      }
      #expect(try await server.ask("/").status == 200)
    }
  }

  @Test("a request that is said slowly is not waited for, nor a reader who takes nothing")
  func slow() async throws {
    let run = try StagedRun((0..<600).map { "instance-\($0)-" + String(repeating: "x", count: 60) })
    var limits = WebServer.Limits()
    limits.request = .milliseconds(300)
    limits.stalled = .milliseconds(300)
    try await TestServer.with(run.storePath, limits) { server in
      let silent = try RawClient(port: server.port)
      #expect(try await silent.readAll() == "")
      let dribbling = try RawClient(port: server.port)
      dribbling.send("GET / HTTP/1.1\r\nHost: loc")
      #expect(try await dribbling.readAll() == "")
      // Asks again and again for a large page and reads nothing: what it does not take is not kept for it.
      let deaf = try RawClient(port: server.port, receiveBuffer: 4096)
      for _ in 0..<40 { deaf.send("GET /runs/\(run.id) HTTP/1.1\r\nHost: localhost\r\n\r\n") }
      try await Self.eventually { server.server.connectionCount == 0 }
      #expect(try await server.ask("/").status == 200)
    }
  }

  @Test("a page is rendered once, as long as nothing happens")
  func cached() async throws {
    let (over, _) = try runs()
    try await TestServer.with(over.storePath) { server in
      for _ in 0..<5 { _ = try await server.ask("/runs/\(over.id)") }
      #expect(server.server.renderings == 1)
      _ = try await server.ask("/runs/\(over.id)/report.json")
      #expect(server.server.renderings == 2)
    }
  }

  @Test("a run that is removed, a damaged one and a store that goes away are pages, not ends")
  func gone() async throws {
    let (over, going) = try runs()
    try await TestServer.with(over.storePath) { server in
      #expect(try await server.ask("/runs/\(over.id)").status == 200)
      try FileManager.default.removeItem(atPath: over.directory.path)
      let removed = try await server.ask("/runs/\(over.id)")
      #expect(removed.status == 404)
      #expect(removed.body.contains("no run \(over.id) in this store"))
      try Data("{".utf8).write(to: URL(fileURLWithPath: going.directory.path + "/plan.json"))
      #expect([200, 404, 503].contains(try await server.ask("/runs/\(going.id)").status))
      #expect(try await server.ask("/").status == 200)
      try FileManager.default.removeItem(atPath: over.storePath)
      let away = try await server.ask("/")
      #expect(away.status == 503)
      #expect(away.body.contains("there is no store"))
      #expect(try await server.ask("/runs/\(going.id)").status == 503)
    }
  }

  @Test("names and words of any kind are text on every page")
  func hostile() async throws {
    let bad = "<script>alert(1)</script>\"'&\u{202E}\u{0}\u{1B}[31m</pre><img src=x onerror=alert(1)>"
    let run = try StagedRun([bad, "b"], recipe: bad, parameters: JSONObject([(bad, .string(bad))]))
    try run.start(0)
    try run.log(0, bad + "\n")
    try run.metric(0, bad, 1, 1)
    try run.finish(0, "failed", error: bad)
    let other = try StagedRun([bad + "2"], recipe: bad, parameters: JSONObject([(bad, "x")]), in: run.root)
    try other.end()
    try await TestServer.with(run.storePath) { server in
      for target in ["/", "/runs/\(run.id)", "/runs/\(run.id)/instances/0", "/compare?run=\(run.id)&run=\(other.id)"] {
        let reply = try await server.ask(target)
        #expect(reply.status == 200)
        for mark in ["<script>alert", "<img src=x", "\u{202E}", "\u{1B}", "\u{0}", "'&\u{202E}"] {
          #expect(!reply.body.contains(mark), "\(target) has \(mark)")
        }
      }
      let events = try await server.watch("/runs/\(run.id)/events").read { $0.contains("event: log") || $0.contains("\"failed\"") }
      #expect(!events.contains("\u{1B}") && !events.contains("\u{0}"))
    }
  }

  @Test("a port that is in use is one clear error")
  func portInUse() async throws {
    let run = try StagedRun()
    try await TestServer.with(run.storePath) { server in
      await #expect {
        _ = try await WebServer.start(storePath: run.storePath, host: "127.0.0.1", port: server.port)
      } throws: {
        "\($0)" == "port \(server.port) is in use: choose another with --port, or 0 for any that is free"
      }
      await #expect(throws: ServingError.self) { _ = try await WebServer.start(storePath: run.storePath, host: "203.0.113.7", port: 0) }
    }
  }

  @Test("an end is an end at once, whoever is connected")
  func stopped() async throws {
    let run = try StagedRun()
    let server = try await WebServer.start(storePath: run.storePath, host: "127.0.0.1", port: 0)
    let test = TestServer(server: server)
    let watching = try (0..<5).map { _ in try test.watch("/runs/\(run.id)/events") }
    for client in watching { _ = try await client.read { $0.contains("event: instances") } }
    let idle = try RawClient(port: server.port)
    await server.stop()
    for client in watching { _ = try await client.readAll() }
    #expect(try await idle.readAll() == "")
    #expect(throws: RawClient.Failure.self) { try RawClient(port: server.port) }
  }

  /// Looks until it holds, for a few seconds.
  static func eventually(_ holds: () -> Bool) async throws {
    for _ in 0..<1000 where !holds() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(holds())
  }
}

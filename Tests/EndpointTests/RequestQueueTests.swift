import Endpoint
import Foundation
import JSONValues
import ScriptedServers
import Synchronization
import Testing

/// Asking a server: order, retries, bounds, hostile answers. Everything blocks a thread of the test's own.
@Suite("Asking a server") struct RequestQueueTests {
  static let fast = RetryPolicy(attempts: 3, firstDelay: 0.001, mostDelay: 0.01, patience: 0.2)

  /// Runs on a thread of its own, for it waits.
  static func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  private static func address(
    _ url: String, key: String? = nil, timeout: Double = 20, concurrency: Int = 4, mostBytes: Int = 1 << 20
  ) throws -> ServerAddress {
    try ServerAddress(url, key: key, timeout: timeout, concurrency: concurrency, mostBytes: mostBytes)
  }

  /// The answers in the order in which they came, or the error.
  private static func ask(_ address: ServerAddress, _ count: Int = 1, policy: RetryPolicy = fast) async throws -> [Int: String] {
    try await onThread {
      var answers: [Int: String] = [:]
      let isWhole = try RequestQueue(address, policy).ask(
        "completions", Array(0..<count), body: { ["n": .integer($0)] }, isStopped: { false }, take: { answers[$0] = $1.encoded() })
      return isWhole ? answers : [:]
    }
  }

  private static func failure(_ address: ServerAddress, policy: RetryPolicy = fast) async -> String {
    do {
      _ = try await ask(address, policy: policy)
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test("answers belong to their questions whatever order they come in, and no more are under way than allowed")
  func order() async throws {
    let underWay = Mutex((now: 0, most: 0))
    let server = try ScriptedServer { request, _ in
      underWay.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      defer { underWay.withLock { $0.now -= 1 } }
      return .json(request.text)
    }
    defer { server.stop() }
    let answers = try await Self.ask(try Self.address(server.url, key: "sk-abc"), 40)
    #expect(answers == Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, "{\"n\":\($0)}") }))
    #expect(server.requests.count == 40 && underWay.withLock { $0.most } <= 4)
    #expect(server.requests.allSatisfy { $0.path == "/v1/completions" && $0.headers["authorization"] == "Bearer sk-abc" })
  }

  @Test("a server that is busy, breaks or hangs up is asked again", arguments: [429, 500, 503, 0])
  func again(status: Int) async throws {
    let server = try ScriptedServer { _, number in
      number == 0 ? (status == 0 ? .hangUp : .json(status, "{}", ["Retry-After": "0"])) : .json("{\"ok\":true}")
    }
    defer { server.stop() }
    #expect(try await Self.ask(try Self.address(server.url)) == [0: "{\"ok\":true}"])
    #expect(server.requests.count == 2)
  }

  @Test("one that stays so is given up after so many attempts, with what it says")
  func given() async throws {
    let server = try ScriptedServer { _, _ in .json(503, #"{"error":{"message":"model is \u001b[2J loading, key sk-secret"}}"#) }
    defer { server.stop() }
    let said = await Self.failure(try Self.address(server.url, key: "sk-secret"))
    #expect(said.hasPrefix("\(server.url)/completions: the server answered with status 503: model is "))
    #expect(said.hasSuffix("loading, key ***") && !said.contains("\u{1B}") && server.requests.count == 3)
  }

  @Test("a question that the server refuses is not asked again")
  func refusedQuestion() async throws {
    let server = try ScriptedServer { _, _ in .json(400, #"{"detail":"no such model"}"#) }
    defer { server.stop() }
    #expect(
      await Self.failure(try Self.address(server.url)) == "\(server.url)/completions: the server answered with status 400: no such model")
    #expect(server.requests.count == 1)
  }

  @Test("a redirection is not followed: the key would go along")
  func redirected() async throws {
    let server = try ScriptedServer { _, _ in .json(302, "", ["Location": "http://127.0.0.1:1/"]) }
    defer { server.stop() }
    #expect(await Self.failure(try Self.address(server.url)) == "\(server.url)/completions: the server answered with status 302")
  }

  @Test("nobody is there: that is waited for, and no longer than said")
  func absent() async throws {
    let server = try ScriptedServer { _, _ in .json("{}") }
    let url = server.url
    server.stop()
    #expect(
      await Self.failure(try Self.address(url)) == "\(url)/completions: no server answered within 0.2 s (connection refused)")
  }

  @Test("a server that comes up late is found")
  func late() async throws {
    let first = try ScriptedServer { _, _ in .json("{}") }
    let (url, port) = (first.url, first.port)
    first.stop()
    async let answers = Self.ask(try Self.address(url), policy: RetryPolicy(attempts: 3, firstDelay: 0.01, patience: 60))
    let second = try await Self.onThread { try ScriptedServer(port: port) { _, _ in .json("{\"late\":1}") } }
    defer { second.stop() }
    #expect(try await answers == [0: "{\"late\":1}"])
  }

  @Test("one that never answers is given up")
  func hanging() async throws {
    let server = try ScriptedServer { _, _ in .silence }
    defer { server.stop() }
    let said = await Self.failure(try Self.address(server.url, timeout: 0.2))
    #expect(said == "\(server.url)/completions: no answer in time, after 3 attempts")
  }

  @Test("too many bytes, no JSON and no HTTP are one error each")
  func hostile() async throws {
    let endless = [UInt8]("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    let chunk = [UInt8]("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x10000) + [UInt8]("\r\n".utf8)
    let cases: [(ScriptedServer.Answer, String)] = [
      (.raw(endless + (0..<40).flatMap { _ in chunk }), "the answer has more than 1048576 bytes"),
      (.raw([UInt8]("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".utf8)), "the answer has more than 1048576 bytes"),
      (.raw([UInt8]("SSH-2.0-server\r\n\r\n".utf8)), "the answer is not HTTP"),
      (.json("<html>"), "the answer is no JSON"), (.json(String(repeating: "[", count: 100_000)), "the answer is no JSON"),
      (.json(#"{"a":1,"a":2}"#), "the answer is no JSON"),
    ]
    for (reply, wanted) in cases {
      let server = try ScriptedServer { _, _ in reply }
      let said = await Self.failure(try Self.address(server.url))
      #expect(said.hasPrefix("\(server.url)/completions: \(wanted)"), "\(said)")
      #expect(server.requests.count == 1)
      server.stop()
    }
  }

  @Test("whoever is asked to stop does not wait for the answers")
  func stopped() async throws {
    let server = try ScriptedServer { _, _ in .silence }
    defer { server.stop() }
    let address = try Self.address(server.url, timeout: 3600)
    let isWhole = try await Self.onThread {
      try RequestQueue(address, Self.fast).ask(
        "completions", [0, 1], body: { _ in [:] }, isStopped: { server.requests.count == 2 }, take: { _, _ in })
    }
    #expect(!isWhole)
  }

  @Test(
    "addresses that are none, and passwords in them, are refused",
    arguments: ["", "127.0.0.1:8000", "ftp://a/v1", "http://", "http://a/?b"])
  func addresses(text: String) {
    #expect(throws: EndpointError.self) { try ServerAddress(text, timeout: 1, concurrency: 1) }
  }

  @Test("waits between attempts double, keep to their bound, and heed what a server asks for within reason")
  func delays() {
    let policy = RetryPolicy()
    #expect([1, 2, 3, 10].map { policy.delay(after: $0, asked: nil) } == [0.5, 1, 2, 30])
    #expect([7, 1000].map { policy.delay(after: 1, asked: $0) } == [7, 120])
  }
}

import Artifacts
import Hashing
import NIOCore
import Remotes
import ScriptedServers
import Testing

@Suite("Servers that answer as none should")
struct HostileAnswerTests {
  private typealias Request = ScriptedServer.Request
  private typealias Answer = ScriptedServer.Answer

  /// What `use` makes of a registry that answers so.
  private func failing(
    idle: TimeAmount = .seconds(20), _ answer: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer,
    using use: @escaping @Sendable (OCIRemote) async throws -> Void
  ) async throws -> (error: RemoteError?, requests: [ScriptedServer.Request]) {
    let server = try ScriptedServer(answer)
    defer { server.stop() }
    var limits = WebClient.Limits()
    (limits.connect, limits.idle) = (.seconds(5), idle)
    let chosen = limits
    let error = try await failure {
      let client = RegistryClient(try OCIAddress("oci://\(server.address)/a"), environment: [:], limits: chosen)
      let remote = OCIRemote(client)
      do { try await use(remote) } catch {
        await remote.close()
        throw error
      }
      await remote.close()
    }
    return (
      error.map { RemoteError($0.kind, $0.message.replacing(server.address, with: "SERVER"), retryAfter: $0.retryAfter) }, server.requests
    )
  }

  private static let blob = Blob(Digest(hashing: "0123456789"), size: 10)
  private static let name = RemoteDocument.result(Digest(hashing: "key"))

  private static func get(_ remote: OCIRemote, from offset: Int = 0) async throws -> String {
    var bytes: [UInt8] = []
    try await remote.get(blob, from: offset) { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(
    "a part is got from servers that do ranges, and from those that do not",
    arguments: [
      Answer.plain(206, ["content-range": "bytes 4-9/10"], Array("456789".utf8)), .plain(200, [:], Array("0123456789".utf8)),
      .raw(Array("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n".utf8)),
      .raw(Array("HTTP/1.0 200 OK\r\n\r\n0123456789".utf8)),
    ])
  func ranges(answer: ScriptedServer.Answer) async throws {
    let (error, requests) = try await failing { _ in
      answer
    } using: { remote in
      let text = try await Self.get(remote, from: 4)
      #expect(text == "456789")
    }
    #expect(error == nil)
    #expect(requests.first?.headers["range"] == "bytes=4-")
  }

  @Test(
    "an answer that cannot be right is told apart from one that may come right",
    arguments: [
      (Answer.plain(404, [:], []), RemoteError.Kind.absent, "oci://SERVER/a: \(blob.digest) is not there"),
      (
        .plain(206, ["content-range": "bytes 0-5/10"], Array("012345".utf8)), .damaged,
        "oci://SERVER/a: asked for \(blob.digest) from byte 4, and got another part"
      ),
      (
        .plain(206, ["content-range": "bytes 4-11/12"], Array("456789ab".utf8)), .damaged,
        "oci://SERVER/a: \(blob.digest) has 12 bytes there instead of 10"
      ),
      (.plain(206, [:], Array("456789".utf8)), .damaged, "oci://SERVER/a: asked for \(blob.digest) from byte 4, and got another part"),
      (.plain(200, [:], Array("012".utf8)), .damaged, "oci://SERVER/a: \(blob.digest) has 3 bytes there instead of 10"),
      (.plain(416, [:], []), .damaged, "oci://SERVER/a: \(blob.digest) has fewer bytes there than the 10 it should have"),
      (
        .plain(429, ["retry-after": "7"], Array(#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\u001b[31m down"}]}"#.utf8)),
        .passing,
        "oci://SERVER/a: cannot read a blob now (status 429): TOOMANYREQUESTS: slow␛[31m down"
      ),
      (
        .plain(403, [:], Array(#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#.utf8)), .lasting,
        "oci://SERVER/a: not allowed to read a blob: DENIED: not yours"
      ),
      (.plain(500, [:], []), .passing, "oci://SERVER/a: cannot read a blob now (status 500)"),
      (.raw([]), .passing, "oci://SERVER/a: the server closed the connection"),
      (.raw(Array("SSH-2.0-OpenSSH\r\n".utf8)), .passing, "oci://SERVER/a: the answer is broken off or no HTTP"),
      (.silence, .passing, "oci://SERVER/a: no answer in time"),
      (
        .plain(302, ["location": "/v2/a/blobs/\(blob.digest)"], []), .lasting, "oci://SERVER/a: more than 5 redirects in a row"
      ),
      (.plain(302, [:], []), .damaged, "oci://SERVER/a: a redirect that leads nowhere"),
      (.plain(302, ["location": "file:///etc/passwd"], []), .damaged, "oci://SERVER/a: a redirect that leads nowhere"),
    ])
  func answers(answer: ScriptedServer.Answer, kind: RemoteError.Kind, message: String) async throws {
    let isSilent = if case .silence = answer { true } else { false }
    let (error, requests) = try await failing(idle: isSilent ? .milliseconds(200) : .seconds(20)) { _ in
      answer
    } using: {
      _ = try await Self.get($0, from: 4)
    }
    #expect(error?.kind == kind)
    #expect(error?.message == message)
    // Nothing is tried twice here.
    #expect(requests.count <= 6)
    if case .plain(429, _, _) = answer { #expect(error?.retryAfter == 7) }
  }

  @Test("a body that breaks off gives what came, and is worth another try")
  func brokenOff() async throws {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"
    let came = Counter()
    let (error, _) = try await failing { _ in
      .raw(Array(head.utf8))
    } using: { remote in
      try await remote.get(Self.blob, from: 0) { came.add($0.count) }
    }
    #expect(error?.kind == .passing)
    #expect(came.value == 5)
  }

  @Test("a body without end ends when the taker has enough")
  func endless() async throws {
    struct Enough: Error {}
    let piece = [UInt8](repeating: 0, count: 65536)
    let came = Counter()
    let server = try ScriptedServer { _ in .endless(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), piece) }
    defer { server.stop() }
    await #expect(throws: Enough.self) {
      try await onThreads {
        let remote = try OCIRemote("oci://\(server.address)/a", environment: [:])
        try await remote.get(Self.blob, from: 0) { piece in
          came.add(piece.count)
          if came.value > 10 { throw Enough() }
        }
      }
    }
  }

  @Test(
    "what should be small is read no further than that",
    arguments: [
      (
        Answer.endless(
          Array("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[".utf8), [UInt8](repeating: UInt8(ascii: "["), count: 65536)),
        RemoteError.Kind.damaged, "oci://SERVER/a: the manifest result-\(Digest(hashing: "key").hex) has more than 4194304 bytes"
      ),
      (
        .plain(200, ["content-length": "99999999999"], []), .damaged,
        "oci://SERVER/a: the manifest result-\(Digest(hashing: "key").hex) has more than 4194304 bytes"
      ),
      (
        .plain(200, [:], Array(String(repeating: "[", count: 100_000).utf8)), .damaged,
        "oci://SERVER/a: the manifest result-\(Digest(hashing: "key").hex) is no JSON: line 1, column 33: nested more than 32 deep"
      ),
      (
        .plain(200, ["docker-content-digest": Digest(hashing: "other").text], Array("{}".utf8)), .damaged,
        "oci://SERVER/a: the manifest result-\(Digest(hashing: "key").hex) has other bytes than the registry says"
      ),
    ])
  func large(answer: ScriptedServer.Answer, kind: RemoteError.Kind, message: String) async throws {
    let (error, _) = try await failing { _ in
      answer
    } using: {
      _ = try await $0.document(Self.name, limit: 1000)
    }
    #expect(error?.kind == kind)
    #expect(error?.message == message)
  }

  @Test("headers without end are refused")
  func headers() async throws {
    let more = Array("x-more: \(String(repeating: "a", count: 1000))\r\n".utf8)
    let (error, _) = try await failing { _ in
      .endless(Array("HTTP/1.1 200 OK\r\n".utf8), more)
    } using: {
      _ = try await Self.get($0)
    }
    #expect(error == RemoteError(.damaged, "oci://SERVER/a: the answer has more headers than make sense"))
  }

  @Test("an answer that says that a blob is stored as another is refused")
  func storedAsAnother() async throws {
    let (error, _) = try await failing { request in
      request.method == "POST"
        ? .plain(202, ["location": "/v2/a/blobs/uploads/1"], []) : .plain(201, ["docker-content-digest": Digest(hashing: "other").text], [])
    } using: {
      try await $0.put(Self.blob, BytesSource(Array("0123456789".utf8))) { _ in }
    }
    #expect(error == RemoteError(.damaged, "oci://SERVER/a: the registry stored \(Self.blob.digest) as \(Digest(hashing: "other"))"))
  }

  @Test("an upload that is never where it should be is given up")
  func corrections() async throws {
    let bytes = [UInt8](repeating: 1, count: 5 << 20)
    let (error, requests) = try await failing { request in
      switch request.method {
      case "POST": .plain(202, ["location": "/v2/a/blobs/uploads/1"], [])
      case "GET": .plain(204, ["range": "0-99"], [])
      default: .plain(416, ["range": "0-99"], [])
      }
    } using: {
      try await $0.put(Blob(Digest(hashing: bytes), size: bytes.count), BytesSource(bytes)) { _ in }
    }
    #expect(error == RemoteError(.damaged, "oci://SERVER/a: the registry wants another part every time"))
    #expect(requests.count < 12)
  }

  // MARK: - Being let in

  @Test("a registry that never is content with a token is asked no third time")
  func loop() async throws {
    let (error, requests) = try await failing { request in
      request.path == "/token"
        ? .json(200, #"{"token":"t"}"#)
        : .plain(
          401,
          ["www-authenticate": #"Bearer realm="http://\#(request.headers["host"] ?? "")/token",service="s",scope="repository:a:pull""#], [])
    } using: {
      _ = try await $0.missing([Self.blob])
    }
    #expect(error == RemoteError(.lasting, "oci://SERVER/a: the registry asks who you are; log in with `docker login SERVER`"))
    #expect(requests.map(\.path) == ["/v2/a/blobs/\(Self.blob.digest)", "/token", "/v2/a/blobs/\(Self.blob.digest)"])
    #expect(requests[1].target == "/token?service=s&scope=repository%3Aa%3Apull")
    #expect(requests[1].parameter("scope") == "repository:a:pull")
    #expect(requests[2].headers["authorization"] == "Bearer t")
  }

  @Test(
    "a challenge that makes no sense is refused",
    arguments: [
      ("Bearer service=x", "the registry asks for a token and does not say where to get one"),
      (#"Bearer realm="ftp://x""#, "the registry asks for a token and does not say where to get one"),
      ("Negotiate", "the registry asks who you are; log in with `docker login SERVER`"),
    ])
  func challenges(challenge: String, message: String) async throws {
    let (error, _) = try await failing { _ in
      .plain(401, ["www-authenticate": challenge], [])
    } using: {
      _ = try await $0.missing([Self.blob])
    }
    #expect(error?.message == "oci://SERVER/a: \(message)")
  }

  @Test("a password goes to the registry's token server and the token to the registry, and neither elsewhere")
  func leaks() async throws {
    let elsewhere = try ScriptedServer { _ in .plain(200, [:], Array("0123456789".utf8)) }
    defer { elsewhere.stop() }
    let other = elsewhere.port
    let directory = try TemporaryDirectory()
    let server = try ScriptedServer { request in
      if request.path == "/token" { return .json(200, #"{"access_token":"the-token","expires_in":60}"#) }
      guard request.headers["authorization"] == "Bearer the-token" else {
        return .plain(401, ["www-authenticate": #"Bearer realm="http://\#(request.headers["host"] ?? "")/token",service="s""#], [])
      }
      return .plain(307, ["location": "http://127.0.0.1:\(other)/cdn"], [])
    }
    defer { server.stop() }
    let json = #"{"auths": {"\#(server.address)": {"username": "me", "password": "secret"}}}"#
    try await onThreads {
      try FileSystem.posix.write(Array(json.utf8), to: directory.path + "/config.json")
      let remote = try OCIRemote("oci://\(server.address)/a", environment: ["DOCKER_CONFIG": directory.path])
      let text = try await Self.get(remote)
      #expect(text == "0123456789")
    }
    #expect(server.requests.map { $0.headers["authorization"] } == [nil, "Basic bWU6c2VjcmV0", "Bearer the-token"])
    #expect(elsewhere.requests.count == 1)
    #expect(elsewhere.requests[0].headers["authorization"] == nil)
  }

  @Test("nobody there is said with the system's reason")
  func nobody() async throws {
    let server = try ScriptedServer { _ in .silence }
    server.stop()
    let error = try await failure { _ = try await OCIRemote("oci://\(server.address)/a", environment: [:]).missing([Self.blob]) }
    #expect(error?.kind == .passing)
    #expect(error?.message == "oci://\(server.address)/a: cannot connect: Connection refused")
  }

  @Test("a call whose task is cancelled ends")
  func cancelled() async throws {
    let asked = AsyncStream<Void>.makeStream()
    let server = try ScriptedServer { _ in
      asked.continuation.yield()
      return .silence
    }
    defer { server.stop() }
    let remote = try OCIRemote("oci://\(server.address)/a", environment: [:])
    let task = Task { try await remote.missing([Self.blob]) }
    for await _ in asked.stream { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await remote.close()
  }
}

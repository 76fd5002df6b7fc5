import Hashing
import Remotes
import ScriptedServers
import Testing

@Suite("S3 servers that answer as they please")
struct S3AnswerTests {
  private static let keys = ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"]
  private static let blob = Blob(Digest(hashing: "0123456789"), size: 10)

  private func failing(
    _ answer: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer,
    using use: @escaping @Sendable (S3Remote) async throws -> Void
  ) async throws -> (error: RemoteError?, requests: [ScriptedServer.Request]) {
    let server = try ScriptedServer(answer)
    defer { server.stop() }
    let error = try await failure {
      let remote = try S3Remote("s3://bucket/p?endpoint=http://\(server.address)", environment: Self.keys)
      try await use(remote)
    }
    return (error, server.requests)
  }

  private static func put(_ remote: S3Remote) async throws { try await remote.put(blob, BytesSource(Array("0123456789".utf8))) { _ in } }

  @Test("what is there already is not written over, and what is there wrongly is")
  func conditions() async throws {
    let key = "/bucket/p/objects/\(Self.blob.digest.hex.prefix(2))/\(Self.blob.digest.hex.dropFirst(2))"
    for there in [10, 3] {
      let (error, requests) = try await failing(
        { request in
          if request.method == "HEAD" { return .plain(200, ["content-length": "\(there)"], []) }
          return .plain(request.headers["if-none-match"] == "*" ? 412 : 200, [:], [])
        }, using: Self.put)
      #expect(error == nil)
      #expect(requests.map(\.method) == (there == 10 ? ["PUT", "HEAD"] : ["PUT", "HEAD", "PUT"]))
      #expect(requests.allSatisfy { $0.path == key })
      #expect(requests[0].headers["x-amz-content-sha256"] == Self.blob.digest.hex)
    }
  }

  @Test("a server without conditions is asked for none again")
  func unconditional() async throws {
    let (error, requests) = try await failing {
      .plain($0.headers["if-none-match"] == nil ? 200 : 501, [:], [])
    } using: { remote in
      try await Self.put(remote)
      try await Self.put(remote)
    }
    #expect(error == nil)
    #expect(requests.map { $0.headers["if-none-match"] } == ["*", nil, nil])
  }

  @Test(
    "a refusal is one line that says what to do",
    arguments: [
      (
        503, "<Error><Code>SlowDown</Code><Message>Please</Message></Error>", RemoteError.Kind.passing,
        "cannot store an object now (status 503): SlowDown: Please"
      ),
      (
        403, "<Error><Code>AccessDenied</Code><Message>no\u{1B}[2J</Message></Error>", .lasting,
        "not allowed to store an object as id of the environment: AccessDenied: no␛[2J"
      ),
      (
        403, "<Error><Code>ExpiredToken</Code></Error>", .lasting,
        "cannot store an object: the session of id of the environment has ended; get new keys"
      ),
      (
        301, "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-central-1.amazonaws.com</Endpoint></Error>", .lasting,
        "cannot store an object: the bucket is at b.s3.eu-central-1.amazonaws.com; say endpoint=https://…"
      ),
      (
        400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>", .lasting,
        "cannot store an object: the bucket is in the region eu-west-1, not us-east-1; say region=eu-west-1 or set AWS_REGION"
      ),
      (400, "<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", .lasting, "cannot store an object (status 400)"),
      (400, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>", .passing, "the server received other bytes than were sent"),
    ])
  func refusals(status: Int, body: String, kind: RemoteError.Kind, message: String) async throws {
    let (error, _) = try await failing({ _ in .plain(status, ["x-amz-request-id": "1"], Array(body.utf8)) }, using: Self.put)
    #expect(error == RemoteError(kind, "s3://bucket/p: \(message)"))
  }

  @Test("a list that never ends is given up, and a list that is none refused")
  func lists() async throws {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
    let (endless, requests) = try await failing { _ in
      .plain(200, [:], Array(page.utf8))
    } using: {
      _ = try await $0.documents(.tags)
    }
    #expect(endless == RemoteError(.damaged, "s3://bucket/p: the list of objects does not end"))
    #expect(requests.count == 2)
    let (none, _) = try await failing { _ in
      .plain(200, [:], Array("<html></html>".utf8))
    } using: {
      _ = try await $0.documents(.tags)
    }
    #expect(none == RemoteError(.damaged, "s3://bucket/p: the server's list of objects is none"))
  }

  @Test("only what lies where documents lie is listed")
  func listed() async throws {
    let keys = ["p/tags/a", "p/tags/b/c", "other/tags/x", "p/tags/../../etc", "p/tags/d.1"]
    let page = "<ListBucketResult>\(keys.map { "<Contents><Key>\($0)</Key></Contents>" }.joined())</ListBucketResult>"
    let server = try ScriptedServer { _ in .plain(200, [:], Array(page.utf8)) }
    defer { server.stop() }
    let found = try await onThreads {
      try await S3Remote("s3://bucket/p?endpoint=http://\(server.address)", environment: Self.keys).documents(.tags)
    }
    #expect(found?.map(\.name) == ["a", "d.1"])
  }

  @Test("an upload that the server says it could not put together is no success")
  func completion() async throws {
    let bytes = [UInt8](repeating: 3, count: 33 << 20)
    let blob = Blob(Digest(hashing: bytes), size: bytes.count)
    let (error, requests) = try await failing { request in
      switch (request.method, request.parameter("uploadId")) {
      case ("POST", nil): .plain(200, [:], Array("<R><UploadId>u&amp;1</UploadId></R>".utf8))
      case ("POST", _): .plain(200, [:], Array("<Error><Code>InternalError</Code></Error>".utf8))
      case ("PUT", _): .plain(200, ["etag": "\"<\(request.parameter("partNumber") ?? "")>\""], [])
      default: .plain(404, [:], [])
      }
    } using: {
      try await $0.put(blob, BytesSource(bytes)) { _ in }
    }
    #expect(error == RemoteError(.passing, "s3://bucket/p: the server could not put an object together: InternalError"))
    let end = try #require(requests.last { $0.method == "POST" })
    #expect(end.parameter("uploadId") == "u&1")
    #expect(SmallXML(parsing: end.body)?.all("Part").map { $0.text("ETag") } == ["\"<1>\"", "\"<2>\"", "\"<3>\""])
  }
}

import Foundation
import Hashing
import NIOHTTP1
import Remotes
import Testing

/// Against a server that scripts/test-services started.
@Suite("An S3 server", .enabled(if: Service.s3 != nil, "HEIRLOOM_TEST_S3 is not set (scripts/test-services --need s3)"), .serialized)
struct RealS3Tests {
  private let environment = ProcessInfo.processInfo.environment
  private let bucket = "heirloom-\(UUID().uuidString.lowercased().prefix(13))"

  private var address: String { "s3://\(bucket)/some/prefix?endpoint=\(Service.s3 ?? "")" }

  private func client() throws -> S3Client { try S3Client(try S3Address(address), environment: environment) }

  /// A bucket of its own for every test.
  private func makeBucket() async throws {
    let client = try client()
    let answer = try await client.send(WebRequest(.PUT, client.url(nil)))
    #expect(answer.status == 200)
    await client.close()
  }

  @Test("objects of all sizes go there and come back, also from the middle", arguments: [0, 1, 5 << 20, (33 << 20) + 7, 70 << 20])
  func blobs(size: Int) async throws {
    let bytes = someBytes(size)
    let blob = Blob(Digest(hashing: bytes), size: size)
    let (address, environment) = (address, environment)
    try await onThreads {
      try await makeBucket()
      let remote = try S3Remote(address, environment: environment)
      #expect(try await remote.missing([blob]) == [blob])
      let sent = Counter()
      try await remote.put(blob, BytesSource(bytes)) { sent.add($0) }
      #expect(sent.value == size)
      #expect(try await remote.missing([blob]) == [])
      // Once more does no harm.
      try await remote.put(blob, BytesSource(bytes)) { _ in }
      for offset in Set([0, size / 2, max(0, size - 1)]) where offset < size {
        var back = DigestHasher()
        try await remote.get(blob, from: offset) { back.update($0) }
        #expect(back.finish() == Digest(hashing: Array(bytes[offset...])))
      }
      await remote.close()
    }
  }

  @Test("documents are written over, read, listed and bounded")
  func documents() async throws {
    let (address, environment) = (address, environment)
    let names = try (0..<3).map { try #require(RemoteDocument(.tags, "tag-\($0)")) }
    try await onThreads {
      try await makeBucket()
      let remote = try S3Remote(address, environment: environment)
      #expect(try await remote.documents(.tags) == [])
      #expect(try await remote.document(names[0], limit: 100) == nil)
      for name in names { try await remote.put(name, Array("first".utf8), blobs: []) }
      try await remote.put(names[1], Array("second".utf8), blobs: [])
      #expect(try await remote.document(names[1], limit: 100) == Array("second".utf8))
      #expect(try await remote.documents(.tags) == names)
      #expect(try await remote.documents(.results) == [])
      await remote.close()
    }
    let error = try await failure { _ = try await S3Remote(address, environment: environment).document(names[1], limit: 3) }
    #expect(error?.kind == .damaged)
  }

  @Test("wrong bytes are refused by the server, and nothing is there")
  func wrongBytes() async throws {
    let (address, environment) = (address, environment)
    let blob = Blob(Digest(hashing: "right"), size: 5)
    let error = try await failure {
      try await makeBucket()
      try await S3Remote(address, environment: environment).put(blob, BytesSource(Array("wrong".utf8))) { _ in }
    }
    #expect(error == RemoteError(.passing, "s3://\(bucket)/some/prefix: the server received other bytes than were sent"))
    let missing = try await onThreads { try await S3Remote(address, environment: environment).missing([blob]) }
    #expect(missing == [blob])
  }

  @Test("parts that arrived are not sent again, and those of a broken source are thrown away")
  func parts() async throws {
    struct Source: BlobSource {
      let bytes: [UInt8]
      let end: Int
      let failure: any Error
      let taken: Counter
      var size: Int { bytes.count }
      func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
        guard offset < end else { throw failure }
        taken.add(count)
        return Array(bytes[offset..<min(offset + count, bytes.count)])
      }
    }
    struct Broken: Error {}
    let (address, environment) = (address, environment)
    let bytes = someBytes(80 << 20)
    let blob = Blob(Digest(hashing: bytes), size: bytes.count)
    try await onThreads {
      try await makeBucket()
      let remote = try S3Remote(address, environment: environment)
      let first = Counter()
      // As if the network broke after the first four parts, which are sent together.
      let broken = RemoteError(.passing, "broken")
      await #expect(throws: broken) {
        try await remote.put(blob, Source(bytes: bytes, end: 64 << 20, failure: broken, taken: Counter())) { first.add($0) }
      }
      let sent = Counter()
      try await remote.put(blob, Source(bytes: bytes, end: bytes.count, failure: Broken(), taken: Counter())) { sent.add($0) }
      #expect(sent.value <= bytes.count - first.value)
      #expect(first.value >= 16 << 20)
      var back = DigestHasher()
      try await remote.get(blob, from: 0) { back.update($0) }
      #expect(back.finish() == blob.digest)
      let other = Blob(Digest(hashing: "other"), size: 40 << 20)
      await #expect(throws: Broken.self) {
        try await remote.put(other, Source(bytes: bytes, end: 20 << 20, failure: Broken(), taken: Counter())) { _ in }
      }
      let client = try client()
      let uploads = SmallXML(parsing: try await client.send(WebRequest(.GET, client.url(nil, [("uploads", "")]))).bytes(1 << 20, "uploads"))
      #expect(uploads?.all("Upload").count == 0)
      await client.close()
      await remote.close()
    }
  }

  @Test("what the server refuses is said in words that help")
  func refusals() async throws {
    let (address, environment, bucket) = (address, environment, bucket)
    let blob = Blob(Digest(hashing: "x"), size: 1)
    func error(_ address: String, _ changed: [String: String] = [:]) async throws -> RemoteError? {
      let own = environment.merging(changed) { $1 }
      return try await failure { try await S3Remote(address, environment: own).put(blob, BytesSource([120])) { _ in } }
    }
    let none = try await error(address)
    #expect(none == RemoteError(.lasting, "s3://\(bucket)/some/prefix: cannot store an object: there is no bucket '\(bucket)'"))
    let secret = try await error(address, ["AWS_SECRET_ACCESS_KEY": "no"])
    #expect(
      secret?.message
        == "s3://\(bucket)/some/prefix: cannot store an object: the secret of \(environment["AWS_ACCESS_KEY_ID"] ?? "") of the environment is not the one that the server knows"
    )
    let key = try await error(address, ["AWS_ACCESS_KEY_ID": "NOBODY"])
    #expect(key?.message == "s3://\(bucket)/some/prefix: cannot store an object: the server does not know NOBODY of the environment")
    let skewed = try await failure {
      let client = try S3Client(try S3Address(address), environment: environment, now: { 1_000_000_000 })
      try await S3Remote(client).put(blob, BytesSource([120])) { _ in }
    }
    #expect(skewed?.message.contains("this machine's clock says 20010909T014640Z and the server's ") == true)
  }
}

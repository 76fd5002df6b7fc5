import Hashing
import JSONValues
import Remotes
import Testing

@Suite("A registry as a remote")
struct RegistryTests {
  /// Larger than what is sent with one request.
  static let large = someBytes(9 << 20)

  private func upload(_ bytes: [UInt8], _ habits: RegistryDouble.Habits, attempts: Int = 1) async throws -> (RegistryDouble, sent: Int) {
    let registry = try RegistryDouble(habits)
    defer { registry.server.stop() }
    let blob = Blob(Digest(hashing: bytes), size: bytes.count)
    let sent = try await onThreads {
      let remote = try OCIRemote(registry.address, environment: [:])
      let counter = Counter()
      for attempt in 1...attempts {
        do { try await remote.put(blob, BytesSource(bytes)) { counter.add($0) } } catch let error as RemoteError {
          guard error.kind == .passing, attempt < attempts else { throw error }
        }
      }
      await remote.close()
      return counter.value
    }
    #expect(registry.blobs[blob.digest.text].map { Digest(hashing: $0) } == blob.digest)
    return (registry, sent)
  }

  @Test("a blob arrives whatever its size", arguments: [0, 1, 4 << 20, (4 << 20) + 1])
  func sizes(size: Int) async throws {
    let (_, sent) = try await upload(Array(Self.large.prefix(size)), .init())
    #expect(sent == size)
  }

  @Test("a large blob is one stream to a registry that takes it")
  func stream() async throws {
    let (registry, sent) = try await upload(Self.large, .init())
    #expect(registry.server.requests.map(\.method) == ["POST", "PATCH", "PUT"])
    #expect(registry.server.requests[1].headers["content-range"] == "0-\(Self.large.count - 1)")
    #expect(sent == Self.large.count)
  }

  @Test("a blob is cut for a registry that takes only so much at once")
  func chunks() async throws {
    var habits = RegistryDouble.Habits()
    habits.mostBytes = 4 << 20
    let (registry, _) = try await upload(Self.large, habits)
    let taken = registry.server.requests.filter { $0.method == "PATCH" && $0.body.count <= 4 << 20 }
    #expect(taken.map { $0.headers["content-range"] } == ["0-4194303", "4194304-8388607", "8388608-9437183"])
  }

  @Test("a registry that wants chunks no smaller than it takes is not served")
  func impossible() async throws {
    var habits = RegistryDouble.Habits()
    (habits.mostBytes, habits.minimum) = (2 << 20, 3 << 20)
    let wanted = habits
    let error = try await failure { _ = try await self.upload(Self.large, wanted) }
    #expect(error?.kind == .lasting)
    #expect(error?.message.hasSuffix("the registry, or a proxy before it, takes no request of this size") == true)
  }

  @Test("a registry without chunks gets the whole blob")
  func whole() async throws {
    var habits = RegistryDouble.Habits()
    habits.knowsChunks = false
    let (registry, _) = try await upload(Self.large, habits)
    #expect(registry.server.requests.map(\.method) == ["POST", "PATCH", "POST", "PUT"])
  }

  @Test("absolute places with a query and ranges with a unit are understood")
  func odd() async throws {
    var habits = RegistryDouble.Habits()
    habits.isOdd = true
    habits.cuts = [3 << 20]
    _ = try await upload(Self.large, habits, attempts: 2)
  }

  @Test("an upload that was cut goes on where it stopped")
  func resumed() async throws {
    var habits = RegistryDouble.Habits()
    habits.cuts = [3 << 20, 2 << 20]
    let (registry, _) = try await upload(Self.large, habits, attempts: 3)
    let ranges = registry.server.requests.filter { $0.method == "PATCH" }.map { $0.headers["content-range"] }
    #expect(ranges == ["0-9437183", "3145728-9437183", "5242880-9437183"])
  }

  @Test("an upload that the registry forgot is begun anew")
  func forgotten() async throws {
    var habits = RegistryDouble.Habits()
    habits.cuts = [3 << 20]
    habits.forgetsOnce = true
    let (registry, _) = try await upload(Self.large, habits, attempts: 3)
    #expect(registry.server.requests.filter { $0.method == "POST" }.count >= 2)
  }

  @Test("another process goes on with an upload that is written down")
  func notes() async throws {
    var habits = RegistryDouble.Habits()
    habits.cuts = [3 << 20]
    let registry = try RegistryDouble(habits)
    defer { registry.server.stop() }
    let directory = try TemporaryDirectory()
    let blob = Blob(Digest(hashing: Self.large), size: Self.large.count)
    let first = try await failure {
      let remote = try OCIRemote(registry.address, environment: [:], notes: directory.path)
      try await remote.put(blob, BytesSource(Self.large)) { _ in }
    }
    #expect(first?.kind == .passing)
    #expect(try directory.names().count == 1)
    try await onThreads {
      let remote = try OCIRemote(registry.address, environment: [:], notes: directory.path)
      try await remote.put(blob, BytesSource(Self.large)) { _ in }
    }
    #expect(registry.server.requests.filter { $0.method == "POST" }.count == 1)
    #expect(registry.blobs[blob.digest.text].map { Digest(hashing: $0) } == blob.digest)
    #expect(try directory.names() == [])
  }

  @Test("a source that fails fails the upload with its own words")
  func brokenSource() async throws {
    struct Broken: Error {}
    struct Source: BlobSource {
      let size = 9 << 20
      func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
        guard offset < 6 << 20 else { throw Broken() }
        return [UInt8](repeating: 7, count: count)
      }
    }
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    await #expect(throws: Broken.self) {
      try await onThreads {
        let remote = try OCIRemote(registry.address, environment: [:])
        try await remote.put(Blob(Digest(hashing: "x"), size: 9 << 20), Source()) { _ in }
      }
    }
  }

  // MARK: - Documents

  private func document(_ kind: RemoteDocument.Kind, _ name: String) throws -> RemoteDocument { try #require(RemoteDocument(kind, name)) }

  @Test("a document comes back as it was, and the manifest names its blobs for what they are")
  func documents() async throws {
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    let name = RemoteDocument.result(Digest(hashing: "key"))
    let weights = Blob(Digest(hashing: "w"), size: 1, title: "model/model.safetensors")
    let other = Blob(Digest(hashing: "o"), size: 2, title: "log.bin2", mediaType: "text/plain")
    let (back, listed, absent) = try await onThreads {
      let remote = try OCIRemote(registry.address, environment: [:])
      try await remote.put(name, Array(#"{"a":1}"#.utf8), blobs: [weights, other])
      return (
        try await remote.document(name, limit: 100), try await remote.documents(.results),
        try await remote.document(RemoteDocument.result(Digest(hashing: "none")), limit: 100)
      )
    }
    #expect(back == Array(#"{"a":1}"#.utf8))
    #expect(listed == [name])
    #expect(absent == nil)
    let manifest = try JSONValue(parsing: try #require(registry.manifest("result-\(Digest(hashing: "key").hex)")))
    #expect(manifest["artifactType"] == "application/vnd.heirloom.result.v1+json")
    #expect(manifest["config"]?["mediaType"] == "application/vnd.heirloom.result.v1+json")
    let layers = try #require(manifest["layers"]?.arrayValue)
    #expect(layers.map { $0["mediaType"] } == ["application/vnd.cncf.model.weight.v1.raw", "text/plain"])
    #expect(layers[0]["annotations"]?["org.opencontainers.image.title"] == "model/model.safetensors")
    #expect(layers[0]["annotations"]?["org.cncf.model.filepath"] == "model/model.safetensors")
    #expect(layers[1]["annotations"]?["org.cncf.model.filepath"] == nil)
  }

  @Test("a recipe with results is an index of them, which says the same document")
  func index() async throws {
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    let tag = try document(.tags, "quickstart")
    let results = [RemoteDocument.result(Digest(hashing: "1")), RemoteDocument.result(Digest(hashing: "2"))]
    let back = try await onThreads {
      let remote = try OCIRemote(registry.address, environment: [:])
      for result in results { try await remote.put(result, Array("{}".utf8), blobs: []) }
      try await remote.put(tag, Array("recipe".utf8), blobs: [], upon: results)
      let other = try OCIRemote(registry.address, environment: [:])
      return (try await other.document(tag, limit: 100), try await other.documents(.tags))
    }
    #expect(back.0 == Array("recipe".utf8))
    #expect(back.1 == [tag])
    let index = try JSONValue(parsing: try #require(registry.manifest("quickstart")))
    #expect(
      index["manifests"]?.arrayValue?.map { $0["artifactType"]?.stringValue?.split(separator: ".")[2] } == ["run", "result", "result"])
    #expect(registry.tags.contains("run-quickstart"))
  }

  @Test("a statement is attached to what it speaks of, with or without the registry's help", arguments: [true, false])
  func statements(listsReferrers: Bool) async throws {
    var habits = RegistryDouble.Habits()
    habits.listsReferrers = listsReferrers
    let registry = try RegistryDouble(habits)
    defer { registry.server.stop() }
    let tag = try document(.tags, "quickstart")
    let statements = [try document(.statements, "one"), try document(.statements, "two")]
    try await onThreads {
      let remote = try OCIRemote(registry.address, environment: [:])
      try await remote.put(tag, Array("recipe".utf8), blobs: [])
      for statement in statements { try await remote.put(statement, Array(statement.name.utf8), blobs: [], upon: [tag]) }
    }
    let subject = Digest(hashing: try #require(registry.manifest("quickstart")))
    for statement in statements {
      let manifest = try JSONValue(parsing: try #require(registry.manifest("statement-\(statement.name)")))
      #expect(manifest["subject"]?["digest"]?.stringValue == subject.text)
    }
    let list = try registry.manifest("sha256-\(subject.hex)").map { try JSONValue(parsing: $0) }
    #expect(list?["manifests"]?.arrayValue?.count == (listsReferrers ? nil : 2))
    #expect(list.map { $0["manifests"]?[0]?["artifactType"] } == (listsReferrers ? nil : "application/vnd.heirloom.statement.v1+json"))
  }

  @Test("a statement about what is not there is not written")
  func statementOfNothing() async throws {
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    let statement = try document(.statements, "one")
    let tag = try document(.tags, "nothing")
    let error = try await failure {
      try await OCIRemote(registry.address, environment: [:]).put(statement, [1], blobs: [], upon: [tag])
    }
    #expect(error?.message == "\(registry.address):nothing is not there, so nothing can be said of it")
  }

  @Test("tags are listed page by page")
  func pages() async throws {
    var habits = RegistryDouble.Habits()
    habits.tagsAPage = 2
    let registry = try RegistryDouble(habits)
    defer { registry.server.stop() }
    for name in ["a", "b", "c", "result-1", "d", "statement-x"] { registry.set(name, Array("{}".utf8)) }
    let found = try await onThreads { try await OCIRemote(registry.address, environment: [:]).documents(.tags) }
    #expect(found?.map(\.name) == ["a", "b", "c", "d"])
  }

  @Test(
    "a manifest that is not Heirloom's, or of another document, is refused",
    arguments: [
      ("[]", "is no OCI manifest"), (#"{"schemaVersion":2}"#, "is no OCI manifest"),
      (#"{"config":{"mediaType":"x","digest":"md5:00","size":3}}"#, "is no OCI manifest"),
      (
        #"{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"DIGEST","size":3}}"#,
        "is 'application/vnd.oci.image.config.v1+json', and not what Heirloom writes"
      ),
      (#"{"manifests":[]}"#, "is an index, but none of Heirloom"),
      (
        #"{"artifactType":"application/vnd.heirloom.run.v1+json","config":{"mediaType":"x","digest":"DIGEST","size":3},"annotations":{"vnd.heirloom.document":"tags/other"}}"#,
        "is another document, 'tags/other'"
      ),
      (
        #"{"artifactType":"application/vnd.heirloom.run.v1+json","config":{"mediaType":"x","digest":"DIGEST","size":1000000000}}"#,
        "has 1000000000 bytes, more than the 100 that make sense"
      ),
      (
        #"{"manifests":[{"artifactType":"application/vnd.heirloom.run.v1+json","mediaType":"x","digest":"DIGEST","size":3}]}"#,
        "its index names a manifest that is not there"
      ),
    ])
  func foreign(manifest: String, message: String) async throws {
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    registry.set("quickstart", Array(manifest.replacing("DIGEST", with: Digest(hashing: "abc").text).utf8))
    let tag = try document(.tags, "quickstart")
    let error = try await failure { _ = try await OCIRemote(registry.address, environment: [:]).document(tag, limit: 100) }
    #expect(error == RemoteError(.damaged, "\(registry.address):quickstart: \(message)"))
  }

  @Test("a document with other bytes than its digest says is refused")
  func swapped() async throws {
    let registry = try RegistryDouble()
    defer { registry.server.stop() }
    let name = RemoteDocument.result(Digest(hashing: "key"))
    try await onThreads { try await OCIRemote(registry.address, environment: [:]).put(name, Array("{}".utf8), blobs: []) }
    registry.set(blob: Digest(hashing: "{}"), Array("[]".utf8))
    let error = try await failure { _ = try await OCIRemote(registry.address, environment: [:]).document(name, limit: 100) }
    #expect(error?.kind == .damaged)
    #expect(error?.message.hasSuffix("has other bytes than its digest says") == true)
  }
}

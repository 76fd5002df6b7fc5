import Artifacts
import Hashing
import JSONValues
import Remotes
import Testing

/// Against a registry that scripts/test-services started.
@Suite(
  "docker-registry", .enabled(if: Service.registryIsWanted, "HEIRLOOM_TEST_REGISTRY is not set (scripts/test-services --need registry)"))
struct RealRegistryTests {
  @Test("blobs of all sizes go there and come back, also from the middle", arguments: [0, 1, 4 << 20, (6 << 20) + 3, 40 << 20])
  func blobs(size: Int) async throws {
    let address = try Service.repository()
    let bytes = someBytes(size)
    let blob = Blob(Digest(hashing: bytes), size: size)
    try await onThreads {
      let remote = try OCIRemote(address, environment: [:])
      let sent = Counter()
      try await remote.put(blob, BytesSource(bytes)) { sent.add($0) }
      #expect(sent.value == size)
      #expect(try await remote.missing([blob]) == [])
      for offset in Set([0, size / 2, max(0, size - 1)]) where offset < size {
        var back = DigestHasher()
        try await remote.get(blob, from: offset) { back.update($0) }
        #expect(back.finish() == Digest(hashing: Array(bytes[offset...])))
      }
      await remote.close()
    }
  }

  @Test("what is not there is absent, and an empty repository has no documents")
  func absent() async throws {
    let address = try Service.repository()
    let blob = Blob(Digest(hashing: "nobody has this"), size: 15)
    let error = try await failure { try await OCIRemote(address, environment: [:]).get(blob, from: 0) { _ in } }
    #expect(error == RemoteError(.absent, "\(address): \(blob.digest) is not there"))
    try await onThreads {
      let remote = try OCIRemote(address, environment: [:])
      #expect(try await remote.document(RemoteDocument.result(blob.digest), limit: 10) == nil)
      #expect(try await remote.documents(.tags) == [])
    }
  }

  @Test("wrong bytes are refused by the registry, and nothing is there")
  func wrongBytes() async throws {
    let address = try Service.repository()
    let blob = Blob(Digest(hashing: "right"), size: 5)
    let error = try await failure { try await OCIRemote(address, environment: [:]).put(blob, BytesSource(Array("wrong".utf8))) { _ in } }
    #expect(error == RemoteError(.passing, "\(address): the registry received other bytes of \(blob.digest) than were sent"))
    let missing = try await onThreads { try await OCIRemote(address, environment: [:]).missing([blob]) }
    #expect(missing == [blob])
  }

  @Test("an upload whose source broke succeeds when it is tried again")
  func again() async throws {
    struct Broken: Error {}
    struct Source: BlobSource {
      let bytes: [UInt8]
      let end: Int
      let read: Counter
      var size: Int { bytes.count }
      func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
        guard offset < end else { throw Broken() }
        read.add(count)
        return Array(bytes[offset..<min(offset + count, bytes.count)])
      }
    }
    let address = try Service.repository()
    let bytes = someBytes(24 << 20)
    let blob = Blob(Digest(hashing: bytes), size: bytes.count)
    let read = Counter()
    try await onThreads {
      let remote = try OCIRemote(address, environment: [:])
      await #expect(throws: Broken.self) { try await remote.put(blob, Source(bytes: bytes, end: 16 << 20, read: Counter())) { _ in } }
      try await remote.put(blob, Source(bytes: bytes, end: bytes.count, read: read)) { _ in }
      #expect(try await remote.missing([blob]) == [])
    }
    // docker-registry 2.8 forgets an upload in whose middle the connection ended; others go on.
    #expect(read.value <= bytes.count)
  }

  @Test("a recipe with results and a statement is there for everybody's tools")
  func recipe() async throws {
    let address = try Service.repository()
    let weights = someBytes(1 << 20)
    let blob = Blob(Digest(hashing: weights), size: weights.count, title: "model/model.safetensors")
    let tag = try #require(RemoteDocument(.tags, "quickstart"))
    let result = RemoteDocument.result(Digest(hashing: "key"))
    let statement = try #require(RemoteDocument(.statements, "one"))
    let back = try await onThreads {
      let remote = try OCIRemote(address, environment: [:])
      try await remote.put(blob, BytesSource(weights)) { _ in }
      try await remote.put(result, Array(#"{"outputs":{}}"#.utf8), blobs: [blob])
      try await remote.put(tag, Array(#"{"recipe":1}"#.utf8), blobs: [], upon: [result])
      try await remote.put(statement, Array(#"{"_type":"x"}"#.utf8), blobs: [], upon: [tag])
      let other = try OCIRemote(address, environment: [:])
      return [
        try await other.document(tag, limit: 99), try await other.document(result, limit: 99),
        try await other.document(statement, limit: 99),
      ]
    }
    #expect(back == [Array(#"{"recipe":1}"#.utf8), Array(#"{"outputs":{}}"#.utf8), Array(#"{"_type":"x"}"#.utf8)])
    try await checkWithSkopeo(address.dropFirst("oci://".count), blob)
  }

  /// Copies all of it to a directory, and looks at what is there.
  private func checkWithSkopeo(_ place: Substring, _ blob: Blob) async throws {
    let directory = try TemporaryDirectory()
    let reference = "docker://\(place):quickstart"
    let (raw, copied, inspected) = try await onThreads {
      (
        try run(["skopeo", "inspect", "--raw", "--tls-verify=false", reference]),
        try run(["skopeo", "copy", "--all", "--src-tls-verify=false", reference, "oci:\(directory.path)/layout:quickstart"]),
        try run(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(place):result-\(Digest(hashing: "key").hex)"])
      )
    }
    guard let raw, let copied, let inspected else { return }
    let index = try JSONValue(parsing: Array(raw.output.utf8))
    #expect(index["manifests"]?.arrayValue?.count == 2)
    #expect(copied.status == 0, "\(copied.output)")
    let stored = try FileSystem.posix.status("\(directory.path)/layout/blobs/sha256/\(blob.digest.hex)")
    #expect(stored?.size == blob.size)
    let manifest = try JSONValue(parsing: Array(inspected.output.utf8))
    #expect(manifest["layers"]?[0]?["mediaType"] == "application/vnd.cncf.model.weight.v1.raw")
  }
}

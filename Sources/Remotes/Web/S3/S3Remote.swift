import Diagnostics
import Hashing
import NIOHTTP1
import Synchronization

/// A bucket of an S3 server, or part of one, as a remote: a blob is the object `objects/ab/cdef…`, a document `results/NAME`, `tags/NAME` or
/// `statements/NAME`. It trusts no answer (an ETag is no digest) and tries nothing twice.
package final class S3Remote: Remote {
  package let address: String
  private let client: S3Client
  /// Whether the server knows "only when there is none yet".
  private let takesConditions = Atomic(true)

  /// Larger blobs are sent in parts, and got in parts.
  private static let single = 32 << 20
  private static let mostPages = 10_000
  private static let mostListing = 8 << 20

  package convenience init(_ address: String, environment: [String: String]) throws(RemoteError) {
    self.init(try S3Client(try S3Address(address), environment: environment))
  }

  package init(_ client: S3Client) {
    address = client.address.text
    self.client = client
  }

  package func close() async { await client.close() }

  package static func key(_ blob: Blob) -> String { "objects/\(blob.digest.hex.prefix(2))/\(blob.digest.hex.dropFirst(2))" }

  // MARK: - Blobs

  package func missing(_ blobs: [Blob]) async throws -> [Blob] {
    try await blobs.filteredAtOnce(12) { try await !self.has($0) }
  }

  private func has(_ blob: Blob) async throws -> Bool {
    let answer = try await client.send(WebRequest(.HEAD, client.url(Self.key(blob))))
    switch answer.status {
    case 200: return answer.contentLength == blob.size
    case 404: return false
    default: throw await client.error(answer, "look for an object")
    }
  }

  package func get(_ blob: Blob, from offset: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) async throws {
    guard offset < blob.size else { return }
    if blob.size - offset > Self.single, try await RangedDownload(client, blob, from: offset).run(sink) { return }
    var request = WebRequest(.GET, client.url(Self.key(blob)))
    request.isStreamed = true
    if offset > 0 { request.headers.add(name: "range", value: "bytes=\(offset)-") }
    let answer = try await client.send(request)
    try await RangedAnswer(answer, of: blob, from: offset, address).deliver(sink) { body in
      client.error(answer, SmallXML(parsing: body), "read an object")
    }
  }

  package func put(_ blob: Blob, _ source: any BlobSource, progress: @Sendable (Int) -> Void) async throws {
    guard blob.size <= Self.single else { return try await MultipartUpload(client, blob, source).run(progress: progress) }
    let isConditional = takesConditions.load(ordering: .relaxed)
    let answer = try await send(blob, source, isConditional: isConditional, progress: progress)
    switch answer.status {
    case 412 where isConditional:
      // There is one already. One of another size is none of ours, and is replaced.
      if try await has(blob) { return }
      try await check(try await send(blob, source, isConditional: false) { _ in })
    case 501 where isConditional, 400 where isConditional && answer.header("x-amz-request-id") == nil:
      takesConditions.store(false, ordering: .relaxed)
      try await check(try await send(blob, source, isConditional: false) { _ in })
    default: try await check(answer)
    }
  }

  private func send(_ blob: Blob, _ source: any BlobSource, isConditional: Bool, progress: (Int) -> Void) async throws -> WebAnswer {
    var request = WebRequest(.PUT, client.url(Self.key(blob)))
    request.headers = ["content-type": "application/octet-stream"]
    if isConditional { request.headers.add(name: "if-none-match", value: "*") }
    // The digest is signed with the request, so the server checks the bytes.
    guard blob.size > 0 else {
      request.body = .bytes([])
      return try await client.send(request)
    }
    return try await client.send(request, .digest(blob.digest), ReadAhead(source, from: 0, count: blob.size), progress: progress)
  }

  private func check(_ answer: WebAnswer) async throws {
    guard !answer.isSuccess else { return }
    let problem = SmallXML(parsing: await answer.excerpt())
    if let code = problem?.text("Code"), ["XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"].contains(code) {
      throw RemoteError(.passing, "\(address): the server received other bytes than were sent")
    }
    throw client.error(answer, problem, "store an object")
  }

  // MARK: - Documents

  private static func key(_ name: RemoteDocument) -> String { "\(name.kind.rawValue)/\(name.name)" }

  package func document(_ name: RemoteDocument, limit: Int) async throws -> [UInt8]? {
    let answer = try await client.send(WebRequest(.GET, client.url(Self.key(name))))
    if answer.status == 404 {
      let problem = SmallXML(parsing: await answer.excerpt())
      if problem?.text("Code") == "NoSuchBucket" { throw client.error(answer, problem, "read a document") }
      return nil
    }
    guard answer.status == 200 else { throw await client.error(answer, "read a document") }
    return try await answer.bytes(limit, Self.key(name))
  }

  package func put(_ name: RemoteDocument, _ bytes: [UInt8], blobs: [Blob]) async throws {
    let headers: HTTPHeaders = ["content-type": "application/json"]
    try await check(try await client.send(WebRequest(.PUT, client.url(Self.key(name)), headers: headers, body: .bytes(bytes))))
  }

  package func documents(_ kind: RemoteDocument.Kind) async throws -> [RemoteDocument]? {
    var found: [RemoteDocument] = []
    var token: String?
    let folder = (client.address.prefix.isEmpty ? "" : "\(client.address.prefix)/") + "\(kind.rawValue)/"
    for _ in 0..<Self.mostPages {
      var query = [("list-type", "2"), ("prefix", folder)]
      if let token { query.append(("continuation-token", token)) }
      let answer = try await client.send(WebRequest(.GET, client.url(nil, query)))
      guard answer.status == 200 else { throw await client.error(answer, "list documents") }
      guard let page = SmallXML(parsing: try await answer.bytes(Self.mostListing, "a list of objects")), page.name == "ListBucketResult"
      else {
        throw RemoteError(.damaged, "\(address): the server's list of objects is none")
      }
      for key in page.all("Contents").compactMap({ $0.text("Key") }) where key.hasPrefix(folder) {
        if let name = RemoteDocument(kind, String(key.dropFirst(folder.count))) { found.append(name) }
      }
      guard page.text("IsTruncated") == "true" else { return found }
      guard let next = page.text("NextContinuationToken"), next != token else { break }
      token = next
    }
    throw RemoteError(.damaged, "\(address): the list of objects does not end")
  }
}

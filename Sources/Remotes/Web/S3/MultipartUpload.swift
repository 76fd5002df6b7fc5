import Hashing
import NIOHTTP1

/// Stores a large object in parts, several at once. Parts that an earlier attempt brought stay with the server and are not sent again; when the
/// bytes themselves turn out to be wrong, they are thrown away.
struct MultipartUpload {
  private let client: S3Client
  private let blob: Blob
  private let source: any BlobSource
  private let partSize: Int
  private let key: String

  private static let smallestPart = 16 << 20
  /// S3 has 10,000; fewer leave room.
  private static let mostParts = 9_000
  private static let atOnce = 4
  private static let mostXML = 8 << 20

  private struct Part: Sendable {
    let number: Int
    /// Whatever the server called it, which it wants to hear again.
    let tag: String
    let size: Int
  }

  init(_ client: S3Client, _ blob: Blob, _ source: any BlobSource) {
    self.client = client
    self.blob = blob
    self.source = source
    let least = (blob.size + Self.mostParts - 1) / Self.mostParts
    partSize = max(Self.smallestPart, ((least + (1 << 20) - 1) >> 20) << 20)
    key = S3Remote.key(blob)
  }

  private var address: String { client.address.text }
  private var count: Int { (blob.size + partSize - 1) / partSize }
  private func size(_ number: Int) -> Int { min(partSize, blob.size - (number - 1) * partSize) }

  func run(progress: (Int) -> Void) async throws {
    let (upload, known) = try await beginning()
    do {
      var parts = known
      try await send(upload, (1...count).filter { known[$0] == nil }) { part in
        parts[part.number] = part
        progress(part.size)
      }
      try await complete(upload, (1...count).compactMap { parts[$0] })
    } catch {
      // What the network or the server did can be gone on with; what the source did cannot.
      if !(error is RemoteError), !(error is CancellationError) { await abort(upload) }
      throw error
    }
  }

  // MARK: - Beginning

  private func beginning() async throws -> (upload: String, parts: [Int: Part]) {
    if let upload = try await begun(), let parts = try await parts(of: upload) { return (upload, parts) }
    let request = WebRequest(.POST, client.url(key, [("uploads", "")]), headers: ["content-type": "application/octet-stream"])
    let answer = try await client.send(request)
    guard answer.status == 200 else { throw await client.error(answer, "store an object") }
    let body = SmallXML(parsing: try await answer.bytes(Self.mostXML, "the beginning of an upload"))
    guard let upload = body?.text("UploadId"), !upload.isEmpty else {
      throw RemoteError(.damaged, "\(address): the server began an upload and does not say which")
    }
    return (upload, [:])
  }

  /// The latest upload of this very key that was begun and not ended; nil also where the server does not tell.
  private func begun() async throws -> String? {
    let full = client.address.prefix.isEmpty ? key : "\(client.address.prefix)/\(key)"
    let answer = try await client.send(WebRequest(.GET, client.url(nil, [("uploads", ""), ("prefix", full)])))
    guard answer.status == 200 else { return nil }
    let list = SmallXML(parsing: try await answer.bytes(Self.mostXML, "the list of uploads"))
    let uploads = (list?.all("Upload") ?? []).filter { $0.text("Key") == full }
    return uploads.max { ($0.text("Initiated") ?? "") < ($1.text("Initiated") ?? "") }?.text("UploadId")
  }

  /// Those that are whole and cut as they would be here.
  private func parts(of upload: String) async throws -> [Int: Part]? {
    var parts: [Int: Part] = [:]
    var marker = 0
    while true {
      let query = [("uploadId", upload), ("part-number-marker", String(marker))]
      let answer = try await client.send(WebRequest(.GET, client.url(key, query)))
      guard answer.status == 200 else { return nil }
      guard let page = SmallXML(parsing: try await answer.bytes(Self.mostXML, "the list of parts")) else { return nil }
      for entry in page.all("Part") {
        guard let number = entry.text("PartNumber").flatMap({ Int($0) }), let tag = entry.text("ETag"), (1...count).contains(number) else {
          continue
        }
        guard entry.text("Size").flatMap({ Int($0) }) == size(number) else { continue }
        parts[number] = Part(number: number, tag: tag, size: size(number))
      }
      guard page.text("IsTruncated") == "true", let next = page.text("NextPartNumberMarker").flatMap({ Int($0) }), next > marker else {
        return parts
      }
      marker = next
    }
  }

  // MARK: - Parts

  private func send(_ upload: String, _ numbers: [Int], _ done: (Part) -> Void) async throws {
    try await withThrowingTaskGroup(of: Part.self) { group in
      for (index, number) in numbers.enumerated() {
        if index >= Self.atOnce, let part = try await group.next() { done(part) }
        group.addTask { try await self.send(upload, number) }
      }
      for try await part in group { done(part) }
    }
  }

  private func send(_ upload: String, _ number: Int) async throws -> Part {
    let offset = (number - 1) * partSize
    let size = size(number)
    let request = WebRequest(.PUT, client.url(key, [("partNumber", String(number)), ("uploadId", upload)]))
    // Over TLS nothing changes on the way; else the server is told what it should have received.
    let payload = client.isSecure ? RequestSignature.Payload.unsigned : .digest(try digest(offset, size))
    let answer = try await client.send(request, payload, ReadAhead(source, from: offset, count: size)) { _ in }
    guard answer.isSuccess else {
      if answer.status == 404 { throw RemoteError(.passing, "\(address): the server no longer knows of an upload that was begun") }
      throw await client.error(answer, "store an object")
    }
    guard let tag = answer.header("etag") else { throw RemoteError(.damaged, "\(address): the server took a part and gave it no name") }
    return Part(number: number, tag: tag, size: size)
  }

  private func digest(_ offset: Int, _ size: Int) throws -> Digest {
    var hasher = DigestHasher()
    var place = 0
    while place < size {
      let piece = try source.read(offset + place, min(1 << 20, size - place))
      guard !piece.isEmpty else { throw RemoteError(.lasting, "a file is shorter than it was when its transfer began") }
      hasher.update(piece)
      place += piece.count
    }
    return hasher.finish()
  }

  // MARK: - Ending

  private func complete(_ upload: String, _ parts: [Part]) async throws {
    let list = parts.map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(Self.escaped($0.tag))</ETag></Part>" }.joined()
    let body = #"<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\#(list)</CompleteMultipartUpload>"#
    var request = WebRequest(.POST, client.url(key, [("uploadId", upload)]), headers: ["content-type": "application/xml"])
    request.body = .bytes(Array(body.utf8))
    request.patience = .long
    let answer = try await client.send(request)
    guard answer.isSuccess else {
      if answer.status == 404 { throw RemoteError(.passing, "\(address): the server no longer knows of an upload that was begun") }
      throw await client.error(answer, "put an object together")
    }
    // It says 200 before it knows, and then what became of it.
    let end = SmallXML(parsing: try await answer.bytes(Self.mostXML, "the end of an upload"))
    if end?.name == "Error" {
      let code = end?.text("Code") ?? "no reason"
      throw RemoteError(
        .passing, "\(address): the server could not put an object together: \(code.prefix(60).filter { $0.isASCII && $0.isLetter })")
    }
    let there = try await client.send(WebRequest(.HEAD, client.url(key)))
    guard there.status == 200, there.contentLength == blob.size else {
      throw RemoteError(.damaged, "\(address): the server put an object of \(blob.size) bytes together and has another")
    }
  }

  private func abort(_ upload: String) async {
    _ = try? await client.send(WebRequest(.DELETE, client.url(key, [("uploadId", upload)])))
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}

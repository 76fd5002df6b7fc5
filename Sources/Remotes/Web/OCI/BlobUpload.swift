import Diagnostics
import Hashing
import NIOHTTP1

/// Brings one blob into a registry: small ones with one request, others as a stream that is cut into chunks only where the registry wants
/// it, and goes on where an earlier attempt stopped. The registry checks the digest of what it received, and the source that of what it gave.
struct BlobUpload {
  private let client: RegistryClient
  private let notes: UploadNotes
  private let blob: Blob
  private let source: any BlobSource
  private let note: String
  /// The most bytes that go with one request. Shared by all uploads to the registry: it takes no more of the next blob either.
  private let chunk: ChunkLimit

  /// Up to here it is not worth asking where an upload stopped.
  private static let small = 4 << 20
  /// From here on a request more is not worth mentioning.
  private static let cheap = 16 << 20
  /// Answers of "no, from there" in a row before it is given up.
  private static let mostCorrections = 4

  init(_ client: RegistryClient, _ notes: UploadNotes, _ chunk: ChunkLimit, _ blob: Blob, _ source: any BlobSource) {
    self.client = client
    self.notes = notes
    self.blob = blob
    self.source = source
    self.chunk = chunk
    note = UploadNotes.name(client.address.text, blob.digest)
  }

  private var address: String { client.address.text }

  func run(progress: (Int) -> Void) async throws {
    if blob.size <= Self.small { return try await whole(progress: progress) }
    var (place, offset, minimum) = try await beginning()
    var corrections = 0
    while offset < blob.size {
      try Task.checkCancellation()
      let count = min(chunk.value, blob.size - offset)
      let answer = try await send(place, offset, count, progress: progress)
      place = try location(answer, or: place)
      switch answer.status {
      case 200, 201, 202, 204:
        // Some take less than they were given, and say so.
        let end = Self.end(answer) ?? offset + count
        guard end > offset, end <= blob.size else { throw misled("took bytes up to \(end) of \(blob.size) after \(offset)") }
        (offset, corrections) = (end, 0)
        notes[note] = place
      case 413:
        let reason = RegistryProblem.text(await answer.excerpt())
        guard chunk.lower(below: min(count, chunk.value), atLeast: minimum) else {
          throw RemoteError(.lasting, "\(address): the registry, or a proxy before it, takes no request of this size\(reason)")
        }
      case 416:
        corrections += 1
        guard corrections <= Self.mostCorrections else { throw misled("wants another part every time") }
        (place, offset) = try await whereItStopped(place) ?? { throw forgotten() }()
      case 405 where offset == 0, 501 where offset == 0:
        return try await whole(progress: progress)
      case 404: throw forgotten()
      default: throw await refused(answer)
      }
    }
    try await finish(place)
  }

  // MARK: - Beginning

  /// Where to send what: an upload begun earlier, or a new one.
  private func beginning() async throws -> (WebURL, offset: Int, minimum: Int) {
    if let known = notes[note] {
      if let (place, offset) = try await whereItStopped(known), offset <= blob.size { return (place, offset, 0) }
      notes[note] = nil
    }
    let answer = try await begin()
    let place = try location(answer, or: nil)
    notes[note] = place
    return (place, 0, answer.header("oci-chunk-min-length").flatMap { Int($0) } ?? 0)
  }

  private func begin() async throws -> WebAnswer {
    let answer = try await client.send(WebRequest(.POST, client.url("blobs/uploads/")))
    guard answer.status == 202 else { throw await refused(answer) }
    return answer
  }

  /// Nil when the registry does not know the upload.
  private func whereItStopped(_ place: WebURL) async throws -> (WebURL, Int)? {
    // Only to the registry: a note may be anything.
    let answer = try await client.send(WebRequest(.GET, place))
    guard answer.status == 204 || answer.status == 200 else {
      if answer.status >= 500 || answer.status == 429 { throw await refused(answer) }
      return nil
    }
    // Without a range nothing has come; `0-0` is written for nothing by some, and a single byte is not worth the doubt.
    let end = Self.end(answer) ?? 0
    return (try location(answer, or: place), end <= 1 ? 0 : end)
  }

  /// `Range: 0-99` is a hundred bytes, sometimes with `bytes=` before it.
  private static func end(_ answer: WebAnswer) -> Int? {
    guard var text = answer.header("range")?[...] else { return nil }
    if text.hasPrefix("bytes=") { text = text.dropFirst(6) }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "0", let last = Int(parts[1]), last >= 0, last < Int.max else { return nil }
    return last + 1
  }

  private func location(_ answer: WebAnswer, or last: WebURL?) throws(RemoteError) -> WebURL {
    guard let text = answer.header("location") else {
      guard let last else { throw misled("does not say where to send a blob") }
      return last
    }
    guard let url = answer.url.resolving(text) else { throw misled("says that a blob goes to '\(VisibleText.line(text, on: .terminal))'") }
    guard url.scheme == .https || client.address.server.scheme == .http else { throw misled("wants a blob over plain http") }
    return url
  }

  // MARK: - Sending

  private func send(_ place: WebURL, _ offset: Int, _ count: Int, progress: (Int) -> Void) async throws -> WebAnswer {
    var request = WebRequest(.PATCH, place)
    request.headers = ["content-type": "application/octet-stream", "content-range": "\(offset)-\(offset + count - 1)"]
    do { return try await client.send(request, ReadAhead(source, from: offset, count: count), progress: progress) } catch let error
      as RemoteError
    {
      // Who finds a request too long may just hang up. The next attempt sends less at once, as long as that costs little.
      if error.kind == .passing, count > Self.cheap { _ = chunk.lower(below: count, atLeast: 0) }
      throw error
    }
  }

  /// All in one request, to an upload of its own.
  private func whole(progress: (Int) -> Void) async throws {
    let place = try location(try await begin(), or: nil)
    var request = WebRequest(.PUT, place.adding("digest", blob.digest.text))
    request.headers = ["content-type": "application/octet-stream"]
    request.patience = .long
    let answer: WebAnswer
    if blob.size <= Self.small {
      request.body = .bytes(blob.size == 0 ? [] : try source.read(0, blob.size))
      answer = try await client.send(request)
      if answer.isSuccess { progress(blob.size) }
    } else {
      answer = try await client.send(request, ReadAhead(source, from: 0, count: blob.size), progress: progress)
    }
    try await check(answer)
  }

  private func finish(_ place: WebURL) async throws {
    var request = WebRequest(.PUT, place.adding("digest", blob.digest.text))
    request.patience = .long
    let answer = try await client.send(request)
    // Also when it was refused: nothing can be added to it any more.
    if answer.status < 500 { notes[note] = nil }
    try await check(answer)
  }

  // MARK: - Answers

  private func check(_ answer: WebAnswer) async throws {
    if answer.status == 201 || answer.status == 200 || answer.status == 204 {
      if let said = answer.header("docker-content-digest"), let digest = Digest(said), digest != blob.digest {
        throw misled("stored \(blob.digest) as \(digest)")
      }
      return
    }
    let body = await answer.excerpt()
    if RegistryProblem.code(body) == "DIGEST_INVALID" {
      throw RemoteError(.passing, "\(address): the registry received other bytes of \(blob.digest) than were sent")
    }
    if answer.status == 404 { throw forgotten() }
    throw RegistryProblem.error(answer, body, address, "store a blob")
  }

  private func refused(_ answer: WebAnswer) async -> RemoteError {
    RegistryProblem.error(answer, await answer.excerpt(), address, "store a blob")
  }

  private func forgotten() -> RemoteError {
    notes[note] = nil
    return RemoteError(.passing, "\(address): the registry no longer knows of an upload that was begun")
  }

  private func misled(_ what: String) -> RemoteError { RemoteError(.damaged, "\(address): the registry \(what)") }
}

import Diagnostics
import Glibc
import Hashing
import NIOHTTP1

/// Signed requests to one bucket, and what its refusals mean. It does not know what is transferred.
package final class S3Client: Sendable {
  package let address: S3Address
  package let settings: S3Settings
  private let web: WebClient
  private let now: @Sendable () -> Int

  package static let empty = Digest(hashing: [])

  /// - Parameter now: seconds since 1970, which every request is signed with.
  package init(
    _ address: S3Address, environment: [String: String], limits: WebClient.Limits = .init(),
    now: @escaping @Sendable () -> Int = { time(nil) }
  ) throws(RemoteError) {
    self.address = address
    settings = try S3Settings(address, environment: environment)
    web = WebClient(address.text, environment: environment, limits: limits)
    self.now = now
  }

  package func close() async { await web.close() }

  /// Whether what is sent is protected on its way: else bodies are signed, too.
  package var isSecure: Bool { settings.base.scheme == .https }

  /// A key below the prefix, or the bucket itself.
  package func url(_ key: String?, _ query: [(String, String)] = []) -> WebURL {
    var url = settings.base
    let full = key.map { address.prefix.isEmpty ? $0 : "\(address.prefix)/\($0)" }
    url.path = full.map { "\(url.path)/\(WebURL.encoded($0, keeping: "/"))" } ?? (url.path.isEmpty ? "/" : url.path)
    for (name, value) in query { url = url.adding(name, value) }
    return url
  }

  package func send(_ request: WebRequest, _ payload: RequestSignature.Payload? = nil) async throws -> WebAnswer {
    try await web.send(signed(request, payload ?? digest(request)))
  }

  package func send(
    _ request: WebRequest, _ payload: RequestSignature.Payload, _ part: ReadAhead, progress: (Int) -> Void
  ) async throws -> WebAnswer {
    try await web.send(signed(request, payload), part, progress: progress)
  }

  private func digest(_ request: WebRequest) -> RequestSignature.Payload {
    if case .bytes(let bytes) = request.body { .digest(Digest(hashing: bytes)) } else { .digest(Self.empty) }
  }

  private func signed(_ request: WebRequest, _ payload: RequestSignature.Payload) -> WebRequest {
    guard let keys = settings.keys else { return request }
    var request = request
    RequestSignature(keys: keys, region: settings.region).sign(&request, payload, at: now())
    return request
  }

  // MARK: - Refusals

  /// One line of what an answer that is no success says.
  package func error(_ answer: WebAnswer, _ deed: String) async -> RemoteError {
    let body = await answer.excerpt()
    return error(answer, SmallXML(parsing: body), deed)
  }

  package func error(_ answer: WebAnswer, _ problem: SmallXML?, _ deed: String) -> RemoteError {
    let code = problem?.text("Code") ?? ""
    let said = [code, problem?.text("Message") ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
    let reason = said.isEmpty ? "" : ": " + VisibleText.line(said, most: 200, on: .terminal)
    if let explained = explanation(code, answer, problem) {
      return RemoteError(.lasting, "\(address.text): cannot \(deed): \(explained)")
    }
    switch answer.status {
    case 301, 302, 303, 307, 308: return RemoteError(.lasting, "\(address.text): cannot \(deed): \(elsewhere(answer, problem))")
    case 401, 403: return RemoteError(.lasting, "\(address.text): not allowed to \(deed) as \(shownKeys)\(reason)")
    case 408, 409, 425, 429, 500, 502, 503, 504:
      return RemoteError(.passing, "\(address.text): cannot \(deed) now (status \(answer.status))\(reason)", retryAfter: answer.retryAfter)
    default: return RemoteError(.lasting, "\(address.text): cannot \(deed) (status \(answer.status))\(reason)")
    }
  }

  private var shownKeys: String {
    settings.keys.map { "\(VisibleText.line($0.id, on: .terminal)) of \(settings.origin)" } ?? "nobody"
  }

  /// What people can do about it, where the code says what it is.
  private func explanation(_ code: String, _ answer: WebAnswer, _ problem: SmallXML?) -> String? {
    switch code {
    case "NoSuchBucket": "there is no bucket '\(address.bucket)'"
    case "SignatureDoesNotMatch": "the secret of \(shownKeys) is not the one that the server knows"
    case "InvalidAccessKeyId": "the server does not know \(shownKeys)"
    case "ExpiredToken", "TokenRefreshRequired": "the session of \(shownKeys) has ended; get new keys"
    case "RequestTimeTooSkewed":
      "this machine's clock says \(RequestSignature.time(now())) and the server's \(serverTime(answer, problem)); set the clock"
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
      elsewhere(answer, problem)
    case "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge":
      VisibleText.line(problem?.text("Message") ?? code, most: 200, on: .terminal)
    default: nil
    }
  }

  private func serverTime(_ answer: WebAnswer, _ problem: SmallXML?) -> String {
    VisibleText.line(problem?.text("ServerTime") ?? answer.header("date") ?? "something else", most: 40, on: .terminal)
  }

  private func elsewhere(_ answer: WebAnswer, _ problem: SmallXML?) -> String {
    if let region = problem?.text("Region") ?? answer.header("x-amz-bucket-region"), S3Address.isRegion(region), region != settings.region {
      return "the bucket is in the region \(region), not \(settings.region); say region=\(region) or set AWS_REGION"
    }
    if let place = problem?.text("Endpoint"), !place.isEmpty {
      return "the bucket is at \(VisibleText.line(place, most: 100, on: .terminal)); say endpoint=https://…"
    }
    return "the bucket is somewhere else, and the server does not say where; see region= and endpoint="
  }
}

import Diagnostics
import JSONValues
import NIOHTTP1
import Synchronization

/// Requests to one repository of a registry, with whatever it takes to be let in: name and password, or tokens from the registry's token
/// server, asked for when the registry says so. It does not know what is transferred.
package final class RegistryClient: Sendable {
  package let address: OCIAddress
  private let web: WebClient
  private let credentials: RegistryCredentials
  private let state = Mutex(State())

  private struct State {
    /// What is sent with every request; the newest replaces the others, for a token to write with also reads.
    var authorization: String?
    var credential: RegistryCredentials.Credential??
  }

  private static let mostTokenBytes = 1 << 20

  package init(_ address: OCIAddress, environment: [String: String], limits: WebClient.Limits = .init()) {
    self.address = address
    web = WebClient(address.text, environment: environment, limits: limits)
    credentials = RegistryCredentials(environment: environment)
  }

  package func close() async { await web.close() }

  /// An address below the repository's.
  package func url(_ path: String) -> WebURL {
    var url = address.server
    url.path = "/v2/\(repositoryOnServer)/\(path)"
    return url
  }

  /// Docker Hub's own repositories have one name and are kept under two.
  private var repositoryOnServer: String {
    address.registry == "docker.io" && !address.repository.contains("/") ? "library/\(address.repository)" : address.repository
  }

  // MARK: - Asking

  /// The answer, also when it is a refusal; redirects of reading are followed. A 401 is answered once.
  package func send(_ request: WebRequest) async throws -> WebAnswer {
    let answer = try await attempt(request)
    guard answer.status == 401 else { return answer }
    let refused = request.headers.first(name: "authorization") ?? state.withLock { $0.authorization }
    try await authorize(answer, refused: refused)
    let second = try await attempt(request)
    if second.status == 401 { throw try refusal(await second.excerpt()) }
    return second
  }

  /// Sends part of a blob. A token that ends meanwhile is renewed, and the part is to be sent once more.
  package func send(_ request: WebRequest, _ part: ReadAhead, progress: (Int) -> Void) async throws -> WebAnswer {
    let answer = try await web.send(authorized(request), part, progress: progress)
    guard answer.status == 401 else { return answer }
    try await authorize(answer, refused: state.withLock { $0.authorization })
    throw RemoteError(.passing, "\(address.text): the registry wanted a new token in the middle of an upload")
  }

  private func attempt(_ request: WebRequest) async throws -> WebAnswer {
    let request = authorized(request)
    return switch request.method {
    case .GET, .HEAD: try await web.fetch(request)
    default: try await web.send(request)
    }
  }

  /// An upload's address may be another server's: what was agreed with the registry is not told there.
  private func authorized(_ request: WebRequest) -> WebRequest {
    guard request.url.isSamePlace(as: address.server), let authorization = state.withLock({ $0.authorization }) else { return request }
    var request = request
    request.headers.replaceOrAdd(name: "authorization", value: authorization)
    return request
  }

  // MARK: - Being let in

  /// - Parameter refused: what the request was sent with; another one may have been agreed meanwhile by a request beside it.
  private func authorize(_ answer: WebAnswer, refused: String?) async throws {
    guard answer.url.isSamePlace(as: address.server) else {
      throw RemoteError(
        .lasting, "\(address.text): \(VisibleText.line(answer.url.authority, on: .terminal)), where the registry leads to, refuses")
    }
    let challenges = AuthChallenge.parse(answer.headers["www-authenticate"])
    if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
      let token = try await token(bearer)
      state.withLock { $0.authorization = "Bearer \(token)" }
    } else if challenges.contains(where: { $0.scheme == "basic" }) {
      guard case .password(let user, let password)? = try credential() else { throw try refusal(await answer.excerpt()) }
      let authorization = "Basic \(Base64.encoded(Array("\(user):\(password)".utf8)))"
      if authorization == refused { throw try refusal(await answer.excerpt()) }
      state.withLock { $0.authorization = authorization }
    } else {
      throw try refusal(await answer.excerpt())
    }
  }

  private func credential() throws(RemoteError) -> RegistryCredentials.Credential? {
    if let known = state.withLock({ $0.credential }) { return known }
    let found = try credentials.find(address.registry, repository: address.repository)
    state.withLock { $0.credential = .some(found) }
    return found
  }

  private func refusal(_ body: [UInt8]) throws(RemoteError) -> RemoteError {
    let reason = RegistryProblem.text(body)
    guard let credential = try credential() else {
      return RemoteError(
        .lasting, "\(address.text): the registry asks who you are\(reason); log in with `docker login \(address.registry)`")
    }
    let user = credential.user.map { " of '\(VisibleText.line($0, on: .terminal))'" } ?? ""
    return RemoteError(.lasting, "\(address.text): the registry refuses the credentials\(user)\(reason)")
  }

  private func token(_ challenge: AuthChallenge) async throws -> String {
    guard let realm = challenge.parameters["realm"], let url = WebURL(realm) else {
      throw RemoteError(.damaged, "\(address.text): the registry asks for a token and does not say where to get one")
    }
    guard url.scheme == .https || url.isLoopback || address.server.scheme == .http else {
      throw RemoteError(.lasting, "\(address.text): tokens are to be had over plain http only, which would show the password to everybody")
    }
    let answer = try await web.fetch(try tokenRequest(url, challenge))
    guard answer.status == 200 else {
      if answer.status == 401 || answer.status == 403 { throw try refusal(await answer.excerpt()) }
      throw RegistryProblem.error(answer, await answer.excerpt(), address.text, "get a token")
    }
    let body = try await answer.json(Self.mostTokenBytes, "the token server's answer")
    guard let token = body["token"]?.stringValue ?? body["access_token"]?.stringValue, Self.isHeaderText(token) else {
      throw RemoteError(.damaged, "\(address.text): the token server's answer has no token")
    }
    return token
  }

  private func tokenRequest(_ realm: WebURL, _ challenge: AuthChallenge) throws(RemoteError) -> WebRequest {
    let credential = try credential()
    if case .identity(let identity)? = credential {
      let fields = [
        ("grant_type", "refresh_token"), ("service", challenge.parameters["service"] ?? ""), ("client_id", "heirloom"),
        ("scope", challenge.parameters["scope"] ?? ""), ("refresh_token", identity),
      ]
      let form = fields.map { "\($0)=\(WebURL.encoded($1))" }.joined(separator: "&")
      return WebRequest(.POST, realm, headers: ["content-type": "application/x-www-form-urlencoded"], body: .bytes(Array(form.utf8)))
    }
    var url = realm
    if let service = challenge.parameters["service"] { url = url.adding("service", service) }
    for scope in (challenge.parameters["scope"] ?? "").split(separator: " ") { url = url.adding("scope", String(scope)) }
    guard case .password(let user, let password)? = credential else { return WebRequest(.GET, url) }
    return WebRequest(.GET, url, headers: ["authorization": "Basic \(Base64.encoded(Array("\(user):\(password)".utf8)))"])
  }

  private static func isHeaderText(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 1 << 16 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}

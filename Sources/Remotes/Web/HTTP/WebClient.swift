import AsyncHTTPClient
import Diagnostics
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Sends requests over HTTP/1.1: connections kept and bounded, time limits, proxies and roots of trust as the environment has them, and
/// redirects that lead away without what was meant for the first server alone. It tries nothing twice, and knows of no credentials.
package final class WebClient: Sendable {
  /// What errors begin with.
  private let address: String
  private let proxies: Proxies
  private let roots: NIOSSLTrustRoots?
  private let limits: Limits
  private let clients = Mutex<[Kind: HTTPClient]>([:])

  package struct Limits: Sendable {
    package var connect = TimeAmount.seconds(15)
    /// Without a byte from the other side, or without one taken by it.
    package var idle = TimeAmount.seconds(60)
    package var longIdle = TimeAmount.minutes(15)
    /// Of what is no transfer.
    package var whole = TimeAmount.minutes(20)

    package init() {}
  }

  private struct Kind: Hashable {
    let proxy: HTTPClient.Configuration.Proxy?
    let patience: WebRequest.Patience
  }

  private static let agent = "heirloom"
  private static let mostRedirects = 5

  package init(_ address: String, environment: [String: String], limits: Limits = Limits()) {
    self.address = address
    self.limits = limits
    proxies = Proxies(environment)
    roots = (environment["SSL_CERT_FILE"]).flatMap { $0.isEmpty ? nil : .file($0) }
  }

  deinit {
    // Whoever forgot `close`: no thread waits here, and an open client would end the program.
    for client in clients.withLock({ $0.values.map { $0 } }) { client.shutdown { _ in } }
  }

  package func close() async {
    let open = clients.withLock { clients in
      defer { clients = [:] }
      return Array(clients.values)
    }
    for client in open { try? await client.shutdown() }
  }

  // MARK: - Sending

  /// The server's answer, whatever its status. Redirects are answers.
  package func send(_ request: WebRequest) async throws -> WebAnswer {
    var message = HTTPClientRequest(url: request.url.description)
    message.method = request.method
    message.headers = request.headers
    message.headers.replaceOrAdd(name: "user-agent", value: Self.agent)
    switch request.body {
    case .none: break
    case .bytes(let bytes): message.body = .bytes(ByteBuffer(bytes: bytes))
    case .part(let part): message.body = .stream(part, length: .known(Int64(part.count)))
    }
    let isTransfer = request.isStreamed || !request.canBeRepeated
    do {
      let client = client(for: request)
      let response = try await client.execute(message, deadline: isTransfer ? .distantFuture : .now() + limits.whole)
      return WebAnswer(response, from: request.url, address: address)
    } catch {
      if case .part(let part) = request.body, let failure = part.failure { throw failure }
      throw WebFailure.error(error, address)
    }
  }

  /// Sends part of a source, and says how far it is.
  package func send(_ request: WebRequest, _ part: ReadAhead, progress: (Int) -> Void) async throws -> WebAnswer {
    var request = request
    request.body = .part(part)
    let sent = request
    async let answer = sendAndStop(sent, part)
    for await count in part.taken { progress(count) }
    return try await answer
  }

  private func sendAndStop(_ request: WebRequest, _ part: ReadAhead) async throws -> WebAnswer {
    defer { part.stop() }
    return try await send(request)
  }

  /// Follows redirects of a request that only reads. Another server is not told who asks.
  package func fetch(_ request: WebRequest) async throws -> WebAnswer {
    var request = request
    for _ in 0...Self.mostRedirects {
      let answer = try await send(request)
      guard [301, 302, 303, 307, 308].contains(answer.status), request.method == .GET || request.method == .HEAD else { return answer }
      request = try redirected(request, answer)
    }
    throw RemoteError(.lasting, "\(address): more than \(Self.mostRedirects) redirects in a row")
  }

  private func redirected(_ request: WebRequest, _ answer: WebAnswer) throws(RemoteError) -> WebRequest {
    guard let location = answer.header("location"), let url = request.url.resolving(location) else {
      throw RemoteError(.damaged, "\(address): a redirect that leads nowhere")
    }
    if request.url.scheme == .https, url.scheme == .http {
      throw RemoteError(
        .lasting, "\(address): a redirect from https to \(VisibleText.line(url.authority, on: .terminal)) over plain http is not followed")
    }
    var next = request
    next.url = url
    if !url.isSamePlace(as: request.url) {
      for name in ["authorization", "cookie", "x-amz-security-token"] { next.headers.remove(name: name) }
    }
    return next
  }

  // MARK: - Clients

  private func client(for request: WebRequest) -> HTTPClient {
    let kind = Kind(proxy: proxies.proxy(for: request.url), patience: request.patience)
    return clients.withLock { clients in
      if let client = clients[kind] { return client }
      let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(kind))
      clients[kind] = client
      return client
    }
  }

  private func configuration(_ kind: Kind) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    let idle = kind.patience == .usual ? limits.idle : limits.longIdle
    configuration.timeout = .init(connect: limits.connect, read: idle, write: limits.idle)
    configuration.connectionPool.idleTimeout = .seconds(20)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    configuration.proxy = kind.proxy
    if let roots {
      var security = TLSConfiguration.makeClientConfiguration()
      security.trustRoots = roots
      configuration.tlsConfiguration = security
    }
    return configuration
  }
}

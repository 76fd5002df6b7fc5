import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Requests to one server over connections that are kept. What an answer says it does not know, nor when to ask again.
final class HTTPConnection: Sendable {
  /// What came of a request.
  enum Outcome: Sendable {
    case answer(status: Int, retryAfter: Double?, body: [UInt8])
    /// Nobody was there.
    case refused(String)
    /// The server was there, and the answer did not come.
    case lost(String)
    case tooBig
    case broken(String)
    case cancelled
  }

  private let client: HTTPClient
  private let address: ServerAddress

  init(_ address: ServerAddress) {
    self.address = address
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: .milliseconds(Int64(address.timeout * 1000))))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = address.concurrency
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func close() { try? client.syncShutdown() }

  /// Starts a request; `take` is called once, on a thread of the network's. Returns what cancels it.
  func start(_ path: String, _ body: [UInt8]?, _ take: @escaping @Sendable (Outcome) -> Void) -> @Sendable () -> Void {
    do {
      var request = try HTTPClient.Request(
        url: address.url(path), method: body == nil ? .GET : .POST, body: body.map { .byteBuffer(ByteBuffer(bytes: $0)) })
      request.headers.add(name: "Accept", value: "application/json")
      if body != nil { request.headers.add(name: "Content-Type", value: "application/json") }
      if let key = address.key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
      let task = client.execute(
        request: request, delegate: ResponseAccumulator(request: request, maxBodySize: address.mostBytes),
        deadline: .now() + .milliseconds(Int64(address.timeout * 1000)))
      task.futureResult.whenComplete { take(Self.outcome($0)) }
      return { task.cancel() }
    } catch {
      take(.broken("\(error)"))
      return {}
    }
  }

  private static func outcome(_ result: Result<HTTPClient.Response, any Error>) -> Outcome {
    switch result {
    case .success(let response):
      let body = response.body.map { Array($0.readableBytesView) } ?? []
      let wait = response.headers.first(name: "Retry-After").flatMap(Double.init).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
      return .answer(status: Int(response.status.code), retryAfter: wait, body: body)
    case .failure(let error): return outcome(error)
    }
  }

  private static func outcome(_ error: any Error) -> Outcome {
    switch error {
    case is ResponseAccumulator.ResponseTooBigError: return .tooBig
    case is NIOConnectionError: return .refused("connection refused")
    case let error as HTTPClientError where error == .cancelled: return .cancelled
    case let error as HTTPClientError where error == .connectTimeout: return .refused("no connection in time")
    case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded: return .lost("no answer in time")
    case let error as HTTPClientError where error == .remoteConnectionClosed: return .lost("the server closed the connection")
    case is HTTPParserError: return .broken("is not HTTP")
    case let error as IOError: return error.errnoCode == ECONNREFUSED ? .refused("connection refused") : .lost("the connection broke")
    case is ChannelError: return .lost("the connection broke")
    default: return .lost("\(error)")
    }
  }
}

import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import Synchronization

/// A `Site` over HTTP: connections, their limits, and the words of the protocol. It knows nothing of runs.
package final class WebServer: Sendable {
  /// How much is accepted of whom.
  package struct Limits: Sendable {
    package var connections = 128
    package var eventClients = 32
    /// From the connection, or the end of the last answer, to the end of a request.
    package var request = Duration.seconds(15)
    /// For a client that takes nothing of what it asked for.
    package var stalled = Duration.seconds(20)
    /// Between two looks at a run that is watched.
    package var look = Duration.milliseconds(250)
    /// So many looks without news, and clients are sent a sign of life.
    package var quietLooks = 40

    package init() {}
  }

  package let host: String
  /// As bound: where 0 was asked for, the one that was free.
  package let port: Int
  private let site: Site
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let connections: Connections
  private let serving: Task<Void, any Error>

  package static let defaultPort = 7788

  /// Listens and answers from now on.
  ///
  /// - Parameter port: 0 takes one that is free.
  package static func start(storePath: String, host: String, port: Int, limits: Limits = Limits()) async throws(ServingError) -> WebServer {
    let site = Site(storePath: storePath, gatekeeper: Gatekeeper(boundHost: host), limits: limits)
    return try await WebServer(site, host: host, port: port, limits: limits)
  }

  private init(_ site: Site, host: String, port: Int, limits: Limits) async throws(ServingError) {
    var logger = Logger(label: "heirloom.serve")
    logger.logLevel = .critical
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let connections = Connections()
    var channel = HTTP1Channel.Configuration(additionalChannelHandlers: [ConnectionGuard(.init(limits), connections)])
    channel.httpDecoder = .init(maxHeaderFieldSize: 8192, maxHeaderListSize: 16384, maxHeaderFieldCount: 64)
    let (bound, binding) = AsyncStream<any Channel>.makeStream()
    let server = Server(
      childChannelSetup: HeldChannel(
        http: HTTP1Channel(responder: Responder(site: site).respond, configuration: channel), connections: connections),
      configuration: ServerConfiguration(
        address: .hostname(host, port: port), availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      onServerRunning: { binding.yield($0) }, eventLoopGroup: group, logger: logger)
    let serving = Task(executorPreference: ServingExecutor.shared) {
      defer { binding.finish() }
      try await server.run()
    }
    var listener: (any Channel)?
    for await channel in bound {
      listener = channel
      break
    }
    guard let listener, let port = listener.localAddress?.port else {
      let failure = await serving.result
      try? await group.shutdownGracefully()
      throw ServingError(cannotListen: failure, host: host, port: port)
    }
    self.host = host
    self.port = port
    self.site = site
    self.group = group
    self.listener = listener
    self.connections = connections
    self.serving = serving
  }

  package var url: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)/" }

  package var connectionCount: Int { connections.count }
  package var eventClients: Int { site.eventClients }
  package var renderings: Int { site.library.renderings }

  /// Ends at once: nothing that is under way is waited for.
  ///
  /// The task that accepts is not cancelled but left to come to its end: a connection that it has been handed and not yet looked at would be
  /// dropped, and NIO ends the program for that.
  package func stop() async {
    let isOver = Mutex(false)
    let waiting = Task {
      _ = await serving.result
      isOver.withLock { $0 = true }
    }
    try? await listener.close()
    // One that was just being accepted comes to light a moment later.
    while !isOver.withLock({ $0 }) {
      site.close()
      connections.closeAll()
      try? await Task.sleep(for: .milliseconds(5))
    }
    await waiting.value
    await connections.endUntaken()
    try? await group.shutdownGracefully()
  }
}

/// Why nothing can be served.
package struct ServingError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String

  init(cannotListen result: Result<Void, any Error>, host: String, port: Int) {
    guard case .failure(let error) = result else {
      description = "cannot listen on \(host):\(port)"
      return
    }
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: description = "port \(port) is in use: choose another with --port, or 0 for any that is free"
    case EACCES: description = "port \(port) needs rights that this program has not: choose one above 1023 with --port"
    case EADDRNOTAVAIL: description = "\(host) is no address of this machine"
    case let code?: description = "cannot listen on \(host):\(port): \(String(cString: strerror(code)))"
    case nil: description = "cannot listen on \(host):\(port): \(error)"
    }
  }
}

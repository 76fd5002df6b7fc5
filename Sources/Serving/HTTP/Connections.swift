import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections there are, to be ended all at once.
final class Connections: Sendable {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  private struct Shared {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var untaken: [ObjectIdentifier: Value] = [:]
  }

  private let shared = Mutex(Shared())

  func add(_ channel: any Channel) { shared.withLock { $0.channels[ObjectIdentifier(channel)] = channel } }

  func remove(_ channel: any Channel) { shared.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) } }

  /// Keeps what nobody answers yet: one that is dropped as it is ends the program.
  func hold(_ value: Value) { shared.withLock { $0.untaken[ObjectIdentifier(value.channel)] = value } }

  func take(_ value: Value) { shared.withLock { _ = $0.untaken.removeValue(forKey: ObjectIdentifier(value.channel)) } }

  var count: Int { shared.withLock { $0.channels.count } }

  func closeAll() {
    for channel in shared.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
  }

  /// Those that were accepted when nobody answered any more.
  func endUntaken() async {
    let values = shared.withLock { shared in
      defer { shared.untaken = [:] }
      return Array(shared.untaken.values)
    }
    for value in values { try? await value.executeThenClose { _, _ in } }
  }
}

/// HTTP on a connection that is held on to from the moment it is accepted.
struct HeldChannel: ServerChildChannel {
  let http: HTTP1Channel
  let connections: Connections

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connections.Value> {
    http.setup(channel: channel, logger: logger).map { value in
      connections.hold(value)
      return value
    }
  }

  func handle(value: Connections.Value, logger: Logger) async {
    connections.take(value)
    await http.handle(value: value, logger: logger)
  }
}

import NIOCore
import NIOHTTPTypes
import Synchronization

/// Ends connections that keep nobody busy but the server: that do not get their request said, that have nothing more to ask, that do not take what
/// they asked for.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  struct Patience: Sendable {
    let request: TimeAmount
    let stalled: TimeAmount

    init(_ limits: WebServer.Limits) {
      request = TimeAmount(limits.request)
      stalled = TimeAmount(limits.stalled)
    }
  }

  private let patience: Patience
  private let connections: Connections
  private var request: Scheduled<Void>?
  private var stall: Scheduled<Void>?

  init(_ patience: Patience, _ connections: Connections) {
    self.patience = patience
    self.connections = connections
  }

  func handlerAdded(context: ChannelHandlerContext) {
    connections.add(context.channel)
    awaitRequest(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) { calm() }

  func channelInactive(context: ChannelHandlerContext) {
    calm()
    connections.remove(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .end = unwrapInboundIn(data) {
      request?.cancel()
      request = nil
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { awaitRequest(context) }
    context.write(data, promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stall?.cancel()
    stall = context.channel.isWritable ? nil : close(context.channel, in: patience.stalled)
    context.fireChannelWritabilityChanged()
  }

  private func awaitRequest(_ context: ChannelHandlerContext) {
    request?.cancel()
    request = close(context.channel, in: patience.request)
  }

  private func close(_ channel: any Channel, in time: TimeAmount) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }

  private func calm() {
    request?.cancel()
    stall?.cancel()
    (request, stall) = (nil, nil)
  }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}

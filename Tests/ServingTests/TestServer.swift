import Foundation
import Serving

/// A server of a store on a free port, ended with what is done with it.
struct TestServer: Sendable {
  let server: WebServer
  var port: Int { server.port }

  static func with<Value: Sendable>(
    _ storePath: String, _ limits: WebServer.Limits = .init(), _ work: (TestServer) async throws -> Value
  ) async throws -> Value {
    let server = try await WebServer.start(storePath: storePath, host: "127.0.0.1", port: 0, limits: limits)
    do {
      let value = try await work(TestServer(server: server))
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }

  /// One request on a connection of its own.
  ///
  /// - Parameter more: further header lines, each with its end.
  func ask(_ target: String, method: String = "GET", host: String? = "127.0.0.1", _ more: String = "") async throws -> RawReply {
    let client = try RawClient(port: port)
    client.send("\(method) \(target) HTTP/1.1\r\n\(host.map { "Host: \($0)\r\n" } ?? "")Connection: close\r\n\(more)\r\n")
    return RawReply(try await client.readAll())
  }

  /// A connection on which a run's events come.
  func watch(_ target: String, lastEventID: String? = nil) throws -> RawClient {
    let client = try RawClient(port: port)
    let last = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
    client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\(last)\r\n")
    return client
  }
}

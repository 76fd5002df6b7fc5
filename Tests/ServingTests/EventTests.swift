import Foundation
import JSONValues
import Serving
import Testing

@Suite("Events over the wire", .timeLimit(.minutes(5))) struct EventTests {
  private var limits: WebServer.Limits {
    var limits = WebServer.Limits()
    limits.look = .milliseconds(10)
    return limits
  }

  private static func ids(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
  }

  @Test("states arrive in order, the end arrives, and the connection ends with it")
  func order() async throws {
    let run = try StagedRun()
    try await TestServer.with(run.storePath, limits) { server in
      let client = try server.watch("/runs/\(run.id)/events")
      let first = try await client.read { $0.contains("event: instances\ndata: [{") && $0.contains("}]\n\n") }
      #expect(first.contains("content-type: text/event-stream") || first.contains("Content-Type: text/event-stream"))
      #expect(first.components(separatedBy: "\"state\":\"waiting\"").count == 4)
      for place in 0..<3 {
        try run.start(place)
        let started = try await client.read { $0.contains("\"state\":\"running\"") && $0.contains("\"counts\"") }
        #expect(started.contains("\"instance\":\(place),"))
        try run.log(place, "working\n")
        try run.metric(place, "loss", 1, 0.5)
        _ = try await client.read { $0.contains("working") }
        try run.finish(place)
        let ended = try await client.read { $0.contains("\"ran\":\(place + 1)") }
        #expect(ended.contains("\"instance\":\(place),"))
      }
      try run.end()
      let rest = try await client.read { $0.contains("event: end") }
      #expect(rest.contains("{\"state\":\"done\"}"))
    }
  }

  @Test("who comes back is told what he missed, and no more; after a new start of the server, everything")
  func resumed() async throws {
    let run = try StagedRun((0..<40).map { "i\($0)" })
    let last = try await TestServer.with(run.storePath, limits) { server -> String in
      let client = try server.watch("/runs/\(run.id)/events")
      _ = try await client.read { $0.contains("event: instances\ndata: [{") && $0.contains("}]\n\n") }
      try run.start(0)
      let seen = try await client.read { $0.contains("\"running\":1") && $0.hasSuffix("\n\n\r\n") }
      let id = try #require(Self.ids(seen).last)
      try run.finish(0)
      try run.start(1)
      _ = try await client.read { $0.contains("\"instance\":1,") }
      let again = try server.watch("/runs/\(run.id)/events", lastEventID: id)
      let missed = try await again.read { $0.contains("\"instance\":1,") }
      #expect(missed.contains("\"instance\":0,"))
      #expect(!missed.contains("\"instance\":39,"))
      for wrong in ["x.1", "", String(repeating: "9", count: 300), "\(id.dropLast())999999"] {
        let stranger = try server.watch("/runs/\(run.id)/events", lastEventID: wrong)
        _ = try await stranger.read { $0.contains("\"instance\":39,") }
      }
      return id
    }
    try await TestServer.with(run.storePath, limits) { server in
      let later = try server.watch("/runs/\(run.id)/events", lastEventID: last)
      #expect(try await later.read { $0.contains("\"instance\":39,") }.contains("\"instance\":1,"))
    }
  }

  @Test("only so many watch at once; a place that is left is free again")
  func bounded() async throws {
    let run = try StagedRun()
    var limits = limits
    limits.eventClients = 3
    limits.quietLooks = 2
    try await TestServer.with(run.storePath, limits) { server in
      var clients = try (0..<3).map { _ in try server.watch("/runs/\(run.id)/events") }
      for client in clients { _ = try await client.read { $0.contains("event: run") } }
      let refused = try await server.ask("/runs/\(run.id)/events")
      #expect(refused.status == 503)
      #expect(refused.headers["retry-after"] == "10")
      #expect(try await server.ask("/runs/\(run.id)").status == 200)
      // A sign of life shows that somebody has gone.
      _ = try await clients[0].read { $0.contains(": still here") }
      clients.removeAll()
      try await ServerTests.eventually { server.server.eventClients == 0 }
      _ = try await server.watch("/runs/\(run.id)/events").read { $0.contains("event: run") }
    }
  }

  @Test("a run that is over is told whole, and that it is")
  func over() async throws {
    let run = try StagedRun()
    try run.end()
    try await TestServer.with(run.storePath, limits) { server in
      let reply = try await server.ask("/runs/\(run.id)/events")
      #expect(reply.status == 200)
      #expect(reply.body.contains("event: end\ndata: {\"state\":\"done\"}"))
      #expect(server.server.eventClients == 0)
    }
  }

  @Test("a run that is removed while it is watched is told as gone")
  func removed() async throws {
    let run = try StagedRun()
    try await TestServer.with(run.storePath, limits) { server in
      let client = try server.watch("/runs/\(run.id)/events")
      _ = try await client.read { $0.contains("event: instances\ndata: [{") && $0.contains("}]\n\n") }
      try FileManager.default.removeItem(atPath: run.directory.path)
      #expect(try await client.read { $0.contains("event: end") }.contains("{\"state\":\"gone\"}"))
      #expect(try await server.ask("/runs/\(run.id)").status == 404)
    }
  }
}

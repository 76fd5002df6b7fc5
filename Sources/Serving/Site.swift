import Artifacts
import Diagnostics
import Execution
import JSONValues
import Reporting

/// What stands where: routes to pages, pages to replies. It knows neither sockets nor the protocol's words.
struct Site: Sendable {
  let gatekeeper: Gatekeeper
  let library: RunLibrary
  private let reading = FileWorker("heirloom.serve.reading")
  private let feeds: LiveFeeds

  init(storePath: String, gatekeeper: Gatekeeper, limits: WebServer.Limits) {
    self.gatekeeper = gatekeeper
    library = RunLibrary(storePath: storePath)
    feeds = LiveFeeds(
      storePath: storePath, worker: FileWorker("heirloom.serve.watching"), pace: .init(look: limits.look, quietLooks: limits.quietLooks),
      mostClients: limits.eventClients)
  }

  var eventClients: Int { feeds.clients }

  func close() { feeds.close() }

  func reply(to visit: Gatekeeper.Visit, lastEventID: String?) async -> Reply {
    do throws(Gatekeeper.Refusal) { try gatekeeper.check(visit) } catch { return .refusal(error) }
    let route: Route
    do throws(Route.Failure) { route = try Route(visit.target) } catch {
      switch error {
      case .unknown: return .page(ErrorPage.written("There is no such page"), status: 404)
      case .query(let text): return .page(ErrorPage.written("This cannot be asked", text), status: 400)
      }
    }
    do {
      return try await reply(to: route, lastEventID)
    } catch let missing as RunLibrary.Missing {
      return .page(ErrorPage.written("It is not here", missing.what), status: 404)
    } catch {
      return .page(ErrorPage.written("The store cannot be read", "\(error)"), status: 503)
    }
  }

  private func reply(to route: Route, _ lastEventID: String?) async throws -> Reply {
    switch route {
    case .events(let id): return try await events(id, lastEventID)
    default: return try await reading.run { try read(route) }
    }
  }

  private func events(_ id: RunID, _ lastEventID: String?) async throws -> Reply {
    switch try await feeds.subscribe(id, lastEventID: lastEventID) {
    case .admitted(let subscription): return .events(subscription)
    case .full:
      var reply = Reply.line("too many pages watch already", status: 503)
      reply.fields.append(("Retry-After", "10"))
      return reply
    case .unknown: return .line("no run \(id) in this store", status: 404)
    }
  }

  /// On the worker.
  private func read(_ route: Route) throws -> Reply {
    switch route {
    case .runs: return .page(RunListPage(try library.runs(), storePath: library.storePath).written)
    case .runsJSON: return .json(.array(try library.runs().entries.map(\.json)))
    case .run(let id): return .page(try library.rendered(.page, of: [id]) { RunPage($0[0], id).written })
    case .runJSON(let id): return try json([id]) { $0[0].json }
    case .compare(let ids):
      guard ids.count > 1 else { return .page(RunListPage(try library.runs(), storePath: library.storePath, chosen: ids).written) }
      return .page(try library.rendered(.page, of: ids) { ComparisonPage(RunsComparison($0)).written })
    case .compareJSON(let ids):
      guard ids.count > 1 else { return .line("two runs or more are compared: compare.json?run=ID&run=ID", status: 400) }
      return try json(ids) { RunsComparison($0).json }
    case .instance(let id, let place):
      let (run, instance, store) = try self.instance(id, place)
      return .page(InstancePage(run, id, instance, place, try library.log(instance, store, from: 0)).written)
    case .log(let id, let place, let from):
      let (_, instance, store) = try self.instance(id, place)
      guard let log = try library.log(instance, store, from: from) else {
        return .line("\(instance.name.printableLine) has no log", status: 404)
      }
      var reply = Reply.text(log.bytes)
      reply.fields = [("Log-Offset", String(log.offset)), ("Log-Size", String(log.size)), ("Instance-State", instance.state)]
      return reply
    case .events: return .line("", status: 500)
    }
  }

  private func json(_ ids: [RunID], _ value: ([RunReport]) -> JSONValue) throws -> Reply {
    let written = try library.rendered(.json, of: ids) { WrittenPage(bytes: value($0).encodedBytes() + [0x0A], policy: Reply.nothing) }
    return Reply(contentType: "application/json", body: .bytes(written.bytes))
  }

  private func instance(_ id: RunID, _ place: Int) throws -> (run: RecordedRun, instance: RecordedRun.Instance, store: Store) {
    let (run, store) = try library.run(id)
    guard run.instances.indices.contains(place) else { throw RunLibrary.Missing(what: "run \(id) has no instance \(place)") }
    return (run, run.instances[place], store)
  }
}

extension String {
  /// As a line of plain text.
  fileprivate var printableLine: String { VisibleText.line(self) }
}

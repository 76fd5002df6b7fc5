import Artifacts
import Execution
import Hashing
import Planning
import Remotes
import Testing

/// What remotes are for: nobody computes what somebody has computed.
@Suite("Runs on several machines")
struct SharedWorkTests {
  private static let all = ["last", "loud", "tree", "words"]

  private func push(_ desk: Desk, _ remote: any Remote) async throws {
    let queries = try StoreQueries(desk.store)
    let run = try queries.run(.latest)
    let transfer = Transfer(remote, queries.store, on: testThreads, patience: .quick)
    _ = try await onThreads { try await RunPush(transfer).push(run, targets: []) }
  }

  private func pull(_ desk: Desk, _ remote: any Remote, only: [String] = []) async throws {
    let transfer = Transfer(remote, try Store.open(desk.store), on: testThreads, patience: .quick)
    var wish = RunPull.Wish()
    wish.only = only
    let asked = wish
    _ = try await onThreads { try await RunPull(transfer).pull(asked) }
  }

  private func exchange(_ desk: Desk, _ remote: any Remote, _ uses: RunExchange.Uses = .lookUp) throws -> RunExchange {
    var patience = Patience.quick
    patience.stallSeconds = 0.3
    return RunExchange(remote, try Store.open(desk.store), on: RemoteThreads(16), uses, patience: patience)
  }

  private func view(_ desk: Desk, _ instance: String) throws -> String? {
    try FileSystem.posix.read("\(desk.store)/views/letters/\(instance)/text").map { String(decoding: $0, as: UTF8.self) }
  }

  private func finish(_ exchange: RunExchange) async -> Int {
    await withCheckedContinuation { continuation in startThread { continuation.resume(returning: exchange.finish()) } }
  }

  @Test("after push and pull the next run does nothing", arguments: Place.here)
  func nothing(place: Place) async throws {
    let (one, other, disk) = (try Desk(), try Desk(), try Scratch())
    #expect(try await one.run().ran == Self.all)
    let files = try place.files(disk.path + "/remote")
    try await push(one, FileTreeRemote(files))
    try await pull(other, FileTreeRemote(files))
    #expect(try view(other, "last") == "HELLO\nb\nx\n")
    let latest = try StoreQueries(other.store).run(.latest)
    #expect(latest.instances.map(\.state) == Array(repeating: "cached", count: 4))
    let second = try await other.run()
    #expect(second.cached == Self.all && second.ran == [])
    #expect(try view(other, "last") == "HELLO\nb\nx\n")
    await files.close()
  }

  @Test("after pulling one target the next run does nothing, and what hangs on more fetches nothing but computes it")
  func only() async throws {
    let (one, other, remote) = (try Desk(), try Desk(), MemoryRemote())
    _ = try await one.run()
    try await push(one, remote)
    try await pull(other, remote, only: ["last"])
    let second = try await other.run()
    #expect(second.cached == Self.all && second.ran == [])
    // Now the bytes of what came before are needed, and there is no remote.
    let third = try await other.run(sets: ["mark=y"])
    #expect(third.ran == Self.all)
    #expect(try view(other, "last") == "HELLO\nb\ny\n")
  }

  @Test("a run looks results up where it is told to, and fetches the bytes that somebody needs")
  func lookedUp() async throws {
    let (one, other, remote) = (try Desk(), try Desk(), MemoryRemote())
    _ = try await one.run()
    try await push(one, remote)
    let first = try await other.run(exchange(other, remote))
    #expect(first.ran == [] && first.cached == Self.all && first.notices == [])
    let words = Digest(hashing: "hello\n")
    #expect(try !Store.open(other.store).hasObject(words))
    #expect(try view(other, "last") == "HELLO\nb\nx\n")
    // `last` has to run, and what it takes is fetched for it.
    let second = try await other.run(sets: ["mark=y"], exchange(other, remote))
    #expect(second.ran == ["last"])
    #expect(try Store.open(other.store).hasObject(Digest(hashing: "HELLO\n")))
    #expect(try !Store.open(other.store).hasObject(words))
    #expect(try view(other, "last") == "HELLO\nb\ny\n")
  }

  @Test("what a run computed is published behind its back")
  func published() async throws {
    let (one, other, remote) = (try Desk(), try Desk(), MemoryRemote())
    let exchange = try exchange(one, remote, [.lookUp, .publish])
    #expect(try await one.run(exchange).ran == Self.all)
    #expect(await finish(exchange) == 4)
    #expect(try await other.run(self.exchange(other, remote)).ran == [])
  }

  @Test("a remote that fails costs a notice and no result", arguments: ["refuses", "hangs", "wrong bytes"])
  func failing(how: String) async throws {
    let (one, other) = (try Desk(), try Desk())
    let good = MemoryRemote()
    _ = try await one.run()
    try await push(one, good)
    let seen = good.seen
    let bad = MemoryRemote(trouble: {
      if how == "refuses" { throw RemoteError(.lasting, "memory: not allowed") }
      if how == "hangs" { try await Task.sleep(for: .seconds(3600)) }
    })
    bad.change { state in
      state = seen
      for (digest, bytes) in state.blobs { state.blobs[digest] = bytes.map { $0 ^ 1 } }
    }
    let exchange = try exchange(other, bad, [.lookUp, .publish])
    let run = try await other.run(exchange)
    #expect(run.status == 0)
    // Where nothing but bytes is wrong, results without them are believed: their bytes are made here when they are needed.
    #expect(run.ran == Self.all)
    #expect(!run.notices.isEmpty)
    if how != "wrong bytes" { #expect(run.notices.count == 1) }
    #expect(try view(other, "last") == "HELLO\nb\nx\n")
    _ = await finish(exchange)
  }
}

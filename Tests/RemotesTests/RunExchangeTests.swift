import Artifacts
import Execution
import Hashing
import Remotes
import Testing

@Suite("A remote beside a run")
struct RunExchangeTests {
  private func exchange(_ remote: any Remote, _ store: Store, _ uses: RunExchange.Uses = [.lookUp, .publish]) -> RunExchange {
    var patience = Patience.quick
    patience.tries = 2
    patience.stallSeconds = 0.2
    return RunExchange(remote, store, on: RemoteThreads(16), uses, patience: patience)
  }

  /// Its calls block, as stages' threads may.
  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in startThread { continuation.resume(returning: body()) } }
  }

  private func published(_ run: SampleRun, to remote: any Remote) async throws -> (count: Int, notices: [String]) {
    let exchange = exchange(remote, run.store)
    for name in SampleRun.names { exchange.offer(try run.key(name)) }
    return (await onThread { exchange.finish() }, exchange.notices())
  }

  @Test("what is offered is found by others without or with its bytes")
  func whatIsOfferedIsFoundByOthersWithoutOrWithItsBytes() async throws {
    let scratch = try Scratch()
    let (run, remote, there) = (try SampleRun(in: scratch.store("here")), MemoryRemote(), try scratch.store("there"))
    let (count, notices) = try await published(run, to: remote)
    #expect(count == 3)
    #expect(notices == [])
    let (exchange, key) = (exchange(remote, there), try run.key("train"))
    #expect(await onThread { exchange.fetch(key, bytes: false) } == .fetched)
    #expect(try there.result(key)?.answer.outputs == run.store.result(key)?.answer.outputs)
    #expect(try !there.holds(run.output("train")))
    #expect(await onThread { exchange.fetch(key, bytes: true) } == .fetched)
    #expect(try there.holds(run.output("train")))
    #expect(await onThread { exchange.fetch(Digest(hashing: [1]), bytes: true) } == .none)
    #expect(exchange.notices() == [])
  }

  @Test("a result without its bytes is computed where they are wanted")
  func aResultWithoutItsBytesIsComputedWhereTheyAreWanted() async throws {
    let scratch = try Scratch()
    let (run, remote, there) = (try SampleRun(in: scratch.store("here")), MemoryRemote(), try scratch.store("there"))
    try run.store.files.remove(run.store.objectPath(run.output("scores").digest))
    _ = try await published(run, to: remote)
    let (exchange, key) = (exchange(remote, there), try run.key("scores"))
    #expect(await onThread { exchange.fetch(key, bytes: true) } == .none)
    #expect(try there.result(key) == nil)
  }

  @Test("wrong bytes are told and the next result is looked up again")
  func wrongBytesAreToldAndTheNextResultIsLookedUpAgain() async throws {
    let scratch = try Scratch()
    let (run, remote, there) = (try SampleRun(in: scratch.store("here")), MemoryRemote(), try scratch.store("there"))
    _ = try await published(run, to: remote)
    let digest = try run.output("scores").digest
    remote.change { $0.blobs[digest] = noise(50, seed: 99) }
    let (exchange, scores, train) = (exchange(remote, there), try run.key("scores"), try run.key("train"))
    #expect(await onThread { exchange.fetch(scores, bytes: true) } == .none)
    #expect(exchange.notices().count == 1)
    #expect(try there.result(scores) == nil)
    #expect(try there.objects.isEmpty)
    #expect(await onThread { exchange.fetch(train, bytes: true) } == .fetched)
    #expect(exchange.notices() == [])
  }

  @Test("a remote that fails is told once and left alone", arguments: ["refuses", "breaks", "hangs", "blocks"])
  func aRemoteThatFailsIsToldOnceAndLeftAlone(how: String) async throws {
    let scratch = try Scratch()
    let gate = DispatchGate()
    defer { gate.open() }
    let calls = Count()
    let remote = MemoryRemote(trouble: {
      calls.add(1)
      switch how {
      case "refuses": throw RemoteError(.lasting, "memory: not allowed")
      case "breaks": throw RemoteError(.passing, "memory: the connection broke")
      case "hangs": try await Task.sleep(for: .seconds(3600))
      default: gate.wait()
      }
    })
    let run = try SampleRun(in: scratch.store())
    let (exchange, key) = (exchange(remote, run.store), try run.key("train"))
    #expect(await onThread { exchange.fetch(key, bytes: true) } == .none)
    let says = ["refuses": "memory: not allowed", "breaks": "memory: the connection broke"][how] ?? "memory: has not answered for 1 s"
    #expect(exchange.notices() == ["the remote is left alone from now on: \(says)"])
    let asked = calls.value
    #expect(await onThread { exchange.fetch(key, bytes: true) } == .none)
    exchange.offer(key)
    #expect(await onThread { exchange.finish() } == 0)
    #expect(calls.value == asked)
    #expect(exchange.notices() == [])
  }

  @Test("only what is asked for is done")
  func onlyWhatIsAskedForIsDone() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store()), MemoryRemote())
    let (exchange, key) = (exchange(remote, run.store, .lookUp), try run.key("train"))
    exchange.offer(key)
    #expect(await onThread { exchange.finish() } == 0)
    #expect(remote.seen.puts.isEmpty)
  }
}

import Artifacts
import Execution
import Hashing
import JSONValues
import Remotes
import Testing

@Suite("Push and pull of runs")
struct PushAndPullTests {
  private func push(
    _ run: SampleRun, _ remote: any Remote, targets: [String] = [], tag: String? = nil, logs: Bool = false
  ) async throws -> RunPush.Report {
    let recorded = try StoreQueries(run.store.root).run(.latest)
    let transfer = Transfer(remote, run.store, on: testThreads, patience: .quick)
    return try await onThreads { try await RunPush(transfer, sendsLogs: logs).push(recorded, targets: targets, tag: tag) }
  }

  private func pull(_ remote: any Remote, _ store: Store, _ wish: RunPull.Wish = .init()) async throws -> RunPull.Report {
    let transfer = Transfer(remote, store, on: testThreads, patience: .none)
    return try await onThreads { try await RunPull(transfer).pull(wish) }
  }

  @Test("what one store pushed another answers with")
  func whatOneStorePushedAnotherAnswersWith() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    let pushed = try await push(run, remote)
    #expect(pushed.lines == ["pushed 3 results and 6 files (296.0 KiB); tag sample"])
    #expect(pushed.notices == [])
    let pulled = try await pull(remote, there)
    #expect(pulled.results == 3)
    #expect(pulled.notices == [])
    for name in SampleRun.names {
      let (ours, theirs) = (try #require(try run.store.result(run.key(name))), try #require(try there.result(run.key(name))))
      #expect(theirs.answer.outputs == ours.answer.outputs)
      #expect(theirs.parts == ours.parts)
      #expect(theirs.answer.seconds == 2.25)
      #expect(theirs.answer.metrics == ours.answer.metrics)
      #expect(theirs.answer.host == JSONObject([("cpu", "a processor")]))
      #expect(theirs.answer.log == nil)
      // What need not be kept stays where it is.
      for output in theirs.answer.outputs { #expect(try there.holds(output) == (output.name != "scraps")) }
    }
    let queries = try StoreQueries(there.root)
    let latest = try queries.run(.latest)
    #expect(latest.id == pulled.run)
    #expect(latest.standing == .ended(0))
    #expect(latest.instances.map(\.state) == ["cached", "cached", "cached"])
    let finding = try queries.find("train", in: .latest)
    #expect(finding.paths["model"] == there.viewPath(recipe: "sample", instance: "train", output: "model"))
    #expect(try Checkup(there).run().damage.isEmpty)
    #expect(try there.parts.isEmpty)
  }

  @Test("nothing that is there is sent or fetched again")
  func nothingThatIsThereIsSentOrFetchedAgain() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    _ = try await push(run, remote)
    _ = try await pull(remote, there)
    let before = remote.seen
    let again = try await push(run, remote)
    #expect(again.lines == ["pushed 0 results and 0 files (0 B); 3 known there already; tag sample"])
    _ = try await pull(remote, there)
    let gets = remote.seen.gets.dropFirst(before.gets.count).map(\.digest)
    let run2 = try StoreQueries(there.root).runs()
    #expect(run2.count == 2)
    // The manifest and the plan, which are no objects.
    #expect(gets.count == 2)
    #expect(remote.seen.puts == before.puts)
  }

  @Test("bytes go first then results then the tag")
  func bytesGoFirstThenResultsThenTheTag() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store()), MemoryRemote())
    // `MemoryRemote` holds every document to blobs that are there.
    _ = try await push(run, remote)
    #expect(remote.seen.documentPuts.map(\.kind) == [.results, .results, .results, .tags])
  }

  @Test("nothing of a host goes along")
  func nothingOfAHostGoesAlong() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store()), MemoryRemote())
    _ = try await push(run, remote)
    let all =
      remote.seen.documents.values.map { String(decoding: $0, as: UTF8.self) }
      + remote.seen.blobs.values.map { String(decoding: $0, as: UTF8.self) }
    for text in all {
      for secret in ["private.example", "/home/", scratch.path, "the log of"] { #expect(!text.contains(secret)) }
    }
    #expect(all.contains { $0.contains(#""manifest":"sample.yaml""#) && $0.contains(#""manifest":"parts/more.yaml""#) })
  }

  @Test("logs go along when they are asked for")
  func logsGoAlongWhenTheyAreAskedFor() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    _ = try await push(run, remote, logs: true)
    var wish = RunPull.Wish()
    wish.logs = true
    _ = try await pull(remote, there, wish)
    let log = try #require(try there.result(run.key("train"))?.answer.log)
    #expect(try there.object(log) == Array("the log of train\n".utf8))
  }

  @Test("of what one target needs only its own bytes come")
  func ofWhatOneTargetNeedsOnlyItsOwnBytesCome() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    _ = try await push(run, remote)
    var wish = RunPull.Wish()
    wish.only = ["scores"]
    let pulled = try await pull(remote, there, wish)
    #expect(pulled.results == 3)
    #expect(try there.holds(run.output("scores")))
    #expect(try !there.holds(run.output("train")))
    #expect(try !there.holds(run.output("data")))
    let finding = try StoreQueries(there.root).find("scores", in: .latest)
    #expect(finding.paths["scores"] != nil)
    // Later the rest.
    _ = try await pull(remote, there)
    #expect(try there.holds(run.output("train")))
  }

  @Test("a target comes with what it needs and nothing else")
  func aTargetComesWithWhatItNeedsAndNothingElse() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    _ = try await push(run, remote)
    var wish = RunPull.Wish()
    wish.targets = ["train.model"]
    _ = try await pull(remote, there, wish)
    #expect(try StoreQueries(there.root).run(.latest).instances.map(\.name) == ["data", "train"])
    #expect(try there.holds(run.output("train")) && there.holds(run.output("data")))
    #expect(try there.result(run.key("scores")) == nil)
    wish.targets = ["tran"]
    let error = await #expect(throws: QueryError.self) { try await pull(remote, there, wish) }
    #expect(error?.description.hasSuffix("did you mean 'train'?") == true)
  }

  @Test("part of a run can be pushed")
  func partOfARunCanBePushed() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    let pushed = try await push(run, remote, targets: ["train"], tag: "half")
    #expect(pushed.results == 2)
    #expect(try await pull(remote, there).tag == "half")
    #expect(try StoreQueries(there.root).run(.latest).instances.map(\.name) == ["data", "train"])
  }

  @Test("a tag is said or is the only one")
  func aTagIsSaidOrIsTheOnlyOne() async throws {
    let scratch = try Scratch()
    let (run, there, remote) = (try SampleRun(in: scratch.store("here")), try scratch.store("there"), MemoryRemote())
    let none = await #expect(throws: RemoteError.self) { try await pull(remote, there) }
    #expect(none == RemoteError(.usage, "memory: has no tags: nothing was pushed there"))
    _ = try await push(run, remote)
    _ = try await push(run, remote, tag: "paper")
    let several = await #expect(throws: RemoteError.self) { try await pull(remote, there) }
    #expect(several == RemoteError(.usage, "memory: has several tags; say which with --tag: paper, sample"))
    var wish = RunPull.Wish()
    wish.tag = "papr"
    let wrong = await #expect(throws: RemoteError.self) { try await pull(remote, there, wish) }
    #expect(wrong == RemoteError(.usage, "memory: has no tag 'papr'; did you mean 'paper'?"))
    await #expect(throws: RemoteError.self) { try await push(run, remote, tag: "../up") }
  }

  @Test("a result whose bytes are gone is pushed without them and never over one that has them")
  func aResultWhoseBytesAreGoneIsPushedWithoutThemAndNeverOverOneThatHasThem() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store("here")), MemoryRemote())
    let second = MemoryRemote()
    _ = try await push(run, second)
    try run.store.files.remove(run.store.objectPath(run.output("data").digest))
    let pushed = try await push(run, remote)
    #expect(pushed.notices == ["the bytes of data.train are not in this store; only their digest is pushed"])
    let there = try scratch.store("there")
    let pulled = try await pull(remote, there)
    #expect(pulled.notices == ["memory: does not have the bytes of data.train"])
    #expect(try there.holds(run.output("train")))
    let name = RemoteDocument.result(try run.key("data"))
    let kept = second.seen.documents[name]
    _ = try await push(run, second)
    #expect(second.seen.documents[name] == kept)
  }

  @Test("another answer for a key is told and the first goes on answering")
  func anotherAnswerForAKeyIsToldAndTheFirstGoesOnAnswering() async throws {
    let scratch = try Scratch()
    let (one, remote) = (try SampleRun(in: scratch.store("one")), MemoryRemote())
    let other = try SampleRun(in: scratch.store("other"), version: 2)
    _ = try await push(one, remote)
    let pulled = try await pull(remote, other.store)
    #expect(pulled.notices == ["scores: this store has other outputs for the same key, which go on answering"])
    #expect(try other.store.result(other.key("scores"))?.outcomes.count == 2)
    #expect(try StoreQueries(other.store.root).find("scores", in: .latest).result?.answer.outputs == [other.output("scores")])
    try FileSystem.posix.remove(other.store.root + "/runs/\(pulled.run)")
    let pushed = try await push(other, remote, tag: "other")
    #expect(pushed.notices == ["scores: memory: had other outputs for the same key; these answer there from now on"])
  }

  @Test("a pull that is cut goes on and two at once come to the same")
  func aPullThatIsCutGoesOnAndTwoAtOnceComeToTheSame() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store("here")), MemoryRemote())
    _ = try await push(run, remote)
    let cut = MemoryRemote(cutAfter: 60_000)
    let seen = remote.seen
    cut.change { $0 = seen }
    let there = try scratch.store("there")
    await #expect(throws: RemoteError.self) { try await pull(cut, there) }
    #expect(try there.result(run.key("data")) == nil)
    #expect(try StoreQueries(there.root).runs().isEmpty)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { group.addTask { _ = try await pull(remote, try scratch.store("there")) } }
      try await group.waitForAll()
    }
    #expect(try Checkup(there).run().damage.isEmpty)
    #expect(try there.holds(run.output("train")))
    let offsets = remote.seen.gets.filter { $0.digest == Digest(hashing: noise(300_000, seed: 5)) }.map(\.offset)
    #expect(offsets == [60_000])
  }

  @Test("a stage that runs keeps its key")
  func aStageThatRunsKeepsItsKey() async throws {
    let scratch = try Scratch()
    let (run, remote) = (try SampleRun(in: scratch.store("here")), MemoryRemote())
    _ = try await push(run, remote)
    let there = try scratch.store("there")
    guard case .held(let lock) = try there.lock(run.key("train"), owner: LockOwner(run: "other", instance: "train")) else {
      Issue.record("the key is free")
      return
    }
    let error = await #expect(throws: StoreError.self) { try await pull(remote, there) }
    #expect(error?.message.hasPrefix("train is being computed by a run in this store") == true)
    lock.release()
    _ = try await pull(remote, there)
  }
}

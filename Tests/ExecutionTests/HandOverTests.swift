import Artifacts
import Execution
import Foundation
import Testing

@Suite("Runs that are handed over", .serialized)
struct HandOverTests {
  private static let graph = """
    heirloom: 1
    name: test
    stages:
      a: {uses: say, with: {text: hello}}
      b: {uses: upper, matrix: {mark: [x, y, z]}, with: {mark: "${mark}"}, inputs: {text: a.text}}
      c: {uses: join, inputs: {texts: "b[*].text"}}
    """

  private func submit(_ queued: QueuedProject) throws -> RunHandOver.Answer {
    try RunHandOver.submit(queued.project.request { queued.options(&$0) }, in: queued.project.store)
  }

  private func run(_ queued: QueuedProject) throws -> RecordedRun { try StoreQueries(queued.project.store).run(.latest) }

  @Test("the graph goes to the queue with its dependencies, equal ones as arrays; the bytes are those of a local run, and status tells")
  func graph() throws {
    let queued = try QueuedProject(Self.graph)
    queued.queue.change { $0.held = ["a"] }
    let answer = try submit(queued)
    #expect(answer.jobs == 5 && answer.submissions == 3)
    #expect(queued.queue.submissions.map(\.indices.count) == [1, 3, 1])
    #expect(queued.queue.submissions.map(\.after.count) == [0, 1, 3])
    let waiting = try run(queued)
    #expect(waiting.standing == .running && waiting.count("waiting") == 5)
    var follower = RunFollower(waiting, in: try Store(reading: queued.project.store))
    #expect(follower.advance().isEmpty)
    queued.queue.release("a")
    try queued.until("all is done") { (try? run(queued).standing) == .ended(0) }
    let news = follower.advance()
    #expect(news.hasEnded && news.changed.count == 5 && follower.standing == .ended(0))
    let done = try run(queued)
    #expect(done.count("ran") == 5 && done.instances.allSatisfy { $0.node != nil })
    #expect(queued.project.output("c", "text") == "HELLO\nxHELLO\nyHELLO\nz")
    let local = try TestProject()
    try local.write("recipe.yaml", Self.graph)
    try local.run()
    let keys = try [local.store, queued.project.store].map { try StoreQueries($0).find("c", in: .latest).result?.key }
    #expect(keys[0] != nil && keys[0] == keys[1])
    #expect(try queued.project.run().cached.count == 5)
  }

  @Test("what is cached is not submitted; an instance that fails takes with it what hangs on it, and keeps its log")
  func failure() throws {
    let manifest = scriptManifest(
      "echo the reason >&2; exit 3", "    retries: 1\n  after: {uses: upper, inputs: {text: s.out}}\n  other: {uses: say, with: {text: a}}")
    let queued = try QueuedProject(manifest)
    try queued.project.run { $0.targets = ["other"] }
    let answer = try submit(queued)
    #expect(answer.jobs == 2 && answer.cached == 1)
    try queued.until("all is over") { (try? run(queued).standing) == .ended(1) }
    let over = try run(queued)
    #expect(Set(over.instances.map { "\($0.name) \($0.state)" }) == ["s failed", "after skipped", "other cached"])
    let queries = try StoreQueries(queued.project.store)
    #expect(String(decoding: try queries.log(queries.find("s", in: .latest)), as: UTF8.self) == "the reason\nthe reason\n")
  }

  @Test("jobs that nobody waits for are taken back by name of their run; the next run goes on from the checkpoint")
  func cancel() throws {
    let queued = try QueuedProject("heirloom: 1\nname: test\nstages: {}\n")
    try queued.project.write(
      "recipe.yaml", QueuedRunTests.halves(queued.project) + "  after: {uses: upper, inputs: {text: s.out}}\n")
    let answer = try submit(queued)
    try queued.until("the stage is half done") { queued.project.read("half")?.hasSuffix("\n") == true }
    let store = try Store(reading: queued.project.store)
    let jobs = try #require(try RunJobs(run: answer.run, in: store))
    let queue = queued.queue
    #expect(try jobs.withdraw { _ in queue } == 2)
    try queued.until("it is over") { (try? run(queued).standing) == .ended(130) }
    // The queue hears of the end of the one that ran a little later.
    try queued.until("no job is left") { (try? jobs.withdraw { _ in queue }) == 0 }
    #expect(try queued.run().resumed == ["s"])
    #expect(queued.project.output("after", "text") == "X\nX\nX\nX\n")
  }

  @Test("a run that waits takes up the jobs of one that was handed over")
  func waiting() throws {
    let queued = try QueuedProject(QueuedRunTests.chain)
    queued.queue.change { $0.held = ["a"] }
    _ = try submit(queued)
    let running = queued.start()
    queued.queue.release("a")
    let happening = try running.wait()
    #expect(Set(happening.ran + happening.cached) == ["a", "b"])
    #expect(queued.queue.jobs(of: "a").count == 1)
  }
}

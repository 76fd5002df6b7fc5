import Artifacts
import Execution
import Foundation
import Testing

/// Runners that go, and what becomes of their jobs.
extension QueuedRunTests {
  @Test("Ctrl-C leaves jobs to themselves; the next run takes them up and submits nothing")
  func adoption() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.held = ["a"] }
    let first = queued.start { $0.takesSignals = true }
    try queued.until("it waits") { !queued.queue.jobs(of: "a").isEmpty }
    kill(getpid(), SIGINT)
    let left = try first.wait()
    #expect(left.outcome?.exitStatus == 130 && left.interrupted == ["a"])
    let notice = try #require(left.notices.last)
    #expect(notice.hasPrefix("1 job goes on in fake without this run (1): run again to wait for it, or take back with"))
    let second = queued.start()
    queued.queue.release("a")
    #expect(try second.wait().ran == ["a", "b"])
    #expect(queued.queue.submissions.count == 2)
    #expect(queued.queue.state.withLock { $0.cancellations.isEmpty })
  }

  @Test("two runs that want the same key share a job")
  func sharing() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.held = ["a", "b"] }
    let first = queued.start()
    let second = queued.start()
    try queued.until("both know it") { queued.project.files(in: "artifacts/runs").count { $0.hasSuffix("jobs.jsonl") } == 2 }
    queued.queue.release("a")
    try queued.until("b is submitted") { !queued.queue.jobs(of: "b").isEmpty }
    queued.queue.release("b")
    let happenings = [try first.wait(), try second.wait()]
    for happening in happenings { #expect(Set(happening.ran + happening.cached) == ["a", "b"]) }
    #expect(queued.queue.submissions.count == 2)
  }

  @Test("while a submission of a dead runner's may yet be heard, nobody makes another")
  func lateSubmission() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.isDown = true }
    let first = queued.start { $0.takesSignals = true }
    try queued.until("it was not heard") { queued.queue.state.withLock { $0.unheard != nil } }
    let batch = try #require(queued.queue.state.withLock { $0.unheard })
    kill(getpid(), SIGINT)
    _ = try first.wait()
    try queued.forgetRunner()
    // As the queue's own program holds it, that outlives the runner.
    let files = JobFiles(run: try #require(queued.runs.first), in: try Store(reading: queued.project.store))
    let lock = try #require(try files.submissionLock(batch.name))
    queued.queue.change { $0.isDown = false }
    let second = queued.start()
    try queued.until("the second run wants it") { queued.handed == 2 }
    usleep(300_000)
    #expect(queued.queue.submissions.isEmpty)
    _ = try queued.queue.submit(batch)
    lock.release()
    #expect(try second.wait().ran == ["a", "b"])
    #expect(queued.queue.submissions.count == 2)
  }

  @Test("of a batch that was heard in part the rest is submitted, by the run itself or by the next one", arguments: [false, true])
  func heardInPart(runnerDies: Bool) throws {
    let queued = try QueuedProject(
      "heirloom: 1\nname: test\nstages:\n  s: {uses: say, matrix: {n: [1, 2, 3, 4]}, with: {text: \"t${n}\"}}\n")
    queued.queue.change { $0.halfHeard = 2 }
    let first = queued.start { $0.takesSignals = true }
    try queued.until("it was heard in part") { queued.queue.state.withLock { $0.isDown } }
    if runnerDies {
      kill(getpid(), SIGINT)
      _ = try first.wait()
      try queued.forgetRunner()
    }
    queued.queue.change { $0.isDown = false }
    let happening = try runnerDies ? queued.run() : first.wait()
    #expect((happening.ran + happening.cached).count == 4 && happening.failed == [])
    #expect(queued.queue.jobCount == 4)
  }

  @Test("a result that comes while a run is about to submit is taken, and nothing is submitted for it")
  func meanwhile() throws {
    let queued = try QueuedProject(Self.chain)
    try queued.run { $0.executor = "local" }
    try queued.project.write("recipe.yaml", Self.chain.replacing("hello", with: "other"))
    // Nobody submits while this is held; the run has looked for results before.
    let lock = try FileLock.wait(queued.project.store + "/locks/jobs", .exclusive, .posix)
    let running = queued.start()
    try queued.until("the run wants it") { queued.handed == 1 }
    try queued.run { $0.executor = "local" }
    lock.release()
    let happening = try running.wait()
    #expect(happening.cached == ["a", "b"] && happening.ran == [])
    #expect(queued.queue.submissions.isEmpty)
  }

  @Test("Ctrl-C that is to take jobs back: those that wait go, those that run keep a checkpoint; the next run goes on")
  func takingBack() throws {
    let queued = try QueuedProject("heirloom: 1\nname: test\nstages: {}\n")
    try queued.project.write("recipe.yaml", Self.halves(queued.project) + "  w: {uses: say, with: {text: a}}\n")
    queued.queue.change { $0.held = ["w"] }
    let running = queued.start {
      $0.takesSignals = true
      $0.cancelsJobs = true
    }
    try queued.until("the stage is half done") { queued.project.read("half")?.hasSuffix("\n") == true }
    kill(getpid(), SIGINT)
    let happening = try running.wait()
    #expect(Set(happening.interrupted) == ["s", "w"])
    #expect(queued.queue.jobs(of: "s").map(\.starts) == [1])
    #expect(queued.queue.state.withLock { $0.cancellations.count } == 2)
    queued.queue.release("w")
    #expect(try queued.run().resumed == ["s"])
    #expect(queued.project.output("s", "out") == "x\nx\nx\nx\n")
  }

  @Test("a runner that died before the queue's answer: its job is found by name and taken up; what was never heard is submitted")
  func intent() throws {
    for wasHeard in [true, false] {
      let queued = try QueuedProject(Self.chain)
      queued.queue.change {
        $0.held = ["a"]
        $0.lostAnswers = wasHeard ? 1 : 0
        $0.deafness = wasHeard ? 0 : 1
      }
      // As a runner leaves it that is killed then: claim and intent are written, and the runner is gone.
      let first = queued.start {
        $0.takesSignals = true
        $0.patience.quick = 60
      }
      try queued.until("the answer is lost") { queued.queue.state.withLock { $0.lostAnswers == 0 && $0.deafness == 0 } }
      kill(getpid(), SIGINT)
      _ = try first.wait()
      try queued.forgetRunner()
      let second = queued.start()
      queued.queue.release("a")
      #expect(try second.wait().ran == ["a", "b"])
      #expect(queued.queue.submissions.count == 2)
    }
  }
}

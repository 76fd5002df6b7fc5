import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import Testing

@Suite("Runs whose stages are jobs", .serialized)
struct QueuedRunTests {
  static let chain = """
    heirloom: 1
    name: test
    stages:
      a: {uses: say, with: {text: hello}}
      b: {uses: upper, inputs: {text: a.text}}
    """

  /// Says when it is half done, then waits to be stopped; goes on from there the next time.
  static func halves(_ project: TestProject) -> String {
    scriptManifest(
      """
      trap 'exit 75' TERM
      while [ "$(cat "$HEIRLOOM_CHECKPOINT/n" 2>/dev/null | wc -l)" -lt 4 ]; do
        echo x >> "$HEIRLOOM_CHECKPOINT/n"
        if [ "$(wc -l < "$HEIRLOOM_CHECKPOINT/n")" -eq 2 ]; then echo $$ > \(project.root)/half; while :; do :; done; fi
      done
      cp "$HEIRLOOM_CHECKPOINT/n" "$out"
      """, "    hermetic: off")
  }

  @Test("a chain runs as jobs, with the bytes and keys of a local run; the next run, of either kind, does nothing")
  func chain() throws {
    let queued = try QueuedProject(Self.chain)
    let happening = try queued.run()
    #expect(happening.ran == ["a", "b"])
    #expect(queued.project.output("b", "text") == "HELLO\n")
    #expect(queued.queue.submissions.count == 2)
    let keys = try ["a", "b"].map { try #require(try StoreQueries(queued.project.store).find($0, in: .latest).result).key.hex.prefix(8) }
    #expect(queued.queue.submissions.map(\.name) == ["1-a-\(keys[0])", "2-b-\(keys[1])"].map { "heirloom-\(queued.runs[0])-\($0)" })
    #expect(try queued.run().cached == ["a", "b"])
    #expect(try queued.project.run().cached == ["a", "b"])
    #expect(queued.queue.submissions.count == 2)
    let local = try QueuedProject(Self.chain)
    try local.project.run()
    #expect(try Self.digests(local) == Self.digests(queued))
    let host = try #require(try StoreQueries(queued.project.store).find("a", in: .latest).result?.answer.host)
    #expect(host["executor"] == "fake" && host["job"] == "1" && host["cpu_seconds"] != nil && host["max_memory"] != nil)
  }

  private static func digests(_ queued: QueuedProject) throws -> [Digest] {
    let queries = try StoreQueries(queued.project.store)
    return try ["a", "b"].flatMap { name in
      let result = try #require(try queries.find(name, in: .latest).result)
      return [result.key] + result.answer.outputs.map(\.digest)
    }
  }

  @Test("a hundred instances that become ready together are one submission")
  func matrix() throws {
    let values = (0..<100).map(String.init).joined(separator: ", ")
    let queued = try QueuedProject(
      "heirloom: 1\nname: test\nstages:\n  s: {uses: say, matrix: {n: [\(values)]}, with: {text: \"t${n}\"}}\n")
    queued.queue.change { $0.capacity = QueueCapacity(nodes: []) }
    let happening = try queued.run()
    #expect(happening.ran.count == 100)
    #expect(queued.queue.submissions.map(\.indices.count) == [100])
    #expect(queued.queue.submissions[0].name.hasSuffix("-1-s-x100"))
  }

  @Test("a job is called by its instance, an array by its stage, whatever stands in names")
  func names() throws {
    let queued = try QueuedProject(
      """
      heirloom: 1
      name: test
      stages:
        s: {uses: say, matrix: {n: ["a b", "../[c]", "é%a"]}, with: {text: "t${n}"}}
        t: {uses: say, with: {text: t}}
        u: {uses: upper, matrix: {n: ["../;$(x)"]}, inputs: {text: t.text}}
      """)
    #expect(try queued.run().ran.count == 5)
    let labels = queued.queue.submissions.map { $0.name.dropFirst("heirloom-\(queued.runs[0])-".count) }
    #expect(labels.count == 2 && labels[0] == "1-s-and-3-more", "\(labels)")
    #expect(labels.last?.wholeMatch(of: #/2-u-[0-9a-f]{8}-[0-9a-f]{8}/#) != nil, "\(labels)")
  }

  @Test("a stage that fails fails the run with its log; its retries are new jobs")
  func failure() throws {
    let queued = try QueuedProject(scriptManifest("echo the reason >&2; exit 3", "    retries: 1"))
    let happening = try queued.run()
    #expect(happening.failed == ["s"] && happening.retries == ["s"])
    #expect(happening.problems["s"]?.message == "exited with status 3")
    #expect(happening.problems["s"]?.logTail.last == "the reason")
    #expect(queued.queue.submissions.count == 2)
    #expect(happening.outcome?.exitStatus == 1)
  }

  @Test(
    "asked to stop by the queue, a job keeps a checkpoint, is started again under its id, and goes on to the same bytes",
    arguments: [SIGTERM, SIGUSR1])
  func requeue(signal: Int32) throws {
    let queued = try QueuedProject("heirloom: 1\nname: test\nstages: {}\n")
    try queued.project.write("recipe.yaml", Self.halves(queued.project))
    let running = queued.start()
    try queued.until("the stage is half done") { queued.project.read("half")?.hasSuffix("\n") == true }
    queued.queue.signal("s", signal)
    let happening = try running.wait()
    #expect(happening.ran == ["s"])
    #expect(queued.project.output("s", "out") == "x\nx\nx\nx\n")
    #expect(queued.queue.submissions.count == 1)
    #expect(queued.queue.jobs(of: "s").map(\.starts) == [2])
  }

  // MARK: - What befalls jobs

  @Test("a job that runs out of memory is tried again with twice as much, as often as it has retries")
  func outOfMemory() throws {
    let queued = try QueuedProject(scriptManifest("echo x > \"$out\"", "    retries: 1\n    resources: {memory: 1GiB}"))
    queued.queue.change { $0.fates["s"] = [.outOfMemory] }
    let happening = try queued.run()
    #expect(happening.ran == ["s"] && happening.retries == ["s"])
    #expect(queued.queue.submissions.map(\.need.memoryBytes) == [1 << 30, 2 << 30])
    let poor = try QueuedProject(scriptManifest("echo x > \"$out\"", "    resources: {memory: 1GiB}"))
    poor.queue.change { $0.fates["s"] = [.outOfMemory] }
    let problem = try #require(try poor.run().problems["s"])
    #expect(
      problem.message
        == "its job ran out of the memory it was given (1GiB); with 'retries', a further attempt gets twice as much")
  }

  @Test("a limit that the stage itself went over is doubled with the next attempt, too")
  func overLimit() throws {
    let queued = try QueuedProject(
      scriptManifest(
        """
        echo x >> "$HEIRLOOM_CHECKPOINT/n"
        if [ "$(wc -l < "$HEIRLOOM_CHECKPOINT/n")" -eq 1 ]; then head -c 80000000 /dev/zero | tail -c 80000000 > /dev/null; sleep 5; fi
        cp "$HEIRLOOM_CHECKPOINT/n" "$out"
        """, "    retries: 1\n    resources: {memory: 20MiB}"))
    let happening = try queued.run()
    #expect(happening.retries == ["s"])
    #expect(queued.queue.submissions.map(\.need.memoryBytes) == [20 << 20, 40 << 20])
    #expect(happening.ran == ["s"])
  }

  @Test("twice as much as the site's default, where a stage does not say how much it needs")
  func outOfDefaultMemory() throws {
    let queued = try QueuedProject(scriptManifest("echo x > \"$out\"", "    retries: 2"))
    queued.queue.change { ($0.fates["s"], $0.defaultMemory) = ([.outOfMemory, .outOfMemory], 100 << 20) }
    #expect(try queued.run().ran == ["s"])
    #expect(queued.queue.submissions.map(\.need.memoryBytes) == [nil, 200 << 20, 400 << 20])
  }

  /// A control group kills what holds most, which is the stage: its job lives on, and does not know why.
  @Test("a stage that is killed under its job was out of memory where the queue says so, and was killed where it does not")
  func killedAlone() throws {
    let script = """
      echo x >> "$HEIRLOOM_CHECKPOINT/n"
      if [ "$(wc -l < "$HEIRLOOM_CHECKPOINT/n")" -eq 1 ]; then kill -KILL $$; fi
      cp "$HEIRLOOM_CHECKPOINT/n" "$out"
      """
    let queued = try QueuedProject(scriptManifest(script, "    retries: 1\n    resources: {memory: 1GiB}"))
    queued.queue.change { $0.verdicts["s"] = [.outOfMemory] }
    let happening = try queued.run()
    #expect(happening.ran == ["s"] && happening.retries == ["s"])
    #expect(queued.queue.submissions.map(\.need.memoryBytes) == [1 << 30, 2 << 30])
    let other = try QueuedProject(scriptManifest(script, "    retries: 1\n    resources: {memory: 1GiB}"))
    #expect(try other.run().ran == ["s"])
    #expect(other.queue.submissions.map(\.need.memoryBytes) == [1 << 30, 1 << 30])
    let poor = try QueuedProject(scriptManifest("kill -KILL $$", "    resources: {memory: 1GiB}"))
    poor.queue.change { $0.verdicts["s"] = [.outOfMemory, .exited(1), .exited(1)] }
    let message = "was ended by signal 9 (Killed)"
    #expect(
      try poor.run().problems["s"]?.message
        == message + ": its job ran out of the memory it was given (1GiB); with 'retries', a further attempt gets twice as much")
    #expect(try poor.run().problems["s"]?.message == message)
    poor.queue.change { $0.usage = QueueUsage(maxMemoryBytes: 1 << 30) }
    #expect(try poor.run().problems["s"]?.isOutOfMemory == true)
  }

  @Test("of a stage that was killed the queue is asked why only for so long")
  func killedUnanswered() throws {
    let queued = try QueuedProject(scriptManifest("kill -KILL $$"))
    queued.queue.change { $0.unspoken = ["s"] }
    let began = monotonicSeconds()
    #expect(try queued.run { $0.patience.lateFiles = 0.5 }.problems["s"]?.message == "was ended by signal 9 (Killed)")
    #expect(monotonicSeconds() - began < 20)
  }

  @Test("what the cluster is to blame for costs no attempt; the node is left out and named, and there is an end to it")
  func infrastructure() throws {
    let queued = try QueuedProject(scriptManifest("echo x > \"$out\""))
    queued.queue.change { $0.fates["s"] = [.infrastructure("the node failed")] }
    let happening = try queued.run()
    #expect(happening.ran == ["s"] && happening.retries == [])
    #expect(queued.queue.submissions.map(\.excludedNodes) == [[], ["bad"]])
    #expect(happening.notices.contains("fake: node bad was left out after it had failed: the node failed"))
    let hopeless = try QueuedProject(scriptManifest("echo x > \"$out\""))
    hopeless.queue.change { $0.fates["s"] = Array(repeating: .infrastructure("the node failed"), count: 9) }
    let problem = try hopeless.run { $0.patience.infrastructure = 2 }.problems["s"]
    #expect(problem?.message == "the cluster failed it 3 times, the last time: the node failed")
    #expect(hopeless.queue.submissions.count == 3)
  }

  @Test("out of time: goes on from a checkpoint that has moved; without one, or without having come further, it fails and says so")
  func timeLimit() throws {
    let queued = try QueuedProject("heirloom: 1\nname: test\nstages: {}\n")
    try queued.project.write("recipe.yaml", Self.halves(queued.project))
    let running = queued.start()
    try queued.until("the stage is half done") { queued.project.read("half")?.hasSuffix("\n") == true }
    queued.queue.end("s", .timeLimit)
    let happening = try running.wait()
    #expect(happening.ran == ["s"] && happening.retries == [])
    #expect(queued.project.output("s", "out") == "x\nx\nx\nx\n")
    let stuck = try QueuedProject(scriptManifest("echo x > \"$out\""))
    stuck.queue.change { $0.fates["s"] = [.timeLimit] }
    #expect(
      try stuck.run().problems["s"]?.message
        == "its job ran out of its time in fake before it had come further than its last checkpoint; raise the site's time limit")
  }

  @Test("cancelled by a person: the instance is interrupted, nothing that hangs on it runs, and the next run begins it anew")
  func cancelled() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.held = ["a"] }
    let running = queued.start()
    try queued.until("it waits") { !queued.queue.jobs(of: "a").isEmpty }
    queued.queue.end("a", .cancelled(by: "root"))
    let happening = try running.wait()
    #expect(happening.interrupted == ["a"] && happening.skipped == ["b"] && happening.reasons["a"] == nil, "it has not begun")
    #expect(happening.notices.contains("a: its job 1 was cancelled by root; run again to go on"))
    #expect(happening.outcome?.exitStatus == 130)
    queued.queue.release("a")
    #expect(try queued.run().ran == ["a", "b"])
  }

  @Test("a queue that says nothing of a job is believed nothing about it: the job's last word counts")
  func silence() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.unspoken = ["a"] }
    #expect(try queued.run { $0.patience.unknown = 60 }.ran == ["a", "b"])
  }

  @Test("a job that the queue has forgotten, of which no process is left, is submitted again at last")
  func forgotten() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change {
      $0.held = ["a"]
      $0.unspoken = ["a"]
    }
    let running = queued.start()
    try queued.until("it was submitted again") {
      queued.queue.change { state in
        if state.submissions.count == 2 { state.unspoken = [] }
      }
      return queued.queue.submissions.count == 2
    }
    queued.queue.release("a")
    let happening = try running.wait()
    #expect(Set(happening.ran + happening.cached) == ["a", "b"])
  }

  @Test("a queue that cannot be asked for a while is asked again; what it heard is found by name and not submitted twice")
  func lostAnswer() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.lostAnswers = 1 }
    #expect(try queued.run().ran == ["a", "b"])
    #expect(queued.queue.submissions.count == 2)
    let deaf = try QueuedProject(Self.chain)
    deaf.queue.change { $0.deafness = 2 }
    #expect(try deaf.run().ran == ["a", "b"])
    #expect(deaf.queue.submissions.count == 2)
  }

  @Test("a job that is refused fails with the system's words")
  func refused() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.refusal = "no such account" }
    #expect(try queued.run().problems["a"]?.message == "fake refused the job: no such account")
  }

  @Test("a source that changes between submission and job is caught")
  func changedSource() throws {
    let queued = try QueuedProject(
      "heirloom: 1\nname: test\nstages:\n  s: {uses: upper, inputs: {text: ./in.txt}}\n")
    try queued.project.write("in.txt", "one\n")
    queued.queue.change { $0.held = ["s"] }
    let running = queued.start()
    try queued.until("it waits") { !queued.queue.jobs(of: "s").isEmpty }
    try queued.project.write("in.txt", "other\n")
    queued.queue.release("s")
    #expect(
      try running.wait().problems["s"]?.message
        == "its inputs, or what its key is made of, have changed since it was submitted; run again")
  }

  @Test("a manifest that changes after submission changes nothing: jobs plan from what was captured")
  func changedManifest() throws {
    let queued = try QueuedProject(Self.chain)
    queued.queue.change { $0.held = ["a"] }
    let running = queued.start()
    try queued.until("it waits") { !queued.queue.jobs(of: "a").isEmpty }
    try queued.project.write("recipe.yaml", "nonsense")
    queued.queue.release("a")
    #expect(try running.wait().ran == ["a", "b"])
    #expect(queued.project.output("b", "text") == "HELLO\n")
  }

  @Test("what a queue says in the environment reaches no stage and no key, even where a contract asks for it")
  func variables() throws {
    let queued = try QueuedProject(
      scriptManifest("env | sort > \"$out\""))
    let happening = try queued.run { $0.variables["SLURM_JOB_ID"] = "7" }
    #expect(happening.ran == ["s"])
    let seen = try #require(queued.project.output("s", "out"))
    #expect(!seen.contains("SLURM") && !seen.contains("HEIRLOOM_JOB") && seen.contains("HEIRLOOM_STAGE="))
  }

  @Test("stages labelled local run here, the others as jobs; --executor local runs all of them here")
  func labels() throws {
    let manifest = Self.chain.replacing("a: {uses: say,", with: "a: {uses: say, executor: local,")
    let queued = try QueuedProject(manifest)
    #expect(try queued.run().ran == ["a", "b"])
    #expect(queued.queue.submissions.count == 1 && queued.queue.jobs(of: "a").isEmpty)
    let local = try QueuedProject(manifest)
    #expect(try local.run { $0.executor = "local" }.ran == ["a", "b"])
    #expect(local.queue.submissions.isEmpty)
  }

  @Test("what no node has is found before anything is submitted, and the instance is named")
  func excess() throws {
    let queued = try QueuedProject(
      """
      heirloom: 1
      name: test
      stages:
        small: {uses: say, with: {text: a}}
        wide: {uses: say, with: {text: b}, resources: {cpus: 64}}
        deep: {uses: say, with: {text: c}, resources: {memory: 2TiB}}
        quick: {uses: say, with: {text: d}, resources: {gpus: 3}}
        both: {uses: say, with: {text: e}, resources: {cpus: 8, gpus: 1}}
        here: {uses: say, with: {text: f}, resources: {cpus: 99}, executor: local}
      """)
    queued.queue.change {
      $0.capacity = QueueCapacity(nodes: [
        QueueCapacity.Node(name: "n1", cpus: 8, memoryBytes: 1 << 34, gpus: 0),
        QueueCapacity.Node(name: "n2", cpus: 4, memoryBytes: 1 << 34, gpus: 2),
      ])
    }
    var options = queued.project.options()
    queued.options(&options)
    let graph = try queued.project.recipe().graph
    #expect(
      try QueueExcess.find(in: graph, wanted: Array(graph.instances.indices), options).map(\.description) == [
        "wide asks for 64 CPUs, and no node of fake has more than 8",
        "deep asks for 2TiB of memory, and no node of fake has more than 16GiB",
        "quick asks for 3 GPUs, and no node of fake has more than 2",
        "both asks for 8 CPUs, 0B of memory and 1 GPUs, which no node of fake has together",
      ])
  }

  @Test("a timeout is kept by the job itself, however long it waited")
  func timeout() throws {
    let queued = try QueuedProject(scriptManifest("while :; do :; done", "    timeout: 300ms"))
    #expect(try queued.run { $0.graceSeconds = 1 }.problems["s"]?.message == "ran longer than its timeout of 0.3 s")
    #expect(queued.queue.submissions.first?.need.seconds.map { $0 > 60 } == true)
  }
}

import Execution
import Foundation
import Slurm
import Testing

/// Against slurmctld and slurmd: what the fakes say is what the real ones do.
@Suite(RealSlurm.trait)
struct RealSlurmTests {
  /// Stops when it is told to, and is done when it runs again. `begun` says that it can be told.
  private static let resumes = """
    if [[ -e $HERE/checkpoint ]]; then echo went on $SLURM_JOB_ID; exit 0; fi
    trap 'echo told; : >$HERE/checkpoint; exit 75' USR1 TERM
    echo began $SLURM_JOB_ID; : >$HERE/begun
    while :; do sleep 0.05; done
    """

  /// Waits until a file that a job writes is there.
  private func appears(_ name: String, _ slurm: RealSlurm) async throws {
    try await onThread {
      for _ in 0..<1200 {
        if FileManager.default.fileExists(atPath: slurm.path + "/" + name) { return }
        usleep(50_000)
      }
      throw QueueProblem(.transient, "\(name) did not appear: \(slurm.text("log-0.txt"))")
    }
  }

  @Test("a hundred jobs are one call, run with their index and variables, and write their own logs")
  func array() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      #expect(queue.cluster == "heirloom")
      let jobs = try await queue.hand(over: slurm.batch("echo index $HEIRLOOM_JOB_INDEX; [[ $HEIRLOOM_JOB_INDEX != 7 ]]", Array(0..<100)))
      #expect(Set(jobs.map { $0.text.prefix { $0 != "_" } }).count == 1)
      let sights = try await queue.follow(jobs, until: \.isOver)
      for (index, job) in jobs.enumerated() {
        #expect(sights[job]?.standing == .ended(.exited(index == 7 ? 1 : 0)))
        #expect(slurm.text("log-\(index).txt") == "index \(index)\n")
      }
      #expect(sights[jobs[0]]?.node?.hasPrefix("n") == true)
    }
  }

  @Test("jobs are found by their name, waiting, running and ended")
  func found() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let batch = slurm.batch("true", [3, 4, 150])
      let jobs = try await queue.hand(over: batch)
      let expected = [batch.name: [3: jobs[0], 4: jobs[1], 150: jobs[2]]]
      let found = try await onThread { try queue.find([batch.name, "heirloom-test-none"]) }
      #expect(found == expected)
      try await queue.follow(jobs, until: \.isOver)
      #expect(try await onThread { try queue.find([batch.name]) } == expected)
    }
  }

  @Test("jobs are taken back, those that run and those that wait")
  func cancelled() async throws {
    try await RealSlurm.with { slurm in
      var site = Site()
      site.concurrent = 1
      let queue = try await slurm.queue(site)
      let jobs = try await queue.hand(over: slurm.batch("sleep 300", [0, 1]))
      try await queue.follow([jobs[0]]) { $0.standing == .running }
      try await onThread { queue.cancel(jobs, .now) }
      for sight in try await queue.follow(jobs, until: \.isOver).values { #expect(sight.standing == .ended(.cancelled(by: nil))) }
    }
  }

  @Test("asked for a checkpoint, a running job leaves one and is not put into the queue again")
  func checkpointed() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let job = try await queue.hand(over: slurm.batch(Self.resumes))[0]
      try await appears("begun", slurm)
      try await onThread { queue.cancel([job], .checkpoint) }
      #expect(try await queue.end(job) == .exited(75))
      #expect(slurm.text("log-0.txt").contains("told"))
    }
  }

  @Test("taken back by a person, a job leaves its checkpoint and is not requeued by its script")
  func cancelledByHand() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let job = try await queue.hand(over: slurm.batch(Self.resumes))[0]
      try await appears("begun", slurm)
      _ = try await slurm.ask("scancel", job.text)
      #expect(try await queue.end(job) == .cancelled(by: nil))
      #expect(slurm.text("log-0.txt").contains("told"))
    }
  }

  @Test("requeued by an administrator, a job goes on under its id", arguments: [[0], [4, 5]])
  func requeued(_ indices: [Int]) async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let jobs = try await queue.hand(over: slurm.batch(indices.count == 1 ? Self.resumes : Self.resumes + "\n#", indices))
      try await appears("begun", slurm)
      try await queue.follow([jobs[0]]) { $0.standing == .running }
      _ = try await slurm.ask("scontrol", "requeue", jobs[0].text)
      #expect(try await queue.end(jobs[0]) == .exited(0))
      #expect(slurm.text("log-\(indices[0]).txt").contains("went on"))
      try await onThread { queue.cancel(jobs, .now) }
    }
  }

  @Test("before its time is up a job is told, leaves a checkpoint, and goes on under its id")
  func timeLimit() async throws {
    try await RealSlurm.with { slurm in
      var site = Site()
      site.defaults.leadSeconds = 55
      let queue = try await slurm.queue(site)
      // The lead is at most half of the time.
      let job = try await queue.hand(over: slurm.batch(Self.resumes, [0], QueueNeed(seconds: 60, checkpoints: true)))[0]
      #expect(try await queue.end(job) == .exited(0))
      let number = job.text
      let log = slurm.text("log-0.txt").split(separator: "\n").filter { !$0.hasPrefix("slurmstepd") }
      #expect(log == ["began \(number)", "told", "went on \(number)"])
    }
  }

  @Test("a task that is taken out of a waiting array by hand was cancelled, though Slurm has no record of it")
  func takenFromAnArray() async throws {
    try await RealSlurm.with { slurm in try await Self.takesFromAnArray(slurm) }
  }

  static func takesFromAnArray(_ slurm: RealSlurm) async throws {
    var site = Site()
    site.concurrent = 1
    let queue = try await slurm.queue(site)
    let jobs = try await queue.hand(over: slurm.batch("while [[ ! -e $HERE/go ]]; do sleep 0.05; done", [0, 1, 2]))
    try await queue.follow([jobs[0]]) { $0.standing == .running }
    _ = try await slurm.ask("scancel", jobs[1].text)
    guard case .cancelled? = try await queue.end(jobs[1]) else {
      Issue.record("not cancelled")
      return
    }
    try Data().write(to: URL(fileURLWithPath: slurm.path + "/go"))
    for job in [jobs[0], jobs[2]] { #expect(try await queue.end(job) == .exited(0)) }
  }

  @Test("what depends on a job begins after it, and is taken back when it fails")
  func dependencies() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let first = try await queue.hand(over: slurm.batch("sleep 1; echo first >>$HERE/order", [0, 1]))
      var second = slurm.batch("echo second >>$HERE/order")
      second.after = first
      let good = try await queue.hand(over: second)[0]
      #expect(try await queue.end(good) == .exited(0))
      #expect(slurm.text("order") == "first\nfirst\nsecond\n")

      let failing = try await queue.hand(over: slurm.batch("sleep 1; exit 3"))
      var third = slurm.batch("echo never")
      third.after = failing
      let bad = try await queue.hand(over: third)[0]
      #expect(try await queue.end(bad) == .cancelled(by: "a job it depends on"))
      #expect(try await queue.end(failing[0]) == .exited(3))
    }
  }

  @Test("GPUs are given, and more than a node has is refused")
  func gpus() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let job = try await queue.hand(over: slurm.batch("echo gpu $CUDA_VISIBLE_DEVICES", [0], QueueNeed(gpus: 2)))[0]
      #expect(try await queue.end(job) == .exited(0))
      #expect(slurm.text("log-0.txt") == "gpu 0,1\n")
      let problem = await #expect(throws: QueueProblem.self) {
        try await queue.hand(over: slurm.batch("true", [0], QueueNeed(gpus: 3)))
      }
      #expect(problem?.kind == .refused)
      let capacity = try await onThread { try queue.capacity() }
      let nodes = ["n1", "n2"].map { QueueCapacity.Node(name: $0, cpus: 8, memoryBytes: 16000 << 20, gpus: 2) }
      #expect(capacity == QueueCapacity(nodes: nodes, maxArraySize: 101))
    }
  }

  @Test("a job that takes more memory than it asked for was out of memory")
  func memory() async throws {
    try await RealSlurm.with { slurm in
      let queue = try await slurm.queue()
      let program = "head -c 300000000 /dev/zero | tail -c 300000000 | (head -c 1; sleep 60; cat) >/dev/null"
      let job = try await queue.hand(over: slurm.batch(program, [0], QueueNeed(memoryBytes: 50 << 20)))[0]
      #expect(try await queue.end(job) == .outOfMemory)
    }
  }

  @Test("sbatch's refusal is told")
  func refused() async throws {
    try await RealSlurm.with { slurm in
      var site = Site()
      site.partition = "nowhere"
      let queue = try await slurm.queue(site)
      let problem = await #expect(throws: QueueProblem.self) { try await queue.hand(over: slurm.batch("true")) }
      #expect(problem?.kind == .refused)
      #expect(problem?.message.contains("invalid partition specified: nowhere") == true)
    }
  }

  @Test("the lines of the site run in the job, and its variables are there")
  func site() async throws {
    try await RealSlurm.with { slurm in
      var site = Site()
      (site.setup, site.scratch) = (["export LOADED=cuda"], "$HERE/scratch/$SLURM_JOB_ID")
      let queue = try await slurm.queue(site)
      let job = try await queue.hand(over: slurm.batch("echo $LOADED $TMPDIR"))[0]
      #expect(try await queue.end(job) == .exited(0))
      #expect(slurm.text("log-0.txt").contains("cuda \(slurm.path)/scratch/\(job)\n"))
    }
  }
}

/// What breaks in a cluster, on a server of each test's own.
@Suite(RealSlurm.trait, .serialized)
struct BrokenSlurmTests {
  @Test("while the controller is away nothing is said, and a job that is handed over then is handed over once")
  func controllerAway() async throws {
    try await RealSlurm.with(own: ["--set", "MessageTimeout=4"]) { slurm in
      let queue = try await slurm.queue()
      let running = try await queue.hand(over: slurm.batch("while [[ ! -e $HERE/go ]]; do sleep 0.05; done"))[0]
      try await queue.follow([running]) { $0.standing == .running }
      try await slurm.serve("stop-controller")
      #expect(try await onThread { queue.look([running]) } == [:])
      let batch = slurm.batch("true", [0, 1])
      async let submitted = queue.hand(over: batch)
      try await slurm.serve("start-controller")
      let jobs = try await submitted
      try Data().write(to: URL(fileURLWithPath: slurm.path + "/go"))
      for sight in try await queue.follow(jobs + [running], until: \.isOver).values { #expect(sight.standing == .ended(.exited(0))) }
      let known = try await slurm.ask("squeue", "--noheader", "--array", "--states=all", "--name=\(batch.name)", "--format=%i")
      #expect(Set(known.split(separator: "\n").map(String.init)) == Set(jobs.map(\.text)))
    }
  }

  @Test("a job on a node that fails waits again, runs elsewhere, and was never ended")
  func nodeFails() async throws {
    try await RealSlurm.with(own: []) { slurm in
      let queue = try await slurm.queue()
      let program = "[[ $SLURM_RESTART_COUNT ]] && exit 0; while :; do sleep 0.05; done"
      let job = try await queue.hand(over: slurm.batch(program))[0]
      let node = try await queue.follow([job]) { $0.standing == .running && $0.node != nil }[job]?.node
      try await slurm.serve("kill-node", [try #require(node)])
      let after = try await queue.follow([job], until: { $0.standing != .running })
      guard case .waiting? = after[job]?.standing else {
        Issue.record("ended: \(after)")
        return
      }
      #expect(try await queue.end(job) == .exited(0))
    }
  }

  @Test("a job whose node is wanted leaves a checkpoint and goes on under its id")
  func preempted() async throws {
    try await RealSlurm.with(own: []) { slurm in
      let queue = try await slurm.queue()
      let program = """
        [[ -e $HERE/checkpoint-$HEIRLOOM_JOB_INDEX ]] && exit 0
        trap ': >$HERE/checkpoint-$HEIRLOOM_JOB_INDEX; exit 75' TERM USR1
        while [[ ! -e $HERE/go ]]; do sleep 0.05; done
        """
      let jobs = try await queue.hand(over: slurm.batch(program, [0, 1], QueueNeed(cpus: 8, checkpoints: true)))
      try await queue.follow(jobs) { $0.standing == .running }
      var site = Site()
      site.partition = "urgent"
      let urgent = try await slurm.queue(site)
      let taker = try await urgent.hand(over: slurm.batch("true", [0], QueueNeed(cpus: 8)))[0]
      #expect(try await urgent.end(taker) == .exited(0))
      try Data().write(to: URL(fileURLWithPath: slurm.path + "/go"))
      for sight in try await queue.follow(jobs, until: \.isOver).values { #expect(sight.standing == .ended(.exited(0))) }
      let left = try FileManager.default.contentsOfDirectory(atPath: slurm.path).filter { $0.hasPrefix("checkpoint-") }
      #expect(left.count == 1)
    }
  }

  private static let hasDatabase = ["slurmdbd", "mariadbd", "mariadb-install-db"].allSatisfy { name in
    ["/usr/sbin/", "/usr/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + name) }
  }

  @Test(
    "with accounting, what jobs used is known, and jobs that wait again are not taken for ended",
    .enabled(if: hasDatabase, "slurmdbd and mariadb-server-core are not installed"))
  func accounting() async throws {
    try await RealSlurm.with(own: ["--accounting"]) { slurm in
      let queue = try await slurm.queue()
      // tail writes when it has all of it: from then on it holds the memory for as long as nobody reads on.
      let program = "head -c 30000000 /dev/zero | tail -c 30000000 | (head -c 1; sleep 4; cat) >/dev/null; exit 3"
      let job = try await queue.hand(over: slurm.batch(program))[0]
      let sights = try await queue.follow([job]) { $0.isOver && ($0.usage?.maxMemoryBytes ?? 0) > 0 }
      #expect(sights[job]?.standing == .ended(.exited(3)))
      #expect((sights[job]?.usage?.elapsedSeconds ?? 0) >= 2)
      #expect((sights[job]?.usage?.maxMemoryBytes ?? 0) >= 30_000_000)

      let looped = "[[ $SLURM_RESTART_COUNT ]] && exit 0; while :; do sleep 0.05; done"
      let moved = try await queue.hand(over: slurm.batch(looped, [0, 1]))
      let nodes = try await queue.follow(moved) { $0.standing == .running && $0.node != nil }
      try await slurm.serve("kill-node", [try #require(nodes[moved[0]]?.node)])
      let after = try await queue.follow([moved[0]], until: { $0.standing != .running })
      #expect(after[moved[0]]?.isOver == false)
      let end = try await queue.end(moved[0])
      #expect(end == .exited(0))

      let batch = slurm.batch("true", [1, 2])
      let waiting = try await slurm.ask("sbatch", "--parsable", "--hold", "--job-name=\(batch.name)", "--wrap=true")
      let id = QueueJobID(String(waiting.prefix { $0.isNumber }))
      _ = try await slurm.ask("scancel", id.text)
      guard case .cancelled? = try await queue.end(id) else {
        Issue.record("not cancelled")
        return
      }
      #expect(try await onThread { try queue.find([batch.name]) } == [batch.name: [0: id]])
      try await RealSlurmTests.takesFromAnArray(slurm)
    }
  }
}

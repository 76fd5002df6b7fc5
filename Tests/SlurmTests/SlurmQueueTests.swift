import Artifacts
import Execution
import Foundation
import Slurm
import Testing

/// The queue against programs that answer as written down: noise, refusals, controllers that are away, accounting that is not kept.
struct SlurmQueueTests {
  // MARK: - Submitting

  @Test("a batch is one call, its script is the owner's, its variables are read by nobody else")
  func submitted() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo '*** Welcome ***'; echo '42;fake'"])
    let got = try await onThread { try fake.queue().submit(fake.batch([1, 2, 5])) }
    #expect(got == ids("42_1", "42_2", "42_5"))
    #expect(fake.calls.count == 1)
    #expect(fake.calls[0].contains("--array=1-2,5 "))
    #expect(fake.text("run-7.train.env") == "export A='b'\n")
    func mode(_ name: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: fake.path + "/" + name)[.posixPermissions] as? Int
    }
    #expect(try mode("run-7.train.env") == 0o600)
    #expect(try mode("run-7.train.sh") == 0o700)
  }

  @Test("sbatch holds the lock on the submission as long as it lives")
  func lock() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["readlink /proc/$$/fd/3 >\(fake.path)/held; echo 42"])
    var batch = fake.batch()
    batch.lock = try #require(try FileLock.attempt(fake.path + "/batch.json", .exclusive, .posix))
    let locked = batch
    #expect(try await onThread { try fake.queue().submit(locked) } == ids("42"))
    #expect(fake.text("held").hasSuffix("/batch.json\n"))
  }

  @Test("programs find nothing of a job that we are in ourselves, but the configuration")
  func scrubbed() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 42"])
    let inherited = [
      "SLURM_JOB_ID": "1", "SBATCH_PARTITION": "x", "SQUEUE_FORMAT": "x", "SECRET": "s", "SLURM_CONF": "/c", "HF_HOME": "/hf",
    ]
    var site = Site()
    site.environment = ["HF_HOME", "ABSENT"]
    let queue = try await onThread { [site] in try fake.queue(site, variables: inherited) }
    _ = try await onThread { try queue.submit(fake.batch()) }
    let names = Set(fake.text("environment.sbatch").split(separator: "\n").compactMap { $0.split(separator: "=").first })
    #expect(names.isSubset(of: ["PATH", "HOME", "SLURM_CONF", "PWD", "OLDPWD", "SHLVL", "_"]))
    #expect(names.contains("SLURM_CONF"))
    #expect(fake.text("run-7.train.env") == "export A='b'\nexport HF_HOME='/hf'\n")
  }

  @Test("after a failure that says nothing about the job it is looked for, and taken when it is there")
  func adopted() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1"])
    try fake.answer("squeue", ["echo 'Unable to contact slurm controller' >&2; exit 1", "echo '7|other'; echo '42|run-7.train'"])
    let got = try await onThread { try fake.queue().submit(fake.batch()) }
    #expect(got == ids("42"))
    #expect(fake.calls("sbatch").count == 1)
    #expect(fake.calls("squeue").count == 2)
  }

  @Test("a second call follows only when Slurm surely has no such job")
  func again() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 'Resource temporarily unavailable' >&2; exit 1", "echo noise", "echo 42"])
    try fake.answer("squeue", ["echo '7|run-7.train2'"])
    let got = try await onThread { try fake.queue().submit(fake.batch()) }
    #expect(got == ids("42"))
    #expect(fake.calls.map { $0.prefix { $0 != " " } } == ["sbatch", "squeue", "sbatch", "squeue", "sbatch"])
  }

  @Test("a call that hangs is ended, and counts as unclear")
  func hanging() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["sleep 1000"])
    try fake.answer("squeue", ["echo '42|run-7.train'"])
    let queue = try await onThread { try fake.queue(seconds: 8) }
    #expect(try await onThread { try queue.submit(fake.batch()) } == ids("42"))
  }

  @Test("a controller that stays away is given up after a bounded time, as something that may pass")
  func patience() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 'Unable to contact slurm controller (connect failure)' >&2; exit 1"])
    try fake.answer("squeue", [":"])
    let problem = await #expect(throws: QueueProblem.self) { try await onThread { try fake.queue().submit(fake.batch()) } }
    #expect(problem == QueueProblem(.transient, "sbatch: Unable to contact slurm controller (connect failure)"))
  }

  @Test("a batch that could not be handed over as a whole is handed over again, and no part of it twice")
  func partly() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 41"] + Array(repeating: "echo 'Socket timed out' >&2; exit 1", count: 6) + ["echo 42"])
    try fake.answer("squeue", ["echo '41_1|run-7.train'"])
    let queue = try await onThread { try fake.queue() }
    let problem = await #expect(throws: QueueProblem.self) { try await onThread { try queue.submit(fake.batch([1, 150, 151])) } }
    #expect(problem == QueueProblem(.transient, "sbatch: Socket timed out"))
    #expect(fake.calls("scancel") == [])
    let got = try await onThread { try queue.submit(fake.batch([1, 150, 151])) }
    #expect(got == ids("41_1", "42_50", "42_51"))
    #expect(fake.calls("sbatch").filter { $0.contains("--array=1 ") }.count == 1)
  }

  @Test("a refusal is told as Slurm words it, once, and what was handed over before is taken back")
  func refused() async throws {
    let fake = try FakeSlurm()
    let refusal =
      "echo 'sbatch: error: invalid partition specified: x' >&2; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1"
    try fake.answer("sbatch", ["echo 41", refusal])
    try fake.answer("scancel", [":"])
    let problem = await #expect(throws: QueueProblem.self) { try await onThread { try fake.queue().submit(fake.batch([1, 2, 150])) } }
    let message = "sbatch: invalid partition specified: x; Batch job submission failed: Invalid partition name specified"
    #expect(problem == QueueProblem(.refused, message))
    #expect(fake.calls.last == "scancel --quiet 41_1 41_2")
    #expect(fake.calls("sbatch").count == 2)
  }

  @Test("when no other node is left, one that failed is better than none")
  func lastNode() async throws {
    let fake = try FakeSlurm()
    try fake.answer("sbatch", ["echo 'Requested node configuration is not available' >&2; exit 1", "echo 42"])
    let got = try await onThread {
      var batch = fake.batch()
      batch.excludedNodes = ["n1"]
      return try fake.queue().submit(batch)
    }
    #expect(got == ids("42"))
    #expect(fake.calls("sbatch").map { $0.contains("--exclude=n1") } == [true, false])
  }

  // MARK: - Looking

  private static let accountingKept = [
    "echo 'ClusterName = fake'; echo 'MaxArraySize = 100'; echo 'AccountingStorageType = accounting_storage/slurmdbd'"
  ]

  @Test("jobs that accounting says all about need no other question")
  func accounting() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("sacct", ["echo '1|RUNNING|0:0|5|00:00||1M|1|n1|None'; echo '2_1|PENDING|0:0|0|00:00||1M|1|None assigned|Priority'"])
    let queue = try await onThread { try fake.queue() }
    for _ in 0..<4 {
      let sights = try await onThread { queue.look(ids("1", "2_1")) }
      #expect(sights[QueueJobID("1")]?.standing == .running)
      #expect(sights[QueueJobID("2_1")]?.standing == .waiting(reason: "Priority"))
    }
    #expect(fake.calls.count == 4)
    #expect(fake.calls[0].contains("--jobs=1,2 "))
  }

  @Test("a job that accounting takes for ended and the queue for waiting, waits")
  func requeued() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("sacct", ["echo '1|NODE_FAIL|0:0|5|00:00||1M|1|n1|None'; echo '2|COMPLETED|0:0|5|00:00||1M|1|n1|None'"])
    try fake.answer("squeue", ["echo '1|PENDING|BeginTime||0:00'", "exit 1", ":"])
    let queue = try await onThread { try fake.queue() }
    let first = try await onThread { queue.look(ids("1", "2")) }
    #expect(first[QueueJobID("1")]?.standing == .waiting(reason: "BeginTime"))
    #expect(first[QueueJobID("2")]?.standing == .ended(.exited(0)))
    // The controller is away: whether it waits again is not known, and that is no failure.
    let second = try await onThread { queue.look(ids("1", "2")) }
    #expect(second[QueueJobID("1")] == nil)
    #expect(second[QueueJobID("2")]?.standing == .ended(.exited(0)))
    let third = try await onThread { queue.look(ids("1")) }
    #expect(third[QueueJobID("1")]?.standing == .ended(.infrastructure("node n1 failed")))
  }

  @Test("an end that accounting tells is not the last when the queue has seen another")
  func late() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("sacct", ["echo '1|NODE_FAIL|0:0|5|00:00||1M|1|n1|None'; echo '2|REQUEUED|0:0|5|00:00||1M|1|n1|None'"])
    try fake.answer("squeue", ["echo '1|FAILED|NonZeroExitCode|n2|0:04'; echo '2|RUNNING|None|n2|0:01'"])
    try fake.answer("scontrol show job", ["echo 'JobId=1 JobState=FAILED ExitCode=3:0 RunTime=00:00:04 NodeList=n2'"])
    let sights = try await onThread { try fake.queue().look(ids("1", "2")) }
    #expect(sights[QueueJobID("1")]?.standing == .ended(.exited(3)))
    #expect(sights[QueueJobID("2")]?.standing == .running)
  }

  @Test("accounting that is disabled is asked once")
  func disabled() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", ["echo 'ClusterName = fake'"])
    try fake.answer("sacct", ["echo 'Slurm accounting storage is disabled' >&2; exit 1"])
    try fake.answer("squeue", ["echo '1|RUNNING|None|n1|1:05'"])
    let queue = try await onThread { try fake.queue() }
    for _ in 0..<3 {
      let sights = try await onThread { queue.look(ids("1")) }
      let expected = QueueSight(.running, node: "n1", usage: QueueUsage(elapsedSeconds: 65))
      #expect(sights == [QueueJobID("1"): expected])
    }
    #expect(fake.calls("sacct").count == 1)
    #expect(fake.calls("squeue").count == 3)
  }

  @Test("where no accounting is configured it is not asked at all, and scontrol says how a job ended")
  func withoutAccounting() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", ["echo 'AccountingStorageType = accounting_storage/none'"])
    try fake.answer("squeue", ["echo '9_1|FAILED|NonZeroExitCode|n1|0:05'; echo '9_2|RUNNING|None|n2|0:05'"])
    let line =
      "JobId=10 ArrayJobId=9 ArrayTaskId=1 JobName=x JobState=FAILED Reason=NonZeroExitCode ExitCode=4:0 RunTime=00:00:05 NodeList=n1"
    try fake.answer("scontrol show job", ["echo '\(line)'"])
    let sights = try await onThread { try fake.queue().look(ids("9_1", "9_2")) }
    #expect(sights[QueueJobID("9_1")]?.standing == .ended(.exited(4)))
    #expect(sights[QueueJobID("9_2")]?.standing == .running)
    #expect(fake.calls.map { $0.prefix { $0 != " " } } == ["squeue", "scontrol"])
  }

  @Test("without accounting, what Slurm wrote into the log says that memory was the reason")
  func memoryKill() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", ["echo 'AccountingStorageType = accounting_storage/none'"])
    try fake.answer("squeue", ["echo '9|FAILED|JobLaunchFailure|n1|0:05'"])
    try fake.answer("scontrol show job", ["echo 'JobId=9 JobState=FAILED ExitCode=0:9 StdErr=x StdOut=\(fake.path)/log.9'"])
    try fake.write("slurmstepd: error: StepId=9.batch exceeded memory limit (203010048 > 52428800), being killed\n", to: "log.9")
    let queue = try await onThread { try fake.queue() }
    #expect(try await onThread { queue.look(ids("9")) }[QueueJobID("9")]?.standing == .ended(.outOfMemory))
    // Its program was killed before it, and it said so.
    try fake.answer("squeue", ["echo '9|FAILED|NonZeroExitCode|n1|0:05'"])
    try fake.answer("scontrol show job", ["echo 'JobId=9 JobState=FAILED ExitCode=137:0 StdErr=x StdOut=\(fake.path)/log.9'"])
    #expect(try await onThread { queue.look(ids("9")) }[QueueJobID("9")]?.standing == .ended(.outOfMemory))
    try fake.write("the program says: exceeded memory limit\n", to: "log.9")
    #expect(try await onThread { queue.look(ids("9")) }[QueueJobID("9")]?.standing == .ended(.exited(137)))
  }

  @Test("when nothing answers, nothing is said")
  func silence() async throws {
    let fake = try FakeSlurm()
    for program in ["sacct", "squeue", "scontrol show job"] {
      try fake.answer(program, ["echo 'Unable to contact slurm controller' >&2; exit 1"])
    }
    let queue = try await onThread { try fake.queue() }
    for _ in 0..<4 { #expect(try await onThread { queue.look(ids("1", "2_3")) } == [:]) }
  }

  @Test("a job that the controller twice does not know is over, by nobody's failure")
  func forgotten() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", ["echo 'AccountingStorageType = accounting_storage/none'"])
    for program in ["squeue", "scontrol show job"] {
      try fake.answer(program, ["echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"])
    }
    let queue = try await onThread { try fake.queue() }
    #expect(try await onThread { queue.look(ids("5")) } == [:])
    let second = try await onThread { queue.look(ids("5")) }
    #expect(second[QueueJobID("5")]?.standing == .ended(.infrastructure("Slurm does not know job 5 any more")))
  }

  @Test("a task that is gone before it began, while others of its array are listed, was taken back; one that ran is forgotten")
  func takenFromAnArray() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", ["echo 'AccountingStorageType = accounting_storage/none'"])
    try fake.answer("squeue", ["echo '5_0|RUNNING|None|n1|0:05'; echo '5_1|PENDING|||0:00'", "echo '5_2|PENDING|||0:00'"])
    try fake.answer("scontrol show job", ["echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"])
    let queue = try await onThread { try fake.queue() }
    _ = try await onThread { queue.look(ids("5_0", "5_1")) }
    #expect(try await onThread { queue.look(ids("5_0", "5_1")) } == [:])
    let last = try await onThread { queue.look(ids("5_0", "5_1")) }
    #expect(last[QueueJobID("5_0")]?.standing == .ended(.infrastructure("Slurm does not know job 5_0 any more")))
    #expect(last[QueueJobID("5_1")]?.standing == .ended(.cancelled(by: nil)))
  }

  @Test("a job that accounting takes for running long after the controller forgot it is over, some looks later")
  func runaway() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("sacct", ["echo '5|RUNNING|0:0|5|00:00||1M|1|n1|None'"])
    for program in ["squeue", "scontrol show job"] {
      try fake.answer(program, ["echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"])
    }
    let queue = try await onThread { try fake.queue() }
    let standings = try await onThread { (0..<20).map { _ in queue.look(ids("5"))[QueueJobID("5")]?.standing } }
    #expect(standings.dropLast().allSatisfy { $0 == .running })
    #expect(standings.last == .ended(.infrastructure("Slurm does not know job 5 any more")))
  }

  @Test("a hanging squeue does not hold up what others say")
  func hangingQueue() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("sacct", ["echo '1|COMPLETED|0:0|5|00:00||1M|1|n1|None'"])
    try fake.answer("squeue", ["sleep 1000"])
    let queue = try await onThread { try fake.queue(seconds: 8) }
    #expect(try await onThread { queue.look(ids("1")) }[QueueJobID("1")]?.standing == .ended(.exited(0)))
  }

  // MARK: - Names, ends, nodes

  @Test("jobs are found by name and index, the newest of each, arrays of a long batch together")
  func found() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show config", Self.accountingKept)
    try fake.answer("squeue", ["echo '12_[3-4%2]|a'; echo '13_5|a+100'; echo '14|b+7'; echo '15|other'; echo '11_3|a'"])
    try fake.answer("sacct", ["echo '9_1|a'; echo '9_3|a'; echo '8|c'"])
    let found = try await onThread { try fake.queue().find(["a", "b", "c", "d"]) }
    #expect(
      found == [
        "a": [1: QueueJobID("9_1"), 3: QueueJobID("12_3"), 4: QueueJobID("12_4"), 105: QueueJobID("13_5")], "b": [7: QueueJobID("14")],
        "c": [0: QueueJobID("8")],
      ])
  }

  @Test("not being able to ask is not finding nothing")
  func notFound() async throws {
    let fake = try FakeSlurm()
    try fake.answer("squeue", [":", "echo 'Unable to contact slurm controller' >&2; exit 1"])
    let queue = try await onThread { try fake.queue() }
    #expect(try await onThread { try queue.find(["a"]) } == [:])
    await #expect(throws: QueueProblem(.transient, "Slurm does not answer: Unable to contact slurm controller")) {
      try await onThread { try queue.find(["a"]) }
    }
  }

  @Test("jobs are taken back, or asked for a checkpoint through their script")
  func cancelled() async throws {
    let fake = try FakeSlurm()
    try fake.answer("scancel", [":"])
    let queue = try await onThread { try fake.queue() }
    try await onThread {
      queue.cancel(ids("1", "2_3"), .now)
      queue.cancel(ids("4"), .checkpoint)
      queue.cancel([], .now)
    }
    #expect(
      fake.calls == [
        "scancel --quiet 1 2_3", "scancel --quiet --state=PENDING 4", "scancel --quiet --batch --signal=USR2 4",
        "scancel --quiet --state=PENDING 4",
      ])
  }

  @Test("capacity is that of the default partition, or of the site's")
  func capacity() async throws {
    let fake = try FakeSlurm()
    try fake.answer(
      "sinfo", ["echo 'n1|8|16000|gpu:a100:2(S:0-1)|main*'; echo 'n1|8|16000|gpu:a100:2|urgent'; echo 'n2|4|8000+|(null)|urgent'"])
    let capacity = try await onThread { try fake.queue().capacity() }
    let n1 = QueueCapacity.Node(name: "n1", cpus: 8, memoryBytes: 16000 << 20, gpus: 2)
    #expect(capacity == QueueCapacity(nodes: [n1], maxArraySize: 100))
    var site = Site()
    (site.partition, site.gpus) = ("urgent", try #require(Site.GPUOption("--gres=gpu:h100")))
    let other = try await onThread { [site] in try fake.queue(site).capacity() }
    #expect(other.nodes.map(\.name) == ["n1", "n2"])
    #expect(other.nodes.map(\.gpus) == [0, 0])
    #expect(fake.calls.last == "sinfo --noheader --Node --format=%N|%c|%m|%G|%P --partition=urgent")
  }

  @Test("a Slurm that is not there is said so")
  func absent() async throws {
    let problem = await #expect(throws: QueueProblem.self) {
      try await onThread { _ = try SlurmQueue(site: Site(), variables: ["PATH": "/nowhere"]) }
    }
    #expect(problem == QueueProblem(.refused, "Slurm cannot be asked: command not found: scontrol"))
  }
}

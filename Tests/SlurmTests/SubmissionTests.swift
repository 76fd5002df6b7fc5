import Execution
import Slurm
import Testing

/// What sbatch is told.
struct SubmissionTests {
  private func batch(_ indices: [Int], log: @escaping @Sendable (Int) -> String = { "/w/log-\($0).txt" }) -> QueueBatch {
    QueueBatch(
      name: "b", words: ["/opt/heirloom", "exec"], indices: indices, directory: "/w", environment: [:], logPath: log,
      scriptDirectory: "/s", need: QueueNeed(cpus: 4, memoryBytes: 8 << 30, gpus: 2, seconds: 5400, checkpoints: true))
  }

  @Test("a job alone is no array, and everything it needs is said")
  func alone() {
    var site = Site()
    (site.account, site.partition, site.extra) = ("nlp", "gpu", ["--mail-type=FAIL"])
    var batch = batch([0])
    batch.after = ["12", "13_4"].map(QueueJobID.init)
    let all = Submission.all(batch, site, maxArraySize: 1001)
    #expect(all.count == 1)
    let expected = [
      "--parsable", "--requeue", "--open-mode=append", "--export=ALL", "--job-name=b", "--chdir=/w", "--output=/w/log-0.txt", "--nodes=1",
      "--ntasks=1", "--cpus-per-task=4", "--mem=8192M", "--gres=gpu:2", "--time=90", "--signal=B:USR1@120", "--account=nlp",
      "--partition=gpu", "--dependency=afterok:12:13_4", "--kill-on-invalid-dep=yes", "--exclude=n1,n2", "--mail-type=FAIL", "/s/b.sh",
    ]
    #expect(all[0].words(excluding: ["n1", "n2"]) == expected)
    #expect(all[0].ids("77") == [QueueJobID("77")])
  }

  @Test("many jobs are as few arrays as the longest allows, and every index is found again")
  func chunks() {
    var site = Site()
    site.concurrent = 20
    let all = Submission.all(batch([3] + Array(5...9) + Array(98...203)), site, maxArraySize: 100)
    #expect(all.map(\.name) == ["b", "b+100", "b+200"])
    let arrays = all.compactMap { $0.words(excluding: []).first { $0.hasPrefix("--array") } }
    #expect(arrays == ["--array=3,5-9,98-99%20", "--array=0-99%20", "--array=0-3%20"])
    #expect(all[1].ids("5").first == QueueJobID("5_0"))
    #expect(Submission.origin("b+200").batch == "b")
    #expect(Submission.origin("b+200").firstIndex == 200)
    #expect(Submission.origin("a+b").batch == "a+b")
    #expect(Submission.all(batch(Array(0..<100)), site, maxArraySize: 100).count == 1)
    let late = Submission.all(batch([250]), site, maxArraySize: 100)
    #expect(late.map(\.name) == ["b+250"])
    #expect(late[0].ids("5") == [QueueJobID("5")])
  }

  @Test(
    "GPUs are asked for as the site spells it",
    arguments: [
      ("--gres=gpu", "--gres=gpu:2"), ("--gres=gpu:a100", "--gres=gpu:a100:2"), ("--gpus", "--gpus=2"), ("--gpus=h100", "--gpus=h100:2"),
      ("--gpus-per-node", "--gpus-per-node=2"),
    ])
  func gpus(_ spelling: String, _ word: String) throws {
    var site = Site()
    site.gpus = try #require(Site.GPUOption(spelling))
    #expect(Submission.all(batch([0]), site, maxArraySize: 9)[0].words(excluding: []).contains(word))
  }

  @Test("what a job does not say comes from the site, and the signal leaves half of the time")
  func defaults() {
    var site = Site()
    (site.defaults.seconds, site.defaults.memoryBytes, site.defaults.leadSeconds) = (60, 1 << 30, 600)
    var batch = batch([0])
    batch.need = QueueNeed(checkpoints: true)
    let words = Submission.all(batch, site, maxArraySize: 9)[0].words(excluding: [])
    for word in ["--cpus-per-task=1", "--mem=1024M", "--time=1", "--signal=B:USR1@30"] { #expect(words.contains(word)) }
    batch.need = QueueNeed()
    let plain = Submission.all(batch, Site(), maxArraySize: 9)[0].words(excluding: [])
    for prefix in ["--mem", "--time", "--signal", "--gres", "--exclude", "--dependency"] {
      #expect(!plain.contains { $0.hasPrefix(prefix) })
    }
  }

  @Test("logs become a pattern of Slurm's where there is one")
  func logs() {
    func pattern(_ indices: [Int], _ log: @escaping @Sendable (Int) -> String) -> String? {
      Submission.all(batch(indices, log: log), Site(), maxArraySize: 1000)[0].logPattern
    }
    #expect(pattern([1, 2, 11]) { "/1/w1/\($0).log" } == "/1/w1/%a.log")
    #expect(pattern([1, 2]) { "/100%/\($0)" } == "/100%%/%a")
    #expect(pattern([7]) { "/7/\($0)%a" } == "/7/7%%a")
    #expect(pattern([1, 2]) { "/w/\($0 * 2)" } == nil)
    #expect(pattern([7]) { "/w\\\($0)" } == nil)
    let mapped = Submission.all(batch([5, 12]) { "/w/it's-\($0 * 2)" }, Site(), maxArraySize: 1000)[0]
    #expect(mapped.words(excluding: []).contains("--output=/s/b-%a.slurm"))
    #expect(mapped.script(scontrol: nil).contains("  12) exec >>'/w/it'\\''s-24' 2>&1 ;;"))
  }

  @Test(
    "the number is found among what a login prints",
    arguments: [
      ("1234\n", "1234"), ("1234;cluster\n", "1234"), ("Welcome to 42\n*** 7 days ***\n1234\n", "1234"), ("12\n1234;c\nbye\n", "1234"),
      ("", nil), ("Submitted batch job 12\n", nil), ("12;a b\n", nil), ("123456789012\n", nil),
    ] as [(String, String?)])
  func number(_ output: String, _ number: String?) { #expect(SubmitFailure.number(output) == number) }
}

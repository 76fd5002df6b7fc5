import Execution
import Glibc
import Slurm
import Testing

/// Every state that Slurm knows, and what it means for a job.
struct JobStateTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let report: JobReport
    let standing: QueueSight.Standing
    var testDescription: String { "\(report.state) \(report.reason ?? "")" }

    init(_ state: String, _ reason: String? = nil, exit: String? = nil, seconds: Double? = nil, is standing: QueueSight.Standing) {
      var report = JobReport(state: state, reason: reason)
      if let exit { report.setExit(exit) }
      report.usage.elapsedSeconds = seconds
      self.report = report
      self.standing = standing
    }
  }

  @Test("every state means one thing", arguments: living + ended + waiting)
  func meaning(_ example: Case) { #expect(example.report.standing == example.standing) }

  static let living: [Case] = [
    "RUNNING", "R", "CONFIGURING", "CF", "COMPLETING", "CG", "RESIZING", "RS", "SIGNALING", "SI", "STAGE_OUT", "SO", "STOPPED", "ST",
    "SUSPENDED", "S", "POWER_UP_NODE", "SOMETHING_OF_SLURM_30", "",
  ].map { Case($0, is: .running) }

  static let ended = [
    Case("COMPLETED", is: .ended(.exited(0))), Case("CD", exit: "0:0", is: .ended(.exited(0))),
    Case("FAILED", "NonZeroExitCode", exit: "3:0", is: .ended(.exited(3))),
    Case("FAILED", exit: "75:0", is: .ended(.exited(75))),
    Case("FAILED", exit: "0:11", is: .ended(.exited(139))),
    Case("FAILED", exit: "0:9", is: .ended(.exited(137))),
    Case("F", exit: "0:0", is: .ended(.infrastructure("it could not be launched"))),
    Case("FAILED", exit: "0:53", is: .ended(.infrastructure("its log or its directory could not be opened on the node"))),
    Case("OUT_OF_MEMORY", exit: "0:125", is: .ended(.outOfMemory)), Case("OOM", is: .ended(.outOfMemory)),
    Case("TIMEOUT", is: .ended(.timeLimit)), Case("TO", is: .ended(.timeLimit)), Case("DEADLINE", is: .ended(.timeLimit)),
    Case("DL", is: .ended(.timeLimit)),
    Case("NODE_FAIL", is: .ended(.infrastructure("its node failed"))), Case("NF", is: .ended(.infrastructure("its node failed"))),
    Case("BOOT_FAIL", is: .ended(.infrastructure("its node did not start"))),
    Case("BF", is: .ended(.infrastructure("its node did not start"))),
    Case("PREEMPTED", is: .ended(.infrastructure("it was preempted"))), Case("PR", is: .ended(.infrastructure("it was preempted"))),
    Case("LAUNCH_FAILED", is: .ended(.infrastructure("it could not be launched"))),
    Case("CANCELLED", is: .ended(.cancelled(by: nil))), Case("CA", is: .ended(.cancelled(by: nil))),
    Case("CANCELLED by 0", seconds: 12, is: .ended(.cancelled(by: "root"))),
    Case("CANCELLED by 4294900000", seconds: 0, is: .ended(.cancelled(by: "user 4294900000"))),
    Case("CANCELLED+", is: .ended(.cancelled(by: nil))),
    Case("CANCELLED", "Dependency", seconds: 0, is: .ended(.cancelled(by: "a job it depends on"))),
    Case("CANCELLED by 0", "DependencyNeverSatisfied", seconds: 0, is: .ended(.cancelled(by: "a job it depends on"))),
  ]

  static let waiting = [
    Case("PENDING", "Priority", is: .waiting(reason: "Priority")), Case("PD", "None", is: .waiting(reason: nil)),
    Case("PENDING", "JobHeldAdmin", is: .waiting(reason: "JobHeldAdmin")),
    Case("PENDING", "JobHeldUser", is: .waiting(reason: "JobHeldUser")),
    Case("PENDING", "BeginTime", is: .waiting(reason: "BeginTime")),
    Case("PENDING", "ReqNodeNotAvail, UnavailableNodes:n1", is: .waiting(reason: "ReqNodeNotAvail, UnavailableNodes:n1")),
    Case("PENDING", "DependencyNeverSatisfied", is: .ended(.cancelled(by: "a job it depends on"))),
    Case("PENDING", "launch failed requeued held", is: .ended(.infrastructure("it could not be launched and is held"))),
    Case("PENDING", "launch_failed_requeued_held", is: .ended(.infrastructure("it could not be launched and is held"))),
    Case("PENDING", "JobHoldMaxRequeue", is: .ended(.infrastructure("it could not be launched and is held"))),
    Case("REQUEUED", is: .waiting(reason: "requeued")), Case("RQ", is: .waiting(reason: "requeued")),
    Case("REQUEUE_FED", is: .waiting(reason: "requeued")), Case("REVOKED", is: .waiting(reason: "requeued")),
    Case("REQUEUE_HOLD", is: .waiting(reason: "held: REQUEUE_HOLD")), Case("RESV_DEL_HOLD", is: .waiting(reason: "held: RESV_DEL_HOLD")),
    Case("SPECIAL_EXIT", is: .waiting(reason: "held: SPECIAL_EXIT")),
  ]

  @Test("what the system takes back before it began is its own doing, unless the system is us")
  func takenBack() {
    var report = JobReport(state: "CANCELLED by 0")
    report.usage.elapsedSeconds = 0
    let expected: QueueEnd = getuid() == 0 ? .cancelled(by: "root") : .infrastructure("Slurm took it back before it began")
    #expect(report.standing == .ended(expected))
  }

  @Test("a job that was killed after it had used more than its share was out of memory")
  func killedForMemory() {
    var report = JobReport(state: "FAILED")
    report.setExit("0:9")
    (report.usage.maxMemoryBytes, report.askedMemoryBytes) = (200 << 20, 50 << 20)
    #expect(report.standing == .ended(.outOfMemory))
    // The program was killed before the script, which said so.
    report.setExit("137:0")
    #expect(report.standing == .ended(.outOfMemory))
    report.askedMemoryBytes = 300 << 20
    #expect(report.standing == .ended(.exited(137)))
    report.setExit("0:9")
    #expect(report.standing == .ended(.exited(137)))
    report.setExit("1:0")
    report.askedMemoryBytes = 50 << 20
    #expect(report.standing == .ended(.exited(1)))
  }

  @Test("amounts as Slurm prints them")
  func amounts() {
    #expect(SlurmAmount.seconds("1-02:03:04") == 93784)
    #expect(SlurmAmount.seconds("02:03:04") == 7384)
    #expect(SlurmAmount.seconds("00:01.500") == 1.5)
    #expect(SlurmAmount.seconds("INVALID") == nil)
    #expect(SlurmAmount.bytes("198252K") == 203_010_048)
    #expect(SlurmAmount.bytes("1.5M") == 1_572_864)
    #expect(SlurmAmount.bytes("512Mc", unit: "M") == 512 << 20)
    #expect(SlurmAmount.bytes("512", unit: "M") == 512 << 20)
    #expect(SlurmAmount.bytes("") == nil)
    #expect(SlurmAmount.minutes(seconds: 61) == "2")
    #expect(SlurmAmount.memory(bytes: (1 << 20) + 1) == "2M")
    #expect(SlurmAmount.gpus("gpu:2") == 2)
    #expect(SlurmAmount.gpus("gpu:a100:4(S:0,1),gpu:v100:2,nvme:1") == 6)
    #expect(SlurmAmount.gpus("gpu:a100:4(S:0,1),gpu:v100:2", ofType: "v100") == 2)
    #expect(SlurmAmount.gpus("(null)") == 0)
  }

  @Test("lists of array elements go both ways")
  func tasks() {
    #expect(TaskList.text([9, 3, 7, 10, 11]) == "3,7,9-11")
    #expect(TaskList.tasks("3,7,9-11") == [3, 7, 9, 10, 11])
    #expect(TaskList.tasks("0-8:4%2") == [0, 4, 8])
    for wrong in ["", "a", "3-", "-3", "5-3", "1,,2", "0-99999999"] { #expect(TaskList.tasks(wrong) == nil) }
    #expect(JobNumber("12_[5-6%2]")?.ids == ["12_5", "12_6"])
    #expect(JobNumber("12")?.ids == ["12"])
    #expect(JobNumber("12_x") == nil)
    #expect(JobNumber("x_1") == nil)
  }

  @Test("of a job that was requeued the last run counts, and what all have used")
  func severalRuns() throws {
    let text = """
      7|REQUEUED|0:0|10|00:05.000||512M|1|n1|None
      7.batch|CANCELLED|0:9|12|00:05.000|9000K||1|n1|
      9_[4-5%2]|PENDING|0:0|0|00:00:00||512M|1|None assigned|Resources
      8|NODE_FAIL|0:0|3|00:00:00||512Mc|2|n2|None
      7|COMPLETED|0:0|5|00:02.000||512M|1|n2|BeginTime
      7.batch|COMPLETED|0:0|5|00:02.000|3000K||1|n2|
      7.extern|COMPLETED|0:0|5|00:00.000|100K||1|n2|
      """
    let reports = JobTables.accounting(text)
    var sight = QueueSight(
      .ended(.exited(0)), node: "n2", usage: QueueUsage(elapsedSeconds: 15, cpuSeconds: 7, maxMemoryBytes: 9000 << 10))
    sight.memoryBytes = 512 << 20
    #expect(reports["7"]?.sight == sight)
    #expect(reports["9_4"]?.standing == .waiting(reason: "Resources"))
    #expect(reports["9_5"]?.node == nil)
    #expect(reports["8"]?.standing == .ended(.infrastructure("node n2 failed")))
    #expect(reports["8"]?.askedMemoryBytes == 1 << 30)
    #expect(reports["8"]?.mayGoOn == true)
  }

  @Test("records of scontrol, of a job and of an array")
  func records() {
    let text = """
      JobId=7 JobName=w UserId=root(0) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) ExitCode=3:0 RunTime=00:00:04 NodeList=n1 StdOut=/a b/c Power= 
      JobId=9 ArrayJobId=9 ArrayTaskId=5-6%2 JobName=w JobState=PENDING Reason=Resources ExitCode=0:0 RunTime=00:00:00 NodeList=(null) NumCPUs=3 MinMemoryCPU=1.5G
      JobId=4 JobName=w JobState=RUNNING ExitCode=0:0 NodeList=n1 MinMemoryNode=150M
      JobId=5 JobName=w JobState=RUNNING ExitCode=0:0 NodeList=n1 MinMemoryNode=0
      """
    let reports = JobTables.records(text)
    #expect(reports["7"]?.sight == QueueSight(.ended(.exited(3)), node: "n1", usage: QueueUsage(elapsedSeconds: 4)))
    #expect(reports["9_6"]?.standing == .waiting(reason: "Resources"))
    #expect(reports["9_6"]?.sight.memoryBytes == 9 << 29)
    #expect(reports["4"]?.sight.memoryBytes == 150 << 20)
    #expect(reports["5"]?.sight == QueueSight(.running, node: "n1"))
    #expect(JobTables.logs(text) == ["7": "/a b/c"])
  }
}

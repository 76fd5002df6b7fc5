import Artifacts
import Execution
import Glibc
import Synchronization

/// Slurm as the runner sees it, through sbatch, squeue, sacct, scontrol, sinfo and scancel. It knows what each is asked and when;
/// `Submission`, `SlurmScript`, `JobTables` and `JobReport` know what is written and what the answers mean.
package final class SlurmQueue: QueueSystem {
  package let name = "slurm"
  package let cluster: String

  let site: Site
  let program: SlurmProgram
  let pace: Pace
  let maxArraySize: Int
  let files: FileSystem
  private let variables: [String: String]
  let memory: Mutex<Memory>

  /// How long and how often it is tried again; in tests nothing waits.
  package struct Pace: Sendable {
    /// Seconds between tries, doubled each time up to `longest`.
    package var first = 1.0
    package var longest = 30.0
    /// Seconds of waiting after which it is given up here; a run goes on asking by itself.
    package var patience = 30.0
    package var pause: @Sendable (Double) -> Void = { usleep(UInt32($0 * 1e6)) }

    package init() {}
  }

  /// What is learned from one question for the next.
  struct Memory: Sendable {
    /// No accounting is kept, or sacct may not be asked.
    var isWithoutAccounting: Bool
    /// Looks for which sacct is left alone after it failed.
    var silentLooks = 0
    var looks = 0
    /// How often in succession the controller said that it knows no such job.
    var unknown: [QueueJobID: Int] = [:]
    /// Jobs that were seen to run, by the queue or by a record.
    var begun: Set<QueueJobID> = []
    /// Arrays whose submission ended without a clear answer.
    var unclear: Set<String> = []
  }

  /// Asks the controller what it is; waits for one that is being restarted.
  ///
  /// - Parameters:
  ///   - variables: the environment of this process.
  ///   - program: how Slurm's programs are run; from `variables` when nil.
  package init(
    site: Site, variables: [String: String], program: SlurmProgram? = nil, pace: Pace = Pace(), files: FileSystem = .posix
  ) throws(QueueProblem) {
    self.site = site
    self.variables = variables
    self.program = program ?? SlurmProgram(variables: variables)
    self.pace = pace
    self.files = files
    let configuration = try Self.configuration(self.program, pace)
    cluster = configuration["ClusterName"] ?? ""
    maxArraySize = configuration["MaxArraySize"].flatMap { Int($0) } ?? 1001
    let accounting = configuration["AccountingStorageType"] ?? "accounting_storage/slurmdbd"
    memory = Mutex(Memory(isWithoutAccounting: !accounting.hasSuffix("slurmdbd")))
  }

  private static func configuration(_ program: SlurmProgram, _ pace: Pace) throws(QueueProblem) -> [String: String] {
    var tries = Tries(pace)
    while true {
      let answer = program.run(["scontrol", "show", "config"])
      if answer.isGood { return pairs(answer.output) }
      guard SubmitFailure.isPassing(answer) else { throw QueueProblem(.refused, "Slurm cannot be asked: \(answer.complaint)") }
      guard tries.wait() else { throw QueueProblem(.transient, "Slurm does not answer: \(answer.complaint)") }
    }
  }

  /// `Key = value`, a line each.
  private static func pairs(_ text: String) -> [String: String] {
    var pairs: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.drop { $0 == " " } }
      guard parts.count == 2, let key = parts[0].split(separator: " ").first else { continue }
      pairs[String(key)] = pairs[String(key)] ?? String(parts[1])
    }
    return pairs
  }

  /// What jobs find in their environment: what the batch says, and the variables that the site names.
  func environment(_ batch: QueueBatch) -> [String: String] {
    var environment = batch.environment
    for name in site.environment where environment[name] == nil { environment[name] = variables[name] }
    return environment
  }

  // MARK: - Finding jobs by name

  package func find(_ names: [String]) throws(QueueProblem) -> [String: [Int: QueueJobID]] {
    let user = String(getuid())
    let wanted = Set(names)
    var found: [String: [Int: QueueJobID]] = [:]
    let queue = program.run(["squeue", "--noheader", "--array", "--states=all", "--user=\(user)", "--format=%i|%j"])
    if queue.isGood { Self.collect(queue.output, wanted, into: &found) }
    let accounting =
      asksAccounting
      ? program.run(
        ["sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,JobName"]
          + ["--user=\(user)", "--starttime=now-30days", "--name=\(nameVariants(names).joined(separator: ","))"]) : nil
    if let accounting, accounting.isGood {
      var older: [String: [Int: QueueJobID]] = [:]
      Self.collect(accounting.output, wanted, into: &older)
      found.merge(older) { queued, accounted in queued.merging(accounted) { queued, _ in queued } }
    }
    // What is not in the queue may be among the jobs that ended, when those are kept and cannot be asked for just now.
    guard queue.isGood else { throw QueueProblem(.transient, "Slurm does not answer: \(queue.complaint)") }
    return found
  }

  /// sacct looks for whole names: those of the first parts of a long batch, too.
  private func nameVariants(_ names: [String]) -> [String] {
    names.flatMap { name in [name] + (1...32).map { "\(name)+\($0 * maxArraySize)" } }
  }

  /// Of several jobs of one name and index the newest counts, which has the highest number.
  private static func collect(_ text: String, _ wanted: Set<String>, into found: inout [String: [Int: QueueJobID]]) {
    for line in text.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
      guard fields.count == 2, let number = JobNumber(fields[0]) else { continue }
      let origin = Submission.origin(fields[1])
      guard wanted.contains(origin.batch) else { continue }
      for (task, id) in zip(number.tasks ?? [0], number.ids) {
        let index = origin.firstIndex + task
        let known = found[origin.batch]?[index].flatMap { JobNumber($0.text) }.flatMap { Int($0.base) } ?? -1
        if (Int(number.base) ?? 0) >= known { found[origin.batch, default: [:]][index] = QueueJobID(id) }
      }
    }
  }

  /// Whether sacct is worth a question.
  var asksAccounting: Bool { memory.withLock { !$0.isWithoutAccounting && $0.silentLooks == 0 } }
}

/// Tries that become rarer, for a bounded time.
struct Tries {
  private let pace: SlurmQueue.Pace
  private var waited = 0.0
  private var next: Double

  init(_ pace: SlurmQueue.Pace) {
    self.pace = pace
    next = pace.first
  }

  /// Waits before the next try; false when it is time to give up.
  mutating func wait() -> Bool {
    guard waited < pace.patience else { return false }
    pace.pause(next)
    waited += next
    next = min(next * 2, pace.longest)
    return true
  }
}

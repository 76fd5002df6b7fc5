import Artifacts
import Glibc
import JSONValues

/// The job of a queueing system that this process is, as far as it is written down beside what it makes.
struct QueuePlace: Sendable {
  /// As the run calls it: `slurm`, or the name of a site.
  let executor: String
  let system: String
  let cluster: String
  /// Nil when the system did not say.
  let id: String?
  /// Between the submission and the beginning of the job.
  let waitedSeconds: Double?
  let starts: Int

  var owner: LockOwner.Job? { id.map { LockOwner.Job(system: system, cluster: cluster, id: $0) } }

  /// For the result, at the end of the stage: nothing in it may shape bytes, and no key knows of it.
  var facts: [(String, JSONValue)] {
    var facts: [(String, JSONValue)] = [("executor", .string(executor)), ("cluster", .string(cluster))]
    if let id { facts.append(("job", .string(id))) }
    return facts + usage.members
  }

  /// Of the processes that this one has waited for.
  var usage: JobUsage {
    var children = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &children)
    let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return JobUsage(
      cpuSeconds: seconds(children.ru_utime) + seconds(children.ru_stime), maxMemoryBytes: Int(children.ru_maxrss) << 10,
      waitedSeconds: waitedSeconds, starts: starts)
  }
}

/// What a job took, by its own account or the queueing system's.
struct JobUsage: Sendable, Equatable {
  var elapsedSeconds: Double?
  var cpuSeconds: Double?
  var maxMemoryBytes: Int?
  var waitedSeconds: Double?
  var node: String?
  var job: String?
  /// How often it was started: more than once when it was preempted, or out of time.
  var starts: Int?

  /// As journals and results say it; what is not known is left out.
  var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    if let elapsedSeconds { members.append(("elapsed", .number(Self.rounded(elapsedSeconds)))) }
    if let cpuSeconds { members.append(("cpu_seconds", .number(Self.rounded(cpuSeconds)))) }
    if let maxMemoryBytes { members.append(("max_memory", .integer(maxMemoryBytes))) }
    if let waitedSeconds { members.append(("waited", .number(Self.rounded(waitedSeconds)))) }
    if let node { members.append(("node", .string(node))) }
    if let job { members.append(("job", .string(job))) }
    if let starts { members.append(("starts", .integer(starts))) }
    return members
  }

  init(
    elapsedSeconds: Double? = nil, cpuSeconds: Double? = nil, maxMemoryBytes: Int? = nil, waitedSeconds: Double? = nil,
    node: String? = nil, job: String? = nil, starts: Int? = nil
  ) {
    self.elapsedSeconds = elapsedSeconds
    self.cpuSeconds = cpuSeconds
    self.maxMemoryBytes = maxMemoryBytes
    self.waitedSeconds = waitedSeconds
    self.node = node
    self.job = job
    self.starts = starts
  }

  init(json: JSONValue?) {
    self.init(
      elapsedSeconds: json?["elapsed"]?.numberValue, cpuSeconds: json?["cpu_seconds"]?.numberValue,
      maxMemoryBytes: json?["max_memory"]?.integerValue, waitedSeconds: json?["waited"]?.numberValue, node: json?["node"]?.stringValue,
      job: json?["job"]?.stringValue, starts: json?["starts"]?.integerValue)
  }

  private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

/// Which facts beside a result speak of the job that computed it, and of no other.
package enum JobFacts {
  package static let ofOneJob: Set<String> = ["job", "elapsed", "cpu_seconds", "max_memory", "waited", "node", "starts"]
}

/// Variables that belong to the queueing system, or say which job a process is: no stage sees them, and no key depends on them.
package enum QueueVariables {
  static let jobIndex = "HEIRLOOM_JOB_INDEX"
  /// Set by the script of a queueing system: the number of this job in the queue, and how often it was started before.
  static let jobID = "HEIRLOOM_JOB_ID"

  /// The number of the job that this process is: as its script says, else as Slurm does.
  static func job(in variables: [String: String]) -> String? {
    if let id = variables[jobID], !id.isEmpty { return id }
    if let array = variables["SLURM_ARRAY_JOB_ID"], let place = variables["SLURM_ARRAY_TASK_ID"] { return "\(array)_\(place)" }
    return variables["SLURM_JOB_ID"]
  }

  package static func isOwn(_ name: String) -> Bool {
    ["SLURM_", "SLURMD_", "SBATCH_", "SRUN_", "SALLOC_", "HEIRLOOM_JOB"].contains { name.hasPrefix($0) }
  }
}

import Artifacts
import Diagnostics

/// What the runner asks of a cluster's queueing system. Slurm is one; another is one more file. It knows nothing of stages, keys and
/// stores: a job is a program with its arguments and what it needs.
///
/// Calls block for as long as the system's own programs take, so they come from threads of their own.
package protocol QueueSystem: Sendable {
  /// As `--executor` and a stage's `executor` name it: `slurm`.
  var name: String { get }

  /// Which cluster a job's number belongs to, as it is written down beside it. Numbers of two clusters are not comparable.
  var cluster: String { get }

  /// Hands the batch over under its name, in as few calls as the system allows, and gives an id for every job, in order. What passes by
  /// itself (a controller that restarts) is tried again for a bounded time.
  func submit(_ batch: QueueBatch) throws(QueueProblem) -> [QueueJobID]

  /// The jobs that the system knows under these names, by name and index; for a runner that died between its intent and the answer.
  /// Throws when nothing could be asked, which is not the same as finding nothing.
  func find(_ names: [String]) throws(QueueProblem) -> [String: [Int: QueueJobID]]

  /// One question for all. A job of which nothing could be learned is absent, and absence says nothing about the job.
  func look(_ jobs: [QueueJobID]) -> [QueueJobID: QueueSight]

  /// Takes jobs back: those that wait go, those that run are asked to stop (`checkpoint`) or ended (`now`). Best effort; `look` tells.
  func cancel(_ jobs: [QueueJobID], _ how: QueueCancellation)

  /// What jobs may ask for, where the system says; checked before anything is submitted.
  func capacity() throws(QueueProblem) -> QueueCapacity
}

/// A number that the system gave, as it writes it: `1234` or, of an array, `1234_7`.
package struct QueueJobID: Hashable, Sendable, CustomStringConvertible {
  package let text: String
  package init(_ text: String) { self.text = text }
  package var description: String { text }
}

/// Jobs that are alike but for their index, submitted together.
package struct QueueBatch: Sendable, Equatable {
  /// Unique for ever: what the jobs are called in the queue, and how they are found again.
  package var name: String
  /// The program and its arguments; each job runs it with its own index in the variable `HEIRLOOM_JOB_INDEX`.
  package var words: [String]
  /// Indices of the jobs, ascending; one alone needs no array.
  package var indices: [Int]
  /// Where jobs are started.
  package var directory: String
  /// What jobs find in their environment; of the submitter's, nothing else.
  package var environment: [String: String]
  /// Where each job writes what it prints, by its index; appended to, for a job may be started more than once.
  package var logPath: @Sendable (Int) -> String
  /// Where the script and what belongs to it may be written; exists.
  package var scriptDirectory: String
  package var need: QueueNeed
  /// Jobs that have to succeed before; if one cannot any more, these are ended by the system.
  package var after: [QueueJobID]
  /// Nodes that failed lately.
  package var excludedNodes: [String]
  /// The lock on the submission. The programs that carry it out inherit it, so that a runner that comes after this one has died knows
  /// whether the batch may yet be heard.
  package var lock: FileLock?

  package init(
    name: String, words: [String], indices: [Int], directory: String, environment: [String: String],
    logPath: @escaping @Sendable (Int) -> String, scriptDirectory: String, need: QueueNeed, after: [QueueJobID] = [],
    excludedNodes: [String] = []
  ) {
    self.name = name
    self.words = words
    self.indices = indices
    self.directory = directory
    self.environment = environment
    self.logPath = logPath
    self.scriptDirectory = scriptDirectory
    self.need = need
    self.after = after
    self.excludedNodes = excludedNodes
  }

  package static func == (one: QueueBatch, other: QueueBatch) -> Bool {
    one.name == other.name && one.words == other.words && one.indices == other.indices && one.directory == other.directory
      && one.environment == other.environment && one.need == other.need && one.after == other.after
      && one.excludedNodes == other.excludedNodes
  }
}

/// What one job asks for.
package struct QueueNeed: Sendable, Hashable {
  package var cpus: Int
  /// Nil leaves it to the system.
  package var memoryBytes: Int?
  package var gpus: Int
  /// Wall time; nil is the site's default.
  package var seconds: Double?
  /// It answers a request to stop with a checkpoint, so it may be interrupted, requeued and given less time than it needs.
  package var checkpoints: Bool

  package init(cpus: Int = 1, memoryBytes: Int? = nil, gpus: Int = 0, seconds: Double? = nil, checkpoints: Bool = false) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.gpus = gpus
    self.seconds = seconds
    self.checkpoints = checkpoints
  }
}

package enum QueueCancellation: Sendable, Equatable { case checkpoint, now }

/// What the system says of a job.
package struct QueueSight: Sendable, Equatable {
  package enum Standing: Sendable, Equatable {
    /// In the queue (also again, after a preemption), for the system's own reason.
    case waiting(reason: String?)
    case running
    case ended(QueueEnd)
  }

  package var standing: Standing
  /// Where it runs or ran.
  package var node: String?
  package var usage: QueueUsage?
  /// What it was given, in bytes; nil where the system does not say.
  package var memoryBytes: Int?

  package init(_ standing: Standing, node: String? = nil, usage: QueueUsage? = nil) {
    self.standing = standing
    self.node = node
    self.usage = usage
  }
}

/// How a job ended, by whose doing. It says nothing about the result: that is in the file the job wrote.
package enum QueueEnd: Sendable, Equatable {
  /// The program ended by itself, with this status.
  case exited(Int32)
  /// It used more memory than it was given.
  case outOfMemory
  /// Its wall time was up.
  case timeLimit
  /// Somebody took it back: a person, or what it depended on.
  case cancelled(by: String?)
  /// The cluster's fault: the node failed, it was preempted for good, it never began.
  case infrastructure(String)
}

/// What the system accounts for; nil where it does not.
package struct QueueUsage: Sendable, Equatable {
  package var elapsedSeconds: Double?
  package var cpuSeconds: Double?
  package var maxMemoryBytes: Int?

  package init(elapsedSeconds: Double? = nil, cpuSeconds: Double? = nil, maxMemoryBytes: Int? = nil) {
    self.elapsedSeconds = elapsedSeconds
    self.cpuSeconds = cpuSeconds
    self.maxMemoryBytes = maxMemoryBytes
  }
}

/// The largest that a single job may ask for, and how many may be handed over at once.
package struct QueueCapacity: Sendable, Equatable {
  package struct Node: Sendable, Equatable {
    package var name: String
    package var cpus: Int
    package var memoryBytes: Int
    package var gpus: Int

    package init(name: String, cpus: Int, memoryBytes: Int, gpus: Int) {
      self.name = name
      self.cpus = cpus
      self.memoryBytes = memoryBytes
      self.gpus = gpus
    }
  }

  /// Of the partitions that jobs would go to. Empty when the system does not say: then nothing is refused.
  package var nodes: [Node]
  package var maxArraySize: Int?

  package init(nodes: [Node], maxArraySize: Int? = nil) {
    self.nodes = nodes
    self.maxArraySize = maxArraySize
  }
}

/// Why the system could not be asked, or said no.
package struct QueueProblem: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// It may go another time.
    case transient
    /// It will be refused again: an account, a partition, a limit.
    case refused
  }

  package var kind: Kind
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    // Mostly what another program said.
    self.message = VisibleText.line(message, most: 1000, on: .terminal)
  }

  package var description: String { message }
}

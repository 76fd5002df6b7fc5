import Execution
import Glibc

/// What Slurm says of one job, whichever of its programs said it, and what that means. It does not know what the job does.
package struct JobReport: Sendable, Equatable {
  /// As in the list of job state codes: `RUNNING`, `CANCELLED by 1000`.
  package var state: String
  package var reason: String?
  package var exitCode: Int32?
  /// The signal that ended it.
  package var signal: Int32?
  package var node: String?
  package var usage = QueueUsage()
  /// Nil where it is all that a node has, which Slurm writes as 0.
  package var askedMemoryBytes: Int?

  package init(state: String, reason: String? = nil) {
    self.state = state
    self.reason = reason
  }

  /// The first word alone, without what makes it longer: `CANCELLED+`, `CANCELLED by 0`.
  private var word: String { String(state.prefix { $0 != " " && $0 != "+" }).uppercased() }

  /// What the state means. Unknown words are those of a newer Slurm: the job is taken to run, for that decides nothing.
  package var standing: QueueSight.Standing {
    switch word {
    case "PENDING", "PD": waiting
    case "REQUEUED", "RQ", "REQUEUE_FED", "RF", "REVOKED", "RV": .waiting(reason: "requeued")
    case "REQUEUE_HOLD", "RH", "RESV_DEL_HOLD", "RD", "SPECIAL_EXIT", "SE": .waiting(reason: "held: \(word)")
    case "COMPLETED", "CD": .ended(.exited(0))
    case "FAILED", "F": .ended(failure)
    case "OUT_OF_MEMORY", "OOM": .ended(.outOfMemory)
    case "TIMEOUT", "TO", "DEADLINE", "DL": .ended(.timeLimit)
    case "CANCELLED", "CA": .ended(cancellation)
    case "NODE_FAIL", "NF": .ended(.infrastructure(node.map { "node \($0) failed" } ?? "its node failed"))
    case "PREEMPTED", "PR": .ended(.infrastructure("it was preempted"))
    case "BOOT_FAIL", "BF": .ended(.infrastructure("its node did not start"))
    case "LAUNCH_FAILED", "RECONFIG_FAIL": .ended(.infrastructure("it could not be launched"))
    default: .running
    }
  }

  /// Whether the job may be in the queue again after this; then only the queue itself knows.
  package var mayGoOn: Bool {
    ["NODE_FAIL", "NF", "PREEMPTED", "PR", "BOOT_FAIL", "BF", "LAUNCH_FAILED", "RECONFIG_FAIL", "REQUEUED", "RQ"].contains(word)
  }

  // MARK: - By class

  private var waiting: QueueSight.Standing {
    // The texts come with blanks or with underscores, by the program that prints them.
    let plain = (reason ?? "").lowercased().filter { $0 != " " && $0 != "_" }
    switch plain {
    case "dependencyneversatisfied": return .ended(.cancelled(by: Self.dependency))
    case "launchfailedrequeuedheld", "jobholdmaxrequeue": return .ended(.infrastructure("it could not be launched and is held"))
    default: return .waiting(reason: plain.isEmpty || plain == "none" ? nil : reason)
    }
  }

  /// What took a job back whose dependency failed.
  static let dependency = "a job it depends on"

  /// Slurm's own status for a job whose log or directory could not be opened.
  private static let launchSignal: Int32 = 53

  private var hadMoreThanAsked: Bool {
    guard let asked = askedMemoryBytes, let used = usage.maxMemoryBytes else { return false }
    return used >= asked
  }

  private var failure: QueueEnd {
    switch (exitCode ?? 0, signal ?? 0) {
    case (0, 0): return .infrastructure("it could not be launched")
    case (0, Self.launchSignal): return .infrastructure("its log or its directory could not be opened on the node")
    case (let code, let number):
      let status = code == 0 ? 128 + number : code
      // Where Slurm itself watches memory, without control groups, it ends the job by SIGKILL and nothing else says why. That comes to
      // what a script has started before it comes to the script, which may be quick enough to say so itself.
      return status == 128 + SIGKILL && hadMoreThanAsked ? .outOfMemory : .exited(status)
    }
  }

  private var cancellation: QueueEnd {
    if let reason, reason.hasPrefix("Dependency") { return .cancelled(by: Self.dependency) }
    let by = state.range(of: " by ").map { String(state[$0.upperBound...]) }
    guard by == "0", usage.elapsedSeconds == 0, getuid() != 0 else { return .cancelled(by: by.map(Self.name)) }
    return .infrastructure("Slurm took it back before it began")
  }

  private static func name(ofUser number: String) -> String {
    guard let id = UInt32(number) else { return number }
    var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
      guard let start = buffer.baseAddress, getpwuid_r(id, &entry, start, buffer.count, &found) == 0, found != nil else {
        return "user \(number)"
      }
      return String(cString: entry.pw_name)
    }
  }

  // MARK: - As told

  package var sight: QueueSight {
    var sight = QueueSight(standing, node: node)
    if usage != QueueUsage() { sight.usage = usage }
    sight.memoryBytes = askedMemoryBytes
    return sight
  }

  /// `3:0`, `0:9`.
  package mutating func setExit(_ text: some StringProtocol) {
    let parts = text.split(separator: ":").map { Int32($0) }
    guard parts.count == 2 else { return }
    (exitCode, signal) = (parts[0], parts[1])
  }

  /// `(null)`, `None assigned` and the like are no nodes.
  mutating func setNode(_ text: some StringProtocol) {
    node = text.isEmpty || text.hasPrefix("(") || text.contains(" ") || text == "N/A" ? nil : String(text)
  }
}

extension StringProtocol {
  /// The first place of a text in this one.
  func range(of other: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }
}

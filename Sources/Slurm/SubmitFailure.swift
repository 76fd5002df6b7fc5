import Execution

/// What a failure of sbatch means: whether it will be refused again, and whether the job may have been taken all the same.
package enum SubmitFailure {
  /// The number in what sbatch printed, among whatever a login prints: `1234`, or `1234;cluster`. The last one counts.
  package static func number(_ output: String) -> String? {
    for line in output.split(whereSeparator: \.isNewline).reversed() {
      let parts = line.split(separator: ";", omittingEmptySubsequences: false)
      guard parts.count <= 2, let number = parts.first, !number.isEmpty, number.count <= 10 else { continue }
      let hasCluster = parts.count == 1 || !parts[1].isEmpty && !parts[1].contains(" ")
      if hasCluster, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return String(number) }
    }
    return nil
  }

  /// Said by a controller that is away, busy or being restarted. None of them says that the job was not taken.
  private static let passing = [
    "socket timed out", "timed out", "unable to contact", "unable to connect", "connection refused", "connection reset", "connection timed",
    "communication connection failure", "connect failure", "transport endpoint", "resource temporarily unavailable", "temporarily unable",
    "zero bytes were transmitted", "unexpected message received", "message receive failure", "message send failure", "i/o error writing",
    "controller not responding", "not responding", "try again", "in standby", "broken pipe", "unable to resolve", "no route to host",
    "host is down", "network is unreachable", "protocol authentication error", "slurm backup controller", "error reading from socket",
  ]

  package static func isPassing(_ answer: SlurmProgram.Answer) -> Bool {
    switch answer.end {
    case .notStarted: return false
    case .ended: return true
    case .exited(0): return true
    case .exited:
      let said = answer.errors.lowercased()
      return passing.contains { said.contains($0) }
    }
  }

  /// What sbatch said, without its prefixes.
  static func text(_ answer: SlurmProgram.Answer) -> String {
    answer.complaint.split(separator: ";").map { part in
      var text = part.drop { $0 == " " }
      while let prefix = ["sbatch: error: ", "sbatch: ", "error: "].first(where: text.hasPrefix) { text = text.dropFirst(prefix.count) }
      return String(text)
    }.joined(separator: "; ")
  }

  /// Said when no node is left that could take the job.
  static func saysNoNode(_ answer: SlurmProgram.Answer) -> Bool {
    answer.errors.lowercased().contains("node configuration is not available")
  }
}

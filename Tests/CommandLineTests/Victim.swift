import Foundation
import JSONValues
import Testing

/// What is ended with SIGKILL while a recipe runs: all of it at once, the runner alone, or the stage alone. A stage whose runner is gone stops
/// by itself, with a checkpoint; one that is killed has nothing but what it wrote before.
enum Victim: String, CaseIterable, Sendable {
  case everything, runner, stage

  /// Ends it, and waits for the rest to end; the instances that were finished by then.
  @discardableResult
  func end(_ running: Running, _ project: Project) throws -> Set<String> {
    switch self {
    case .everything:
      // Stopped first, so that it does not see its stages end.
      try running.signalGroup(SIGSTOP)
      // A stage leads a group of its own, with what it started.
      for pid in project.processes where getpgid(pid) == pid && pid != running.identifier { Glibc.kill(-pid, SIGKILL) }
      try running.signalGroup(SIGKILL)
    case .runner: running.signal(SIGKILL)
    case .stage:
      for pid in project.processes where pid != running.identifier && Self.isStage(pid) { Glibc.kill(pid, SIGKILL) }
    }
    let end = try running.finish()
    #expect(end.status == (self == .stage ? 1 : -SIGKILL))
    let lines = end.errors.split(separator: "\n").compactMap { try? JSONValue.parse(String($0)) }
    return Set(lines.filter { $0["kind"] == "finished" }.compactMap { $0["instance"]?.stringValue })
  }

  private static func isStage(_ pid: pid_t) -> Bool {
    let words = (FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()).split(separator: 0)
    return words.contains(Data("exec".utf8))
  }
}

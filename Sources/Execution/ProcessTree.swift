import Artifacts
import Glibc

/// A process with all that descends from it, whatever groups and sessions they have made for themselves, as /proc tells it.
enum ProcessTree {
  /// Every descendant, parents before their children. What a thread has started is its child, so every thread is asked.
  static func descendants(of root: pid_t) -> [pid_t] {
    var found: [pid_t] = []
    var rest = [root]
    while let process = rest.popLast(), found.count < 1 << 16 {
      let children = self.children(of: process)
      found += children
      rest += children
    }
    return found
  }

  private static func children(of process: pid_t) -> [pid_t] {
    guard let threads = try? FileSystem.posix.list("/proc/\(process)/task") else { return [] }
    return threads.flatMap { thread -> [pid_t] in
      let text = ((try? FileSystem.posix.read("/proc/\(process)/task/\(thread)/children")) ?? nil) ?? []
      return text.split(separator: 0x20).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }
  }

  /// Ends all that descends from a process, again until nothing new has come. The process itself stays: it must not lose them before.
  static func endDescendants(of root: pid_t) {
    for _ in 0..<100 {
      let processes = descendants(of: root).filter { !isZombie($0) }
      if processes.isEmpty { return }
      for process in processes { _ = kill(process, SIGKILL) }
      usleep(500)
    }
  }

  private static func isZombie(_ process: pid_t) -> Bool {
    guard let bytes = (try? FileSystem.posix.read("/proc/\(process)/stat")) ?? nil, let end = bytes.lastIndex(of: UInt8(ascii: ")")) else {
      return true
    }
    return bytes.count > end + 2 && bytes[end + 2] == UInt8(ascii: "Z")
  }

  // MARK: - Memory

  /// Bytes that a process and its descendants hold and nobody could take from them without swapping: anonymous and shared pages, not
  /// files that are mapped.
  ///
  /// Pages that a fork shares are first counted in each process, which is quick; only where that is above `limit`, each is counted once,
  /// which costs time in proportion to the memory.
  static func memory(of root: pid_t, above limit: Int) -> Int {
    let processes = [root] + descendants(of: root)
    let quick = processes.reduce(0) { $0 + kilobytes("/proc/\($1)/status", ["RssAnon:", "RssShmem:"]).total } * 1024
    guard quick > limit, processes.count > 1 else { return quick }
    var exact = 0
    for process in processes {
      let shares = kilobytes("/proc/\(process)/smaps_rollup", ["Pss_Anon:", "Pss_Shmem:"])
      guard shares.found == 2 else {
        // A kernel before 5.10, or a process that has gone.
        exact += kilobytes("/proc/\(process)/status", ["RssAnon:", "RssShmem:"]).total
        continue
      }
      exact += shares.total
    }
    return exact * 1024
  }

  private static func kilobytes(_ path: String, _ names: [String]) -> (total: Int, found: Int) {
    guard let bytes = (try? FileSystem.posix.read(path)) ?? nil else { return (0, 0) }
    var (total, found) = (0, 0)
    for line in bytes.split(separator: 0x0A) {
      guard let name = names.first(where: { line.starts(with: $0.utf8) }) else { continue }
      let digits = line.dropFirst(name.utf8.count).filter { (0x30...0x39).contains($0) }
      total += Int(String(decoding: digits, as: UTF8.self)) ?? 0
      found += 1
    }
    return (total, found)
  }
}

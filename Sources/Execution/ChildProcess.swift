import CProcesses
import Glibc
import Synchronization

/// Why a process did not start, in one line.
package struct SpawnFailure: Error, Sendable, Equatable {
  package let message: String
}

/// How a process ended.
package enum ProcessEnd: Sendable, Equatable {
  case exited(Int32)
  case signalled(Int32)

  /// SIGKILL ended it, or what it had started, as a shell says it.
  var isKill: Bool { self == .signalled(SIGKILL) || self == .exited(128 + SIGKILL) }
}

/// A process started without a shell, leader of a process group of its own, with exactly the environment and descriptors it is given.
package struct ProcessOrder: Sendable {
  package var words: [String]
  package var directory: String
  package var environment: [String: String]
  /// Descriptors of this process, by the number they get in the child; none above the highest of those is inherited.
  package var descriptors: [(ours: Int32, theirs: Int32)]

  package init(words: [String], directory: String, environment: [String: String], descriptors: [(ours: Int32, theirs: Int32)]) {
    self.words = words
    self.directory = directory
    self.environment = environment
    self.descriptors = descriptors
  }

  /// Starts it; returns its number, which is also its group's.
  package func spawn() throws(SpawnFailure) -> pid_t {
    let program = try self.program()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // By way of numbers that none of them has, so that none is overwritten before it is used.
    let above = (descriptors.map { max($0.ours, $0.theirs) }.max() ?? 2) + 1
    for (place, pair) in descriptors.enumerated() { posix_spawn_file_actions_adddup2(&actions, pair.ours, above + Int32(place)) }
    for (place, pair) in descriptors.enumerated() { posix_spawn_file_actions_adddup2(&actions, above + Int32(place), pair.theirs) }
    hl_spawn_add_closefrom(&actions, (descriptors.map(\.theirs).max() ?? 2) + 1)
    hl_spawn_add_chdir(&actions, directory)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    hl_spawn_usual_signals(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var pid: pid_t = 0
    let code = withCStrings(words) { arguments in
      withCStrings(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) { variables in
        hl_spawn_at(&pid, program, &actions, &attributes, arguments, variables)
      }
    }
    guard code == 0 else { throw SpawnFailure(message: "cannot start \(words[0]): \(String(cString: strerror(code)))") }
    return pid
  }

  /// The first word, looked up in the child's own PATH when it has no slash.
  func program() throws(SpawnFailure) -> String {
    guard let name = words.first, !name.isEmpty else { throw SpawnFailure(message: "the command is empty") }
    if name.utf8.contains(UInt8(ascii: "/")) {
      let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
      guard access(path, F_OK) == 0 else { throw SpawnFailure(message: "command not found: \(name)") }
      guard access(path, X_OK) == 0 else { throw SpawnFailure(message: "not executable: \(name)") }
      return path
    }
    for directory in (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":") {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    throw SpawnFailure(message: "command not found: \(name)")
  }

  private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let pointers = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}

/// A stage's process as several threads see it: one waits for it, another may signal it. Its number is never used after it is reaped.
package final class ChildProcess: Sendable {
  private struct State {
    var pid: pid_t?
    /// Where the status of the command is told, when it is not the process's own.
    var report: Int32?
    /// A signal asked for before it had started.
    var pendingSignal: Int32?
    var hasEnded = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Its number while it is not reaped.
  package var identifier: pid_t? { state.withLock { $0.pid } }

  /// Signals the whole group, now or as soon as it exists. SIGKILL ends what has left the group as well.
  package func signal(_ number: Int32) {
    state.withLock { state in
      if number == SIGKILL, let pid = state.pid { ProcessTree.endDescendants(of: pid) }
      if let pid = state.pid { _ = kill(-pid, number) } else if !state.hasEnded { state.pendingSignal = number }
    }
  }

  /// Stops all that it is made of, whatever groups and sessions that has made; nothing when it has not begun.
  package func pause() { signalAll(SIGSTOP) }

  package func goOn() { signalAll(SIGCONT) }

  private func signalAll(_ number: Int32) {
    state.withLock { state in
      guard let pid = state.pid else { return }
      _ = kill(-pid, number)
      for process in ProcessTree.descendants(of: pid) { _ = kill(process, number) }
    }
  }

  package func start(_ order: ProcessOrder) throws(SpawnFailure) -> pid_t {
    let pid = try order.spawn()
    begin(pid, report: nil)
    return pid
  }

  /// Nil when the server cannot start it.
  func start(_ order: ProcessOrder, by server: WardenServer) throws(SpawnFailure) -> pid_t? {
    let report = try Lifeline.pipe()
    defer { close(report.write) }
    guard let pid = server.spawn(order, report: report.write) else {
      close(report.read)
      return nil
    }
    begin(pid, report: report.read)
    return pid
  }

  private func begin(_ pid: pid_t, report: Int32?) {
    state.withLock { state in
      (state.pid, state.report) = (pid, report)
      if let number = state.pendingSignal { _ = kill(-pid, number) }
    }
  }

  /// Waits for the leader's end, then ends what is left of its group. Blocks: for a thread of its own.
  package func wait() -> ProcessEnd {
    guard let pid = state.withLock({ $0.pid }) else { return .exited(0) }
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
    return state.withLock { state in
      // Not reaped yet, so the group's number is still ours.
      _ = kill(-pid, SIGKILL)
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
      state.pid = nil
      state.hasEnded = true
      if let report = state.report {
        var said: Int32 = 0
        if read(report, &said, 4) == 4 { status = said }
        close(report)
        state.report = nil
      }
      let signal = status & 0x7F
      return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
  }
}

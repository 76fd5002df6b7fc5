import CProcesses
import Glibc

/// Asks a small program of the user's (a credential helper) one thing and takes its answer: no shell, bounded in time and length. Its
/// complaints go where this program's go. It does not know what is asked.
enum HelperProgram {
  struct Failure: Error {
    let message: String
  }

  /// What the program writes. Blocks.
  static func run(
    _ words: [String], input: String, environment: [String: String], seconds: Int = 60, limit: Int = 1 << 16
  ) throws(Failure) -> [UInt8] {
    var toChild: [Int32] = [-1, -1]
    var fromChild: [Int32] = [-1, -1]
    guard hl_closing_pipe(&toChild) == 0 else { throw failure() }
    guard hl_closing_pipe(&fromChild) == 0 else {
      for end in toChild { close(end) }
      throw failure()
    }
    let child = Result { () throws(Failure) in try start(words, toChild[0], fromChild[1], environment) }
    close(toChild[0])
    close(fromChild[1])
    defer { close(fromChild[0]) }
    guard case .success(let pid) = child else {
      close(toChild[1])
      return try child.map { _ in [] }.get()
    }
    // Smaller than a pipe's room, so that nobody waits; a child that does not read it is no reason for a signal.
    _ = fcntl(toChild[1], F_SETFL, O_NONBLOCK)
    sendQuietly(input, toChild[1])
    close(toChild[1])
    let output = read(fromChild[0], seconds, limit)
    if output == nil { kill(pid, SIGKILL) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    guard let output else { throw Failure(message: "gives no answer within \(seconds) seconds, or more than \(limit) bytes") }
    guard status == 0 else { throw Failure(message: reason(status, output)) }
    return output
  }

  private static func failure() -> Failure { Failure(message: String(cString: strerror(errno))) }

  private static func reason(_ status: Int32, _ output: [UInt8]) -> String {
    let text = String(decoding: output.prefix(200), as: UTF8.self).split(separator: "\n").first.map { ": \($0)" } ?? ""
    return status & 0x7F == 0 ? "ended with status \(status >> 8 & 0xFF)\(text)" : "was ended by signal \(status & 0x7F)\(text)"
  }

  private static func start(
    _ words: [String], _ input: Int32, _ output: Int32, _ environment: [String: String]
  ) throws(Failure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    _ = hl_spawn_add_closefrom(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    hl_spawn_usual_signals(&attributes, 0)
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid = pid_t()
    let code = hl_spawn_at(&pid, place(words[0], environment), &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw Failure(message: "cannot be started: \(String(cString: strerror(code)))") }
    return pid
  }

  /// Looked for as a shell would; as it is when it is nowhere, so that the system says so.
  private static func place(_ program: String, _ environment: [String: String]) -> String {
    guard !program.contains("/") else { return program }
    let places = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
    return places.first { access($0, X_OK) == 0 } ?? program
  }

  /// Writes to a pipe whose reader may be gone, without the signal that this would be.
  private static func sendQuietly(_ text: String, _ descriptor: Int32) {
    var pipeSignal = sigset_t()
    var before = sigset_t()
    sigemptyset(&pipeSignal)
    sigaddset(&pipeSignal, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let bytes = Array(text.utf8)
    if write(descriptor, bytes, bytes.count) < 0, errno == EPIPE {
      var now = timespec()
      sigtimedwait(&pipeSignal, nil, &now)
    }
  }

  /// All until the end; nil when it is too long or takes too long.
  private static func read(_ descriptor: Int32, _ seconds: Int, _ limit: Int) -> [UInt8]? {
    let end = ContinuousClock.now + .seconds(seconds)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = end - .now
      guard left > .zero else { return nil }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, Int32(min(left.components.seconds * 1000 + 1, 60_000)))
      if ready < 0, errno != EINTR { return nil }
      guard ready > 0 else { continue }
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0, errno != EINTR { return nil }
      if count > 0 { bytes += piece[..<count] }
      if bytes.count > limit { return nil }
    }
  }
}

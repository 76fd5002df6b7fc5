import CProcesses
import Foundation

/// A server that a stage starts beside itself and stops again: `vllm serve`, or any other that speaks OpenAI's protocol.
///
/// It stays in the process group of the stage, which the runner ends as a whole, and writes into the stage's log.
package final class ServerProcess {
  package let port: UInt16
  private let name: String
  private var pid: pid_t

  /// - Parameters:
  ///   - command: its words; `{model}` is the model's directory, `{port}` the port to listen at on 127.0.0.1.
  package init(_ command: [String], model: String) throws(EndpointError) {
    let port = try Self.freePort()
    let words = command.map { $0.replacingOccurrences(of: "{model}", with: model).replacingOccurrences(of: "{port}", with: String(port)) }
    guard let program = words.first else { throw EndpointError("endpoint.command: a server needs at least one word") }
    guard command.contains(where: { $0.contains("{port}") }) else {
      throw EndpointError("endpoint.command: the server has to be told where to listen: put {port} into one of its words")
    }
    var pid: pid_t = 0
    let code = Self.spawn(&pid, words)
    guard code == 0 else {
      throw EndpointError("endpoint.command: '\(program)' cannot be started: \(String(cString: strerror(code)))")
    }
    self.port = port
    self.pid = pid
    name = program
  }

  deinit { stop() }

  /// Waits until it answers, no longer than so many seconds.
  ///
  /// - Returns: false where it was stopped.
  package func waitUntilReady(_ queue: RequestQueue, seconds: Double, isStopped: () -> Bool) throws(EndpointError) -> Bool {
    let start = Date()
    while !queue.isThere("models") {
      if isStopped() { return false }
      if let end = ended() { throw EndpointError("endpoint.command: '\(name)' \(end) before it answered; its log is the stage's") }
      guard Date().timeIntervalSince(start) < seconds else {
        throw EndpointError("endpoint.command: '\(name)' did not answer within \(EndpointError.text(seconds)) s (endpoint.start_timeout)")
      }
      var nothing = pollfd(fd: -1, events: 0, revents: 0)
      poll(&nothing, 0, 200)
    }
    return true
  }

  /// What became of it, where it has ended: a server that is gone explains why it does not answer.
  package func ended() -> String? {
    guard pid > 0 else { return "was stopped" }
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    pid = 0
    let signal = status & 0x7F
    return signal != 0 ? "was ended by signal \(signal)" : "ended with status \((status >> 8) & 0xFF)"
  }

  /// Asks it to end, and ends it ten seconds later.
  package func stop() {
    guard ended() == nil else { return }
    kill(pid, SIGTERM)
    for _ in 0..<100 {
      if ended() != nil { return }
      var nothing = pollfd(fd: -1, events: 0, revents: 0)
      poll(&nothing, 0, 100)
    }
    kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    pid = 0
  }

  // MARK: - System calls

  /// A port that nobody listens at now.
  private static func freePort() throws(EndpointError) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
      }
    }
    guard descriptor >= 0, code == 0 else { throw EndpointError("there is no free port: \(String(cString: strerror(errno)))") }
    return UInt16(bigEndian: address.sin_port)
  }

  /// What it says goes to the stage's log; signals are as a program expects to find them.
  private static func spawn(_ pid: inout pid_t, _ words: [String]) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    let arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    return hl_spawn(&pid, &actions, arguments)
  }
}

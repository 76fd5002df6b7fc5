import CProcesses
import Foundation

/// A program that answers lines with lines, kept running between batches. Knows nothing of what the lines say.
///
/// Input, output and standard error are served together by one `poll`, so no full pipe can lock it up; what does not answer in time is killed;
/// what has ended is reaped. The process stays in the group of the one that started it, which its runner ends as a whole.
final class RewardProgram {
  /// What the program did instead of answering.
  struct Failure: Error {
    let message: String
    let standardError: String
  }

  /// What to do after a line of the program's output.
  enum Verdict {
    case more
    case done
  }

  private let words: [String]
  /// Seconds until the next line must be there.
  private let timeout: Double
  private let log: (String) -> Void
  private var process: Running?

  private final class Running {
    let pid: pid_t
    var input: Int32
    let output: Int32
    let errors: Int32
    var answers = LineBuffer()
    var complaints = LineBuffer()
    var errorsEnded = false
    /// The last lines of standard error.
    var heard: [String] = []

    init(pid: pid_t, input: Int32, output: Int32, errors: Int32) {
      (self.pid, self.input, self.output, self.errors) = (pid, input, output, errors)
    }
  }

  init(words: [String], timeout: Double, log: @escaping (String) -> Void) {
    self.words = words
    self.timeout = timeout
    self.log = log
  }

  deinit { if process != nil { _ = end() } }

  /// Starts the program where it does not run, sends it the bytes, and hands each line it writes to `take`, until that says it is done and all
  /// bytes are sent. Lines that are there beyond that stay for the next call.
  func exchange(_ bytes: [UInt8], _ take: (ArraySlice<UInt8>) throws -> Verdict) throws {
    if process == nil { try start() }
    do { try serve(bytes[...], take) } catch {
      if process != nil { _ = end() }
      throw error
    }
  }

  /// The lines that are there already, without waiting; nothing when it does not run.
  func pending() -> [ArraySlice<UInt8>] {
    guard process != nil else { return [] }
    _ = receive()
    var lines: [ArraySlice<UInt8>] = []
    while let line = process?.answers.next() { lines.append(line) }
    return lines
  }

  /// Closes its input and waits for its end, no longer than the timeout and ten seconds; the lines it still had to say.
  func finish() -> [ArraySlice<UInt8>] {
    guard let running = process else { return [] }
    close(running.input)
    running.input = -1
    var lines: [ArraySlice<UInt8>] = []
    let deadline = Self.now + min(timeout, 10)
    while receive(), Self.now < deadline { wait(for: 0, until: deadline) }
    reap(within: max(0, deadline - Self.now))
    while let line = process?.answers.next() { lines.append(line) }
    if let rest = process?.answers.rest, !rest.isEmpty { lines.append(rest) }
    let words = end()
    if words != "ended" { log("the program \(words) after its last batch") }
    return lines
  }

  /// The end of what it wrote to its standard error.
  var standardError: String { process?.heard.joined(separator: " | ") ?? "" }

  // MARK: - Serving

  private func serve(_ bytes: ArraySlice<UInt8>, _ take: (ArraySlice<UInt8>) throws -> Verdict) throws {
    var unsent = bytes
    var isDone = false
    var deadline = Self.now + timeout
    while true {
      while !isDone, let line = process?.answers.next() {
        isDone = try take(line) == .done
        deadline = Self.now + timeout
      }
      if isDone, unsent.isEmpty { return }
      guard Self.now < deadline else { throw hung() }
      wait(for: unsent.isEmpty ? 0 : POLLOUT, until: deadline)
      if !send(&unsent) { unsent = [] }
      if receive() { continue }
      if isDone { return }
      if process?.answers.hasLine == false { throw ended() }
    }
  }

  private func hung() -> Failure {
    let heard = standardError
    _ = end()
    return Failure(message: "did not answer within \(Self.text(timeout)) s", standardError: heard)
  }

  private func ended() -> Failure {
    let rest = process?.answers.rest ?? []
    let cut = rest.isEmpty ? "" : " in the middle of a line"
    reap(within: 2)
    let heard = standardError
    return Failure(message: end() + cut, standardError: heard)
  }

  /// Waits for output, for complaints, and for room in the input where `event` says so.
  private func wait(for event: Int32, until deadline: Double) {
    guard let running = process else { return }
    var descriptors = [pollfd(fd: running.output, events: Int16(POLLIN), revents: 0)]
    if !running.errorsEnded { descriptors.append(pollfd(fd: running.errors, events: Int16(POLLIN), revents: 0)) }
    if event != 0, running.input >= 0 { descriptors.append(pollfd(fd: running.input, events: Int16(event), revents: 0)) }
    let rest = max(0, min(deadline - Self.now, 3600))
    _ = poll(&descriptors, nfds_t(descriptors.count), Int32((rest * 1000).rounded(.up)))
  }

  /// Sends what fits; false when nobody reads any more.
  private func send(_ unsent: inout ArraySlice<UInt8>) -> Bool {
    guard let input = process?.input, input >= 0 else { return false }
    while !unsent.isEmpty {
      let count = unsent.withUnsafeBytes { Self.write(input, $0) }
      if count > 0 { unsent = unsent.dropFirst(count) } else { return errno == EAGAIN || errno == EINTR }
    }
    return true
  }

  /// Takes in what is there; false when the output has ended.
  private func receive() -> Bool {
    guard let running = process else { return false }
    if !running.errorsEnded {
      running.errorsEnded = !Self.read(running.errors) { running.complaints.append($0) }
      while let line = running.complaints.next() { hear(line) }
    }
    return Self.read(running.output) { running.answers.append($0) }
  }

  private func hear(_ line: ArraySlice<UInt8>) {
    let text = String(decoding: line, as: UTF8.self)
    log(text)
    guard !text.allSatisfy(\.isWhitespace) else { return }
    process?.heard.append(String(text.prefix(300)))
    if let count = process?.heard.count, count > 5 { process?.heard.removeFirst() }
  }

  // MARK: - Life

  private func start() throws(Failure) {
    let pipes = try [0, 1, 2].map { _ throws(Failure) in try Self.pipe() }
    let (input, output, errors) = (pipes[0], pipes[1], pipes[2])
    var pid: pid_t = 0
    let code = Self.spawn(&pid, words, [input.read, output.write, errors.write])
    for end in [input.read, output.write, errors.write] { close(end) }
    guard code == 0 else {
      for end in [input.write, output.read, errors.read] { close(end) }
      throw Failure(message: Self.words(code, words[0]), standardError: "")
    }
    for end in [input.write, output.read, errors.read] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    process = Running(pid: pid, input: input.write, output: output.read, errors: errors.read)
  }

  /// Kills it where it still runs, reaps it and closes the pipes; how it ended, in words.
  private func end() -> String {
    guard let running = process else { return "ended" }
    process = nil
    if running.input >= 0 { close(running.input) }
    close(running.output)
    close(running.errors)
    var info = siginfo_t()
    let hasEnded = waitid(P_PID, id_t(running.pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_signo == SIGCHLD
    if !hasEnded { kill(running.pid, SIGKILL) }
    var status: Int32 = 0
    while waitpid(running.pid, &status, 0) < 0, errno == EINTR {}
    if !hasEnded { return "did not end" }
    let signal = status & 0x7F
    if signal != 0 { return "was ended by signal \(signal)" }
    let code = (status >> 8) & 0xFF
    return code == 0 ? "ended" : "ended with status \(code)"
  }

  /// Hears it out for so many seconds at most, until it has ended.
  private func reap(within seconds: Double) {
    guard let pid = process?.pid else { return }
    let deadline = Self.now + seconds
    var info = siginfo_t()
    while Self.now < deadline {
      let hasEnded = waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_signo == SIGCHLD
      _ = receive()
      if hasEnded { break }
      var errors = [pollfd(fd: process?.errors ?? -1, events: Int16(POLLIN), revents: 0)]
      _ = poll(&errors, process?.errorsEnded == true ? 0 : 1, 5)
    }
    if let rest = process?.complaints.rest, !rest.isEmpty { hear(rest) }
  }

  // MARK: - System calls

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() && seconds < 1e9 ? String(Int(seconds)) : String(seconds)
  }

  private static func words(_ code: Int32, _ program: String) -> String {
    switch code {
    case ENOENT: "cannot be started: there is no program '\(program)'"
    case EACCES: "cannot be started: '\(program)' is not executable; name its interpreter first"
    default: "cannot be started: \(String(cString: strerror(code)))"
    }
  }

  private static func pipe() throws(Failure) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard hl_closing_pipe(&ends) == 0 else {
      throw Failure(message: "cannot be started: \(String(cString: strerror(errno)))", standardError: "")
    }
    return (ends[0], ends[1])
  }

  /// Signals as a program expects to find them; the descriptors become 0, 1, 2, by way of numbers that none of them has.
  private static func spawn(_ pid: inout pid_t, _ words: [String], _ descriptors: [Int32]) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let above = max(descriptors.max() ?? 2, 2) + 1
    for (place, descriptor) in descriptors.enumerated() { posix_spawn_file_actions_adddup2(&actions, descriptor, above + Int32(place)) }
    for place in descriptors.indices { posix_spawn_file_actions_adddup2(&actions, above + Int32(place), Int32(place)) }
    for place in descriptors.indices { posix_spawn_file_actions_addclose(&actions, above + Int32(place)) }
    let arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    return hl_spawn(&pid, &actions, arguments)
  }

  /// `write` that gives EPIPE and no signal: SIGPIPE is held back for this thread, and taken away where it came.
  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    var pipe = sigset_t()
    var before = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    let count = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
    let code = errno
    if count < 0, code == EPIPE {
      var now = timespec()
      _ = sigtimedwait(&pipe, nil, &now)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    errno = code
    return count
  }

  /// Reads what is there; false at the end.
  private static func read(_ descriptor: Int32, _ take: (UnsafeRawBufferPointer) -> Void) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { room in
      while true {
        let count = Foundation.read(descriptor, room.baseAddress, room.count)
        if count > 0 { take(UnsafeRawBufferPointer(rebasing: room[..<count])) }
        if count == 0 { return false }
        if count < 0, errno != EINTR { return errno == EAGAIN }
      }
    }
  }
}

/// Bytes as they come, given out as lines.
private struct LineBuffer {
  private var bytes: [UInt8] = []
  private var start = 0
  /// Up to here no line ends.
  private var searched = 0

  mutating func append(_ new: UnsafeRawBufferPointer) {
    bytes.removeFirst(start)
    searched -= start
    start = 0
    bytes.append(contentsOf: new)
  }

  var hasLine: Bool { bytes[searched...].contains(0x0A) }

  /// What stands behind the last line's end.
  var rest: ArraySlice<UInt8> { bytes[start...] }

  mutating func next() -> ArraySlice<UInt8>? {
    guard let end = bytes[searched...].firstIndex(of: 0x0A) else {
      searched = bytes.count
      return nil
    }
    defer { (start, searched) = (end + 1, end + 1) }
    return bytes[start..<end]
  }
}

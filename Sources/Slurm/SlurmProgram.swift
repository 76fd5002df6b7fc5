import Artifacts
import CProcesses
import Execution
import Glibc

/// Runs Slurm's own programs: without a shell, with a bounded time, and with an environment that says nothing of a job this process may
/// itself be in. It does not know what they print.
package struct SlurmProgram: Sendable {
  package struct Answer: Sendable, Equatable {
    package enum End: Sendable, Equatable {
      case exited(Int32)
      /// It was ended: its time was up, or a signal came.
      case ended(String)
      case notStarted(String)
    }

    package var end: End
    package var output: String
    package var errors: String

    package init(_ end: End, output: String = "", errors: String = "") {
      self.end = end
      self.output = output
      self.errors = errors
    }

    package var isGood: Bool { end == .exited(0) }

    /// What went wrong, on one line.
    package var complaint: String {
      let said = errors.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }.joined(separator: "; ")
      switch end {
      case .exited(let status): return said.isEmpty ? "exited with status \(status)" : said
      case .ended(let how), .notStarted(let how): return said.isEmpty ? how : "\(how): \(said)"
      }
    }
  }

  /// What the programs find in their environment; sbatch hands it on to the job.
  package let environment: [String: String]
  private let secondsMost: Double

  /// - Parameter variables: this process's own.
  package init(variables: [String: String], secondsMost: Double = 60) {
    environment = Self.scrubbed(variables)
    self.secondsMost = secondsMost
  }

  /// A closed list: what a login gives everybody, and where Slurm's configuration is. SLURM_*, SBATCH_*, SQUEUE_* and the like would
  /// change what the programs do and say.
  private static func scrubbed(_ variables: [String: String]) -> [String: String] {
    let kept = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "SLURM_CONF"]
    var result = variables.filter { kept.contains($0.key) }
    if result["PATH"] == nil { result["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
    return result
  }

  /// Where a program lies, as this process finds it; nil when it does not.
  package func path(of name: String) -> String? {
    for directory in (environment["PATH"] ?? "").split(separator: ":") {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    return nil
  }

  /// Blocks until the program has ended or its time is up: for a thread of its own.
  ///
  /// - Parameter lock: what the program holds, too, as long as it lives.
  package func run(_ words: [String], holding lock: FileLock? = nil) -> Answer {
    guard let output = Self.pipe(), let errors = Self.pipe() else {
      return Answer(.notStarted("cannot make a pipe: \(String(cString: strerror(errno)))"))
    }
    defer { for descriptor in [output.read, errors.read] { close(descriptor) } }
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    var order = ProcessOrder(
      words: words, directory: "/", environment: environment, descriptors: [(nothing, 0), (output.write, 1), (errors.write, 2)])
    if let lock { order.descriptors.append((lock.descriptor, 3)) }
    let child = ChildProcess()
    let failure: SpawnFailure?
    do throws(SpawnFailure) {
      _ = try child.start(order)
      failure = nil
    } catch { failure = error }
    for descriptor in [nothing, output.write, errors.write] { close(descriptor) }
    if let failure { return Answer(.notStarted(failure.message)) }

    var reading = PipeReading([output.read, errors.read], secondsMost: secondsMost)
    let isWhole = reading.read()
    if !isWhole { child.signal(SIGKILL) }
    let end = Self.end(child.wait(), isWhole, words, secondsMost)
    return Answer(end, output: reading.texts[0], errors: reading.texts[1])
  }

  private static func end(_ end: ProcessEnd, _ isWhole: Bool, _ words: [String], _ seconds: Double) -> Answer.End {
    switch end {
    case .exited(let status) where isWhole: .exited(status)
    case .signalled(let number) where isWhole: .ended("\(words[0]) was ended by signal \(number)")
    default: .ended("\(words[0]) did not answer within \(Int(seconds)) s")
    }
  }

  private static func pipe() -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [-1, -1]
    return hl_closing_pipe(&ends) == 0 ? (ends[0], ends[1]) : nil
  }
}

/// Reads several pipes at once until their ends, or until a time is up. More than it keeps is read and forgotten.
private struct PipeReading {
  private let descriptors: [Int32]
  private let deadline: Double
  private var bytes: [[UInt8]]
  private var isOpen: [Bool]

  private static let most = 64 << 20

  init(_ descriptors: [Int32], secondsMost: Double) {
    self.descriptors = descriptors
    deadline = Self.now + secondsMost
    bytes = Array(repeating: [], count: descriptors.count)
    isOpen = Array(repeating: true, count: descriptors.count)
  }

  var texts: [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// False when the time was up first.
  mutating func read() -> Bool {
    var piece = [UInt8](repeating: 0, count: 65536)
    while isOpen.contains(true) {
      let left = deadline - Self.now
      guard left > 0 else { return false }
      var polled = descriptors.indices.map { pollfd(fd: isOpen[$0] ? descriptors[$0] : -1, events: Int16(POLLIN), revents: 0) }
      guard poll(&polled, nfds_t(polled.count), Int32(min(left * 1000 + 1, 1e6))) > 0 else { continue }
      for index in polled.indices where polled[index].revents != 0 {
        let count = Glibc.read(descriptors[index], &piece, piece.count)
        if count == 0 || (count < 0 && errno != EINTR) { isOpen[index] = false }
        if count > 0, bytes[index].count < Self.most { bytes[index] += piece[..<count] }
      }
    }
    return true
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

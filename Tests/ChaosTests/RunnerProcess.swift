import CProcesses
import Execution
import Foundation
import Glibc
import JSONValues
import Testing

/// `heirloom run` as a process of its own, with the events it reports.
final class RunnerProcess {
  let child = ChildProcess()
  let identifier: pid_t
  private let events: Int32
  private var unread: [UInt8] = []
  private(set) var lines: [String] = []
  private var hasEnded = false

  /// The built program, beside the test bundle or named by HEIRLOOM_PROGRAM.
  static let program: String? = {
    let directory = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let places = [ProcessInfo.processInfo.environment["HEIRLOOM_PROGRAM"], directory + "/heirloom"]
    return places.compactMap { $0 }.first { access($0, X_OK) == 0 }
  }()

  init(in root: String, _ words: [String] = ["run", "recipe.yaml"]) throws {
    let program = try #require(Self.program, "the program has to be built: swift build")
    var ends: [Int32] = [-1, -1]
    try #require(hl_closing_pipe(&ends) == 0)
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(nothing) }
    events = ends[0]
    let order = ProcessOrder(
      words: [program] + words + ["--progress", "json"], directory: root,
      environment: ["PATH": "/usr/bin:/bin", "HOME": root, "HEIRLOOM_CHAOS": root],
      descriptors: [(nothing, 0), (nothing, 1), (ends[1], 2)])
    do { identifier = try child.start(order) } catch {
      close(ends[1])
      throw error
    }
    close(ends[1])
  }

  deinit {
    child.signal(SIGKILL)
    _ = child.wait()
    close(events)
  }

  /// Takes in events for so long, or until there are as many as that; false once the runner has ended.
  @discardableResult
  func listen(seconds: Double, events wanted: Int = .max) -> Bool {
    let deadline = monotonicSeconds() + seconds
    while !hasEnded, lines.count < wanted {
      let left = deadline - monotonicSeconds()
      if left <= 0 { return true }
      var descriptor = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
      if poll(&descriptor, 1, Int32((left * 1000).rounded(.up))) > 0 { take() }
    }
    return !hasEnded
  }

  /// Its end, with all that it said.
  func finish() -> ProcessEnd {
    while !hasEnded { take() }
    return child.wait()
  }

  private func take() {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = read(events, &buffer, buffer.count)
    if count < 0 && errno == EINTR { return }
    guard count > 0 else {
      hasEnded = true
      return
    }
    unread += buffer[..<count]
    while let end = unread.firstIndex(of: 0x0A) {
      lines.append(String(decoding: unread[..<end], as: UTF8.self))
      unread.removeSubrange(...end)
    }
  }

  /// The last lines, to say what went wrong.
  var tail: String { lines.suffix(6).joined(separator: "\n") }
}

import Artifacts
import Execution
import Foundation
import Testing

/// The warden by itself, in the ways that a run takes only where the first does not work.
@Suite("The warden", .enabled(if: TestProject.unconfined == nil, "namespaces are not to be had here"))
struct WardenTests {
  private static let view =
    "--ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --dev-bind /dev /dev"
    .split(separator: " ").map(String.init)
  private static let bwrap = "/usr/bin/bwrap"
  private static let hasBwrap = access("/usr/bin/bwrap", X_OK) == 0

  /// Runs a script under it; its end and what it said.
  private func run(_ words: [String], before: [String] = [], _ script: String, signal: Int32? = nil) throws -> (ProcessEnd, String) {
    let warden = (TestProject.program as NSString).deletingLastPathComponent + "/heirloom-warden"
    let path = FileManager.default.temporaryDirectory.path + "/warden-test-" + UUID().uuidString
    let output = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    defer {
      close(output)
      unlink(path)
    }
    let child = ChildProcess()
    _ = try child.start(
      ProcessOrder(
        words: before + [warden] + words + ["--program", "/bin/sh", "--", "sh", "-c", script], directory: "/",
        environment: ["PATH": "/usr/bin:/bin"], descriptors: [(output, 1), (output, 2)]))
    if let signal {
      while !Self.text(path).contains("ready") { sched_yield() }
      child.signal(signal)
    }
    let end = child.wait()
    return (end, Self.text(path))
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  private static let stoppable = "trap 'echo stopped; exit 75' TERM; ls -d /usr /var /home 2>/dev/null; echo ready; while :; do :; done"

  @Test("a request to stop reaches the command, in namespaces of its own and with the caller's processes")
  func stops() throws {
    for words in [["--confine", "--proc", "/proc"], ["--confine", "--share-pid", "--dev-bind", "/proc", "/proc"], []] {
      let isConfined = !words.isEmpty
      let (end, text) = try run(words + (isConfined ? Self.view : []), Self.stoppable, signal: SIGTERM)
      #expect(end == .exited(75))
      if isConfined { #expect(text == "/usr\nready\nstopped\n") }
    }
  }

  /// As long as a descriptor to write it through is open, also in a process that is about to become another program.
  @Test("a program that has just been written is waited for, alone and under the warden; one that stays busy is named")
  func busy() throws {
    let project = try TestProject()
    let path = project.root + "/program"
    try Data("#!/bin/sh\nexit 3\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let warden = (TestProject.program as NSString).deletingLastPathComponent + "/heirloom-warden"
    let direct = ProcessOrder(words: [path], directory: "/", environment: [:], descriptors: [])
    let kept = ProcessOrder(words: [warden, "--program", path, "--", path], directory: "/", environment: [:], descriptors: [])
    for order in [direct, kept] {
      let writer = open(path, O_WRONLY | O_CLOEXEC)
      let child = ChildProcess()
      Thread.detachNewThread {
        usleep(150_000)
        close(writer)
      }
      _ = try child.start(order)
      #expect(child.wait() == .exited(3))
    }
    let writer = open(path, O_WRONLY | O_CLOEXEC)
    defer { close(writer) }
    let failure = #expect(throws: SpawnFailure.self) { try ChildProcess().start(direct) }
    #expect(failure?.message == "cannot start \(path): Text file busy")
  }

  @Test("bubblewrap gives the same view, and lets a request to stop through", .enabled(if: hasBwrap, "there is no bwrap"))
  func fallback() throws {
    let words: [String] = ["--confine", "--bwrap", Self.bwrap, "--proc", "/proc"] + Self.view
    let (end, text) = try run(words, Self.stoppable, signal: SIGTERM)
    #expect(end == .exited(75) && text == "/usr\nready\nstopped\n")
    #expect(try run(words, "exit 3").0 == .exited(3))
  }

  @Test("root cannot undo its confinement", .enabled(if: getuid() == 0, "not root"))
  func root() throws {
    let script = "umount /etc 2>/dev/null && echo undone; mount -t tmpfs none /usr 2>/dev/null && echo undone; echo done"
    #expect(try run(["--confine", "--proc", "/proc"] + Self.view, script).1 == "done\n")
  }

  @Test("what cannot be shown is said, with status 125")
  func refusal() throws {
    let (end, text) = try run(["--confine", "--ro-bind", "/no/such", "/x"], "echo started")
    #expect(end == .exited(125) && text == "heirloom-warden: cannot look at /no/such: No such file or directory\n")
  }
}

import Artifacts
import Execution
import Foundation
import Testing

@Suite("Interruption and resumption")
struct InterruptionTests {
  @Test("a stage that stops with a checkpoint goes on from there in the next run; --rerun forgets it")
  func resume() throws {
    let project = try TestProject()
    let script = """
      echo x >> "$HEIRLOOM_CHECKPOINT/n"
      [ "$(wc -l < "$HEIRLOOM_CHECKPOINT/n")" -ge 2 ] || exit 75
      cp "$HEIRLOOM_CHECKPOINT/n" "$out"
      """
    try project.write("recipe.yaml", scriptManifest(script, "  data: {uses: say, with: {text: a}}"))
    let first = try project.run { $0.keepGoing = true }
    #expect(first.problems["s"]?.message == "stopped before it was done; its checkpoint is kept")
    #expect(first.ran == ["data"])
    #expect(try project.plan() == ["resume  s     never run", "cached  data"])
    #expect(try project.run { $0.reruns = ["s"] }.resumed == [])
    let second = try project.run()
    #expect(second.resumed == ["s"])
    #expect(second.ran == ["s"])
    #expect(second.cached == ["data"])
    #expect(project.output("s", "out") == "x\nx\n")
  }
}

@Suite("A runner that is killed", .serialized)
struct KillTests {
  /// The built program, beside the test bundle.
  static var program: String? {
    let directory = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    return [directory + "/heirloom", ProcessInfo.processInfo.environment["HEIRLOOM_PROGRAM"] ?? ""].first { access($0, X_OK) == 0 }
  }

  /// Starts `heirloom run` and returns once the stage has said so by creating `half` in its checkpoint directory.
  private func startRunner(_ project: TestProject) throws -> ChildProcess {
    let program = try #require(Self.program, "the program has to be built: swift build")
    let child = ChildProcess()
    _ = try child.start(
      ProcessOrder(
        words: [program, "run", project.manifest, "--store", project.store, "--progress", "none"], directory: project.root,
        environment: ["PATH": "/usr/bin:/bin"], descriptors: []))
    try until("the stage is half done") { project.read("half")?.hasSuffix("\n") == true }
    return child
  }

  private func manifest(_ project: TestProject, ignoring signal: String) -> String {
    scriptManifest(
      """
      \(signal)
      while [ "$(cat "$HEIRLOOM_CHECKPOINT/n" 2>/dev/null | wc -l)" -lt 4 ]; do
        echo x >> "$HEIRLOOM_CHECKPOINT/n"
        if [ "$(wc -l < "$HEIRLOOM_CHECKPOINT/n")" -eq 2 ]; then echo $$ > \(project.root)/half; while :; do :; done; fi
      done
      cp "$HEIRLOOM_CHECKPOINT/n" "$out"
      """, "    hermetic: off\n  data: {uses: say, with: {text: a}}")
  }

  private func waitUntilGone(_ project: TestProject) throws {
    let pid = try #require(Int32(project.read("half")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""))
    try until("the stage is gone") { ProcessIdentity(pid: pid) == nil }
  }

  /// Looks again and again, for half a minute at most.
  private func until(_ what: Comment, _ isSo: () -> Bool) throws {
    let deadline = monotonicSeconds() + 30
    while !isSo() {
      try #require(monotonicSeconds() < deadline, what)
      sched_yield()
    }
  }

  @Test("kill -9 of the runner ends the command; the next run goes on and redoes nothing")
  func killed() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", manifest(project, ignoring: "trap 'exit 75' TERM"))
    let runner = try startRunner(project)
    // To the runner alone: `ChildProcess.signal` would end the stage first, which the runner may live to report.
    kill(try #require(runner.identifier), SIGKILL)
    #expect(runner.wait() == .signalled(SIGKILL))
    try waitUntilGone(project)
    #expect(try StoreQueries(project.store).run(.latest).standing == .broken)
    let next = try project.run()
    #expect(next.resumed == ["s"])
    #expect(project.output("s", "out") == "x\nx\nx\nx\n")
  }

  @Test("Ctrl-C: checkpoints are kept and the status is 130")
  func interrupted() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", manifest(project, ignoring: "trap 'exit 75' TERM"))
    let runner = try startRunner(project)
    runner.signal(SIGINT)
    #expect(runner.wait() == .exited(130))
    let next = try project.run()
    #expect(next.resumed == ["s"])
    #expect(next.ran.contains("s"))
    #expect(project.output("s", "out") == "x\nx\nx\nx\n")
  }

  @Test("an orphan whose watcher died too is ended by the next run")
  func orphan() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", manifest(project, ignoring: "trap 'exit 75' TERM"))
    let runner = try startRunner(project)
    for child in Self.children(of: try #require(runner.identifier)) where Self.commandLine(child).contains("groups=") {
      kill(child, SIGKILL)
    }
    runner.signal(SIGKILL)
    _ = runner.wait()
    let next = try project.run()
    #expect(next.resumed == ["s"])
    #expect(project.output("s", "out") == "x\nx\nx\nx\n")
    try waitUntilGone(project)
  }

  private static func children(of pid: Int32) -> [Int32] {
    ((try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? "").split(separator: " ").compactMap {
      Int32($0)
    }
      + threads(of: pid).flatMap { thread in
        ((try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/children", encoding: .utf8)) ?? "").split(separator: " ").compactMap {
          Int32($0)
        }
      }
  }

  private static func threads(of pid: Int32) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []).filter { $0 != String(pid) }
  }

  private static func commandLine(_ pid: Int32) -> String {
    String(decoding: (FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()).map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
  }
}

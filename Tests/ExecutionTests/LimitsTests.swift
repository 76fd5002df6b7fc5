import Artifacts
import Execution
import Foundation
import Testing

@Suite("Limits are held", .serialized)
struct LimitsTests {
  /// Both with a process namespace (where there is one) and without.
  private static let ways = ["on", "off"]

  @Test("more memory than promised ends the stage, whoever of its processes holds it; error and log say so", arguments: ways)
  func memory(hermetic: String) throws {
    let project = try TestProject()
    try project.write(
      "recipe.yaml",
      scriptManifest(
        // `tail` keeps the last line, and there is but one.
        "setsid sh -c 'head -c 1000m /dev/zero | tail -n 1 > /dev/null; echo survived' > \"$out\" 2>&1 &\nwait; echo done >> \"$out\"",
        "    resources: {memory: 64MiB}\n    hermetic: \(hermetic)"))
    let problem = try #require(try project.run().problems["s"])
    #expect(
      problem.message.hasPrefix("used ") && problem.message.hasSuffix("MiB of memory, more than its limit of 64MiB (resources.memory)"))
    let log = try #require(problem.logPath.flatMap { project.read($0) })
    #expect(log.contains("heirloom: ended: \(problem.message)\n"))
    #expect(problem.logTail.last == "heirloom: ended: \(problem.message)")
  }

  @Test("a stage within its memory is left alone")
  func within() throws {
    let project = try TestProject()
    try project.write(
      "recipe.yaml", scriptManifest("head -c 20m /dev/zero | tail -n 1 | wc -c > \"$out\"", "    resources: {memory: 200MiB}"))
    #expect(try project.run().ran == ["s"])
  }

  @Test("a timeout ends what has left the process group as well, and is in the log", arguments: ways)
  func timeout(hermetic: String) throws {
    let project = try TestProject()
    let mark = String(Int.random(in: 1_000_000...9_999_999))
    try project.write(
      "recipe.yaml",
      scriptManifest(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep \(mark)' &\nwhile :; do wait; done",
        "    timeout: 0.3s\n    hermetic: \(hermetic)"))
    let problem = try #require(try project.run { $0.graceSeconds = 0.1 }.problems["s"])
    #expect(problem.message == "ran longer than its timeout of 0.3 s")
    #expect(problem.logTail.contains("heirloom: ended: ran longer than its timeout of 0.3 s"))
    #expect(Self.processes(with: mark) == [])
  }

  @Test("what a command leaves running ends with it, in another session too", arguments: ways)
  func leftovers(hermetic: String) throws {
    let project = try TestProject()
    let mark = String(Int.random(in: 1_000_000...9_999_999))
    try project.write(
      "recipe.yaml",
      scriptManifest("setsid sleep \(mark) &\n(sleep \(mark) &)\necho x > \"$out\"", "    hermetic: \(hermetic)"))
    #expect(try project.run().ran == ["s"])
    #expect(Self.processes(with: mark) == [])
  }

  @Test("a command ended by a signal says by which; its status is its own", arguments: ways)
  func status(hermetic: String) throws {
    let project = try TestProject()
    try project.write("recipe.yaml", scriptManifest("kill -SEGV $$", "    hermetic: \(hermetic)"))
    #expect(try project.run().problems["s"]?.message == "was ended by signal 11 (Segmentation fault)")
    try project.write("recipe.yaml", scriptManifest("exit 137", "    hermetic: \(hermetic)"))
    #expect(try project.run().problems["s"]?.message == "exited with status 137")
  }

  /// Processes that have a word among theirs.
  static func processes(with mark: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.filter { Int($0) != nil }.filter { pid in
      String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data(), as: UTF8.self).split(separator: "\0")
        .contains { $0.contains(mark) }
    }
  }
}

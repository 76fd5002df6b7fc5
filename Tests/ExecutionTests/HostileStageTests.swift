import Artifacts
import Execution
import Foundation
import Testing

/// A command is somebody's program: what it leaves in its work directory may be anything.
@Suite("Stages that leave something odd") struct HostileStageTests {
  private func run(_ project: TestProject, _ script: String, _ rest: String = "") throws -> Happening {
    try project.write("recipe.yaml", scriptManifest(script, rest))
    return try project.run()
  }

  @Test("a link in the place of the output directory: nothing elsewhere is taken for an output")
  func outputDirectory() throws {
    let project = try TestProject()
    try project.write("precious/out", "mine")
    let happening = try run(project, "rm -r out; ln -s '\(project.root)/precious' out", "    hermetic: off")
    #expect(
      happening.problems["s"]?.message == "the stage put something else in the place of its work directory or of its directory 'out'")
    #expect(project.read("precious/out") == "mine")
    #expect(project.files(in: "artifacts/objects").isEmpty)
  }

  @Test("a link in the place of the work directory") func workDirectory() throws {
    let project = try TestProject()
    try project.write("precious/out/out", "mine")
    let happening = try run(project, "mv \"$PWD\" \"$PWD.gone\"; ln -s '\(project.root)/precious' \"$PWD\"", "    hermetic: off")
    #expect(
      happening.problems["s"]?.message == "the stage put something else in the place of its work directory or of its directory 'out'")
    #expect(project.read("precious/out/out") == "mine")
  }

  @Test("a link in the place of the log: the next attempt does not write through it")
  func log() throws {
    let project = try TestProject()
    try project.write("victim", "mine")
    let script = "echo one; [ -e log.txt ] && rm log.txt && ln -s '\(project.root)/victim' log.txt; exit 1"
    let happening = try run(project, script, "    retries: 2")
    #expect(happening.retries == ["s", "s"])
    #expect(project.read("victim") == "mine")
  }

  @Test("pipes in the place of log, events and checkpoint keep nobody waiting") func pipes() throws {
    let project = try TestProject()
    let script = "rm -f log.txt; mkfifo log.txt events.jsonl; rmdir checkpoint; mkfifo checkpoint; echo x > \"$out\""
    #expect(try run(project, script).ran == ["s"])
    #expect(project.output("s", "out") == "x\n")
    let again = try run(project, script + "; exit 1", "    retries: 1")
    #expect(again.problems["s"]?.message == "exited with status 1")
  }

  @Test("events of any numbers and texts are shown, or passed over") func events() throws {
    let project = try TestProject()
    let lines = [
      #"{"t":1,"kind":"progress","done":-9223372036854775808,"of":1}"#,
      #"{"t":1e300,"kind":"progress","done":9223372036854775807,"of":9223372036854775807}"#,
      #"{"t":2,"kind":"metric","name":"a\u001b[2J","value":1e308}"#, #"{"kind":"warning","text":"\u001b]0;x\u0007half"}"#, "{",
    ]
    let echoes = lines.map { "echo '\($0)' >> events.jsonl" }.joined(separator: "\n")
    let happening = try run(project, echoes + "\nprintf '\\000\\n' >> events.jsonl\necho x > \"$out\"")
    #expect(happening.warnings == ["s: ]0;xhalf"])
    let found = try StoreQueries(project.store).find("s", in: .latest)
    #expect(found.result?.answer.metrics.keys == ["a[2J"])
  }

  @Test("an output whose files have names with line breaks is refused") func names() throws {
    let project = try TestProject()
    let script = #"echo x > "$out/$(printf "a\nb")""#
    try project.write("recipe.yaml", "heirloom: 1\nname: test\nstages:\n  t: {uses: tree, with: {script: '\(script)'}}")
    #expect(try project.run().problems["t"]?.message == "output out holds a name with a control character: a%0Ab")
    #expect(project.files(in: "artifacts/objects").isEmpty)
  }

  @Test("a log longer than anybody reads is kept whole") func longLog() throws {
    let project = try TestProject()
    #expect(try run(project, "head -c 30000000 /dev/zero | tr '\\0' a\necho x > \"$out\"").ran == ["s"])
    let log = try #require(try StoreQueries(project.store).find("s", in: .latest).result?.answer.log)
    let path = "\(project.store)/objects/\(log.hex.prefix(2))/\(log.hex.dropFirst(2))"
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == 30_000_000)
  }
}

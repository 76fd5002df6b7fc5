import Foundation
import Hashing
import JSONValues
import Testing

/// A project of command stages alone: `source` writes, `middle` takes it and is not kept where told so, `last` takes that.
final class CareProject: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-care-" + UUID().uuidString

  static let recipe = """
    heirloom: 1
    name: care
    params: {text: hello, mark: "!"}
    stages:
      source: {uses: write, with: {text: "${text}"}}
      middle: {uses: upper, inputs: {text: source.text}}
      last: {uses: mark, inputs: {text: middle.text}, with: {mark: "${mark}"}}

    """

  init(keepsMiddle: Bool = true) throws {
    try write("recipe.yaml", Self.recipe)
    try write(
      "stages/write.yaml",
      """
      stage: write
      version: 1
      summary: Writes a text.
      outputs: {text: {type: file}}
      params: {text: {type: string}}
      run: {command: [sh, -c, 'printf %s "$1" > "$0"; echo "wrote $1"', "${outputs.text}", "${params.text}"]}
      """)
    try write(
      "stages/upper.yaml",
      """
      stage: upper
      version: 1
      summary: Writes capitals.
      inputs: {text: {type: file}}
      outputs: {text: {type: file\(keepsMiddle ? "" : ", keep: false")}}
      run: {command: [sh, -c, 'tr a-z A-Z < "$0" > "$1"', "${inputs.text}", "${outputs.text}"]}
      """)
    try write(
      "stages/mark.yaml",
      """
      stage: mark
      version: 1
      summary: Puts a mark behind a text.
      inputs: {text: {type: file}}
      outputs: {text: {type: file}}
      params: {mark: {type: string}}
      run: {command: [sh, -c, 'cat "$0" > "$1"; printf %s "$2" >> "$1"', "${inputs.text}", "${outputs.text}", "${params.mark}"]}
      """)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func write(_ path: String, _ text: String) throws {
    let full = "\(root)/\(path)"
    try FileManager.default.createDirectory(atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
  }

  func heirloom(_ words: String...) throws -> Program.Finished { try Program.run(words, in: root) }

  func run(_ words: String...) throws -> Events {
    try Events(Program.run(["run", "recipe.yaml", "--progress", "json"] + words, in: root))
  }

  func json(_ words: String...) throws -> JSONValue { try JSONValue.parse(Program.run(words + ["--json"], in: root).output) }

  func object(_ text: String) -> String {
    let hex = Digest(hashing: text).hex
    return "\(root)/artifacts/objects/\(hex.prefix(2))/\(hex.dropFirst(2))"
  }

  func holds(_ text: String) -> Bool { FileManager.default.fileExists(atPath: object(text)) }

  func view(_ instance: String) -> String? {
    try? String(contentsOfFile: "\(root)/artifacts/views/care/\(instance)/text", encoding: .utf8)
  }
}

@Suite("Looking after a store") struct CareTests {
  @Test("fsck finds a flipped bit, names what hangs on it, sets it aside; the next run computes that again and nothing else")
  func fsck() throws {
    let project = try CareProject()
    _ = try project.run()
    let clean = try project.heirloom("fsck")
    #expect(clean.status == 0 && clean.errors == "" && clean.outputLines.last == "no damage")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: project.object("HELLO"))
    try project.write("artifacts/" + project.object("HELLO").components(separatedBy: "/artifacts/")[1], "HELLp")
    let found = try project.heirloom("fsck")
    #expect(found.status == 3)
    #expect(found.output.contains("is in middle.text of care") && found.output.contains("was an input of last of care"))
    let damage = try #require(try project.json("fsck")["damage"]?[0])
    #expect(damage["digest"] == .string(Digest(hashing: "HELLO").text) && damage["mended"] == false)
    #expect(try project.heirloom("fsck", "--repair").status == 0)
    #expect(try project.heirloom("fsck").status == 0)
    let again = try project.run()
    #expect(again.ran == ["middle"] && again.cached == ["source", "last"] && project.view("middle") == "HELLO")
    #expect(try project.run().ran == [])

    // What nothing is made of is asked for by people, and made again when it is gone.
    try FileManager.default.removeItem(atPath: project.object("HELLO!"))
    #expect(try project.heirloom("fsck").status == 0)
    #expect(try project.run().ran == ["last"] && project.holds("HELLO!"))
  }

  @Test("gc removes what runs beyond the last have left; --dry-run says how much; going back computes it again")
  func gc() throws {
    let project = try CareProject()
    _ = try project.run()
    _ = try project.run("--set", "text=other")
    let dry = try project.json("gc", "--older-than", "0s", "--dry-run")
    #expect(dry["dry_run"] == true && dry["objects"] == 4 && project.holds("HELLO!"))
    #expect(try project.json("gc")["objects"] == 0)
    let done = try project.heirloom("gc", "--older-than", "0s")
    #expect(done.status == 0 && done.outputLines[0].hasPrefix("freed ") && done.errors == "")
    #expect(!project.holds("hello") && !project.holds("HELLO!") && project.holds("OTHER!"))
    #expect(try project.json("runs").arrayValue?.count == 1)
    #expect(try project.heirloom("fsck").status == 0)
    #expect(try project.run("--set", "text=other").ran == [])
    #expect(try project.run().ran.contains("last") && project.view("last") == "HELLO!")
    #expect(try project.heirloom("gc", "--older-than", "soon").status == 2)
  }

  @Test("keep: false: the bytes go when those who take them are done, and come back when somebody else needs them")
  func notKept() throws {
    let project = try CareProject(keepsMiddle: false)
    #expect(try project.run().ran == ["source", "middle", "last"])
    #expect(!project.holds("HELLO") && project.holds("HELLO!") && project.view("middle") == nil)
    #expect(try project.run().ran == [])
    #expect(try project.run("--set", "mark=x").ran == ["middle", "last"])
    #expect(!project.holds("HELLO") && project.view("last") == "HELLOx")
    #expect(try project.run("middle").ran == [], "its digest is known, and nobody asked for the bytes")
    #expect(try project.heirloom("fsck").status == 0)
  }

  @Test("pins and named runs stay whatever gc is asked, until they are unpinned")
  func pins() throws {
    let project = try CareProject()
    _ = try project.run()
    let first = try #require(try project.json("runs")[0]?["run"]?.stringValue)
    #expect(try project.heirloom("pin", "--run", first, "--name", "best").output == "best  run \(first)\n")
    _ = try project.run("--set", "text=other")
    #expect(try project.heirloom("pin", "middle.text").output.hasPrefix("middle.text  middle.text of care"))
    _ = try project.run("--set", "text=third")
    let taken = try project.heirloom("pin", "last.text", "--name", "best")
    #expect(taken.status == 2 && taken.errors.contains("'best' is a pin already"))
    #expect(try project.heirloom("pin", "middle.txt").status == 2)
    #expect(try project.heirloom("gc", "--older-than", "0s", "--keep-runs", "0").status == 0)
    #expect(project.holds("HELLO!") && project.holds("OTHER") && !project.holds("OTHER!") && project.holds("THIRD!"))
    #expect(try project.json("show", "last.text", "--run", "best")["size"] == 6)
    #expect(try project.heirloom("runs").output.contains("  [best]"))
    #expect(try project.heirloom("pin", "--list").outputLines.count == 2)
    #expect(try project.heirloom("unpin", "best").status == 0 && project.heirloom("unpin", "best").status == 2)
    _ = try project.heirloom("gc", "--older-than", "0s", "--keep-runs", "0")
    #expect(!project.holds("HELLO!") && project.holds("OTHER"))
  }

  @Test("diff tells what two runs were made from and what came out; runs tells outcome, duration and cache hits")
  func diff() throws {
    let project = try CareProject()
    _ = try project.run()
    _ = try project.run("--set", "mark=x")
    let compared = try project.heirloom("diff", "latest~1", "latest")
    #expect(compared.status == 0)
    let (old, new) = (Digest(hashing: "HELLO!").hex.prefix(12), Digest(hashing: "HELLOx").hex.prefix(12))
    #expect(
      Array(compared.outputLines.dropFirst(2)) == [
        "param mark ! -> x", "last", "  mark ! -> x", "  output text \(old) -> \(new)", "2 instances the same",
      ])
    try project.write("recipe.yaml", CareProject.recipe.replacingOccurrences(of: "last:", with: "final:"))
    _ = try project.run("--set", "text=other")
    let json = try project.json("diff")
    #expect(json["added"] == ["final"] && json["removed"] == ["last"])
    #expect(json["changed"]?[1]?["reasons"] == ["input text changed"])
    #expect(try project.heirloom("diff", "latest", "latest").outputLines.last == "no difference")
    #expect(try project.heirloom("diff", "latest~9", "latest").status == 2)
    let runs = try project.json("runs")
    #expect(runs[1]?["cache_hits"] == .number(2.0 / 3) && runs[1]?["state"] == "done" && runs[1]?["seconds"] != nil)
    #expect(try project.heirloom("runs").outputLines[1].hasSuffix("1 ran, 2 cached (67 % hits)"))
  }

  @Test("verify computes again in scratch: same, different with the reason, failed, changed since")
  func verify() throws {
    let project = try CareProject()
    try project.write(
      "stages/odd.yaml",
      """
      stage: odd
      version: 1
      summary: Writes something else every time.
      outputs: {text: {type: file}}
      run: {command: [sh, -c, 'cat /proc/sys/kernel/random/uuid > "$0"', "${outputs.text}"]}
      """)
    try project.write("recipe.yaml", CareProject.recipe + "  odd: {uses: odd}\n")
    _ = try project.run("--set", "text=other")
    let same = try project.json("verify", "source", "middle", "last")
    #expect(same.arrayValue?.map { $0["verdict"] } == ["same", "same", "same"])
    let all = try project.heirloom("verify", "--all")
    #expect(all.status == 1 && all.outputLines.count == 4 && all.errors == "")
    #expect(all.outputLines[3].hasPrefix("different  odd  text: the same machine, threads and libraries"))
    #expect(try project.heirloom("verify", "--sample", "2").outputLines.count == 2)
    #expect(try project.heirloom("verify", "nothing").status == 2 && project.heirloom("verify").status == 2)
    // Nothing is left, and nothing was stored.
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.root + "/artifacts/runs").count == 1)
    #expect(try project.json("fsck")["orphans"] == 0)

    try project.write("recipe.yaml", CareProject.recipe.replacingOccurrences(of: "with: {mark: \"${mark}\"}", with: "with: {mark: x}"))
    let changed = try project.heirloom("verify", "last")
    #expect(changed.status == 1 && changed.output == "not done   last  it has changed since: mark ! -> x\n")
  }

  @Test("gc again and again beside a run takes nothing from it")
  func gcBesideRun() throws {
    let project = try CareProject(keepsMiddle: false)
    try project.write(
      "recipe.yaml",
      """
      heirloom: 1
      name: care
      stages:
        source: {uses: write, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}, with: {text: "t${n}"}}
        middle: {uses: upper, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}, inputs: {text: "source[${n}].text"}}
        last: {uses: mark, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}, inputs: {text: "middle[${n}].text"}, with: {mark: "!"}}

      """)
    for round in 0..<3 {
      let running = try Program.start(["run", "recipe.yaml", "--progress", "json"], in: project.root)
      try until { FileManager.default.fileExists(atPath: project.root + "/artifacts/format") }
      while running.isRunning {
        #expect(try project.heirloom("gc", "--older-than", "0s", "--keep-runs", "0").status == 0)
        #expect(try project.heirloom("fsck").status == 0)
      }
      let events = try Events(running.finish())
      #expect(events.finished.status == 0 && events.summary?[round == 0 ? "ran" : "cached"] == 24)
      for n in 1...8 { #expect(project.view("last[\(n)]") == "T\(n)!") }
    }
  }

  /// Looks again and again, for half a minute at most.
  private func until(_ isSo: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !isSo() {
      try #require(ContinuousClock.now < deadline)
      sched_yield()
    }
  }
}

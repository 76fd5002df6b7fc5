import Foundation
import Hashing
import JSONValues
import Testing

/// From `init` to `export`, as a newcomer goes, with the program installed as `scripts/install` does it.
@Suite("Commands") struct QueryTests {
  @Test("init, check, plan, run, and the questions one asks afterwards")
  func journey() throws {
    let place = try Installed()
    let written = try place.run("init", "project")
    #expect(written.status == 0 && written.errors == "")
    #expect(
      written.outputLines == [
        "project/recipe.yaml", "project/stages/lines/count.yaml", "project/stages/lines/count.sh",
        "Try it:  heirloom run project/recipe.yaml",
      ])
    let again = try place.run("init", "project")
    #expect(again.status == 2 && again.output == "")
    #expect(again.errors == "error: project/recipe.yaml is there already; nothing was written\n")

    let checked = try place.run("check", "project/recipe.yaml")
    #expect(checked.status == 0 && checked.output == "first: 2 stages, 4 instances\n" && checked.errors == "")
    #expect(
      try place.run("plan", "project/recipe.yaml").outputLines == [
        "run     data[addition]     never run",
        "run     data[reverse]      never run",
        "waits   counted[addition]  input records waits for data[addition].train",
        "waits   counted[reverse]   input records waits for data[reverse].train",
        "4 instances: 2 run, 2 waits",
      ])
    let ran = try place.run("run", "project/recipe.yaml")
    #expect(ran.status == 0)
    #expect(ran.output == "\naddition: 64\n\nreverse: 64\n\nresults: project/artifacts/views/first\n")
    #expect(ran.errors.contains("4 ran in "))
    let second = try place.run("run", "project/recipe.yaml", "--progress", "json")
    #expect(try Events(second).summary?["ran"] == 0 && second.output == "")

    let inside = "project"
    let shown = try place.run("show", "counted[reverse].count", "--json", in: inside)
    let output = try JSONValue.parse(shown.output)
    #expect(output["type"] == "report" && output["size"] == 12 && shown.errors == "")
    #expect(output["digest"] == .string(Digest(hashing: "reverse: 64\n").text))
    let path = try #require(output["path"]?.stringValue)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "reverse: 64\n")
    let instance = try JSONValue.parse(try place.run("show", "counted[reverse]", "--json", in: inside).output)
    #expect(instance["outputs"]?.arrayValue?.count == 1)

    let status = try place.run("status", in: inside).outputLines
    #expect(status.count == 5 && status[0].hasSuffix("  first  done  4 cached"))
    let runs = try JSONValue.parse(try place.run("runs", "--json", in: inside).output)
    #expect(runs.arrayValue?.count == 2)
    #expect(try place.run("runs", in: inside).outputLines.count == 2)
    #expect(try place.run("log", "data[addition]", in: inside).status == 0)

    #expect(try place.run("export", "data[reverse].heldout", "out", in: inside).status == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: place.root + "/project/out").sorted()
    #expect(files == ["records.jsonl", "suite.json"])
    for name in files {
      let attributes = try FileManager.default.attributesOfItem(atPath: place.root + "/project/out/" + name)
      #expect(attributes[.type] as? FileAttributeType == .typeRegular)
    }
    let full = try place.run("export", "data[reverse].heldout", "out", in: inside)
    #expect(full.status == 2 && full.output == "")
  }

  @Test("stages and schema speak of every stage in reach")
  func stages() throws {
    let place = try Installed()
    let list = try place.run("stages")
    #expect(list.status == 0 && list.errors == "")
    for name in [
      "average/wise-ft", "data/import", "data/tasks", "evaluate", "model/import", "model/init", "report/scores", "tokenize", "train/sft",
    ] {
      #expect(list.outputLines.contains { $0.hasPrefix(name + " ") }, "\(name)")
    }
    #expect(try place.run("stages", "train/sft").output.contains("learning_rate"))
    let unknown = try place.run("stages", "train/sfft")
    #expect(
      unknown.status == 2 && unknown.output == "" && unknown.errors == "error: there is no stage 'train/sfft'; did you mean 'train/sft'?\n")
    for words in [["schema"], ["schema", "--contract"]] {
      let schema = try Program.run(words, in: Program.repository)
      #expect(try JSONValue.parse(schema.output)["$schema"] != nil && schema.status == 0)
    }
  }

  @Test("plan --json is a list for scripts")
  func json() throws {
    let project = try Project()
    let plan = try JSONValue.parse(try project.heirloom("plan", "recipe.yaml", "--json").output)
    let entries = try #require(plan.arrayValue)
    #expect(entries.map { $0["action"]?.stringValue } == ["run", "run"] + Array(repeating: "waits", count: 8))
    #expect(entries[0]["instance"] == "records" && entries[0]["stage"] == "data/import" && entries[0]["reasons"] == ["never run"])
    #expect(entries[0]["key"]?.stringValue?.hasPrefix("sha256:") == true && entries[2]["key"] == .null)
  }

  @Test("generate lets a model of the store continue a prompt, the same way each time")
  func generate() throws {
    let project = try Project()
    _ = try project.run()
    let words = ["generate", "artifacts/views/tiny/tuned/model", "reverse a b", "--plain", "--max-new-tokens", "8"]
    let first = try Program.run(words, in: project.root)
    #expect(first.status == 0 && first.errors == "" && first.output.hasSuffix("\n"))
    #expect(try Program.run(words + ["--threads", "1"], in: project.root).output == first.output)
    let missing = try project.heirloom("generate", "nothing", "hello")
    #expect(missing.status == 2 && missing.output == "")
  }
}

/// The program as `scripts/install` lays it out, and a directory to work in.
final class Installed {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-installed-" + UUID().uuidString
  private let program: String

  init() throws {
    program = root + "/prefix/bin/heirloom"
    for directory in ["prefix/bin", "prefix/share/heirloom"] {
      try FileManager.default.createDirectory(atPath: root + "/" + directory, withIntermediateDirectories: true)
    }
    // By another process: what this one writes, a child of another test can hold open for a moment, and then it cannot be executed.
    let built = try #require(Program.path, "the program has to be built: swift build")
    let copied = try Running("/bin/cp", [built, program], in: root, Program.environment).finish()
    try #require(copied.status == 0, "\(copied.errors)")
    try FileManager.default.copyItem(atPath: Program.stages, toPath: root + "/prefix/share/heirloom/stages")
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func run(_ words: String..., in directory: String = "") throws -> Program.Finished {
    try Running(program, words, in: root + "/" + directory, Program.environment).finish()
  }
}

import Foundation
import JSONValues
import Testing

/// The verbs that take results and recipes to other people, as they are typed: what they print, and with what status they end.
@Suite("Locking, sharing and taking in, on the command line", .serialized)
struct ExchangeTests {
  private func json(_ finished: Program.Finished) throws -> JSONValue { try JSONValue.parse(finished.output) }

  @Test("lock writes, --check says what differs with status 1, and --locked then runs nothing")
  func lock() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    let made = try project.heirloom("lock", "recipe.yaml", "--json")
    #expect(made.status == 0 && made.errors == "")
    #expect(try json(made)["instances"] == 10 && json(made)["with_results"] == 10)
    let holds = try project.heirloom("lock", "recipe.yaml", "--check")
    #expect(holds.status == 0 && holds.output == "recipe.lock  holds\n")

    let changed = try project.heirloom("lock", "recipe.yaml", "--check", "--set", "steps=5")
    #expect(changed.status == 1 && changed.errors == "")
    #expect(changed.outputLines == ["recipe    tiny  steps 20 -> 5", "instance  tuned  max_steps 20 -> 5"])
    let refused = try project.heirloom("run", "recipe.yaml", "--locked", "--set", "steps=5", "--progress", "none")
    #expect(refused.status == 1 && refused.output == "")
    #expect(refused.errors.hasSuffix("error: recipe.lock does not hold, and --locked was asked for; nothing was run\n"))
    let allowed = try project.run("--locked")
    #expect(allowed.finished.status == 0 && allowed.ran == [])

    try FileManager.default.removeItem(atPath: project.root + "/recipe.lock")
    let missing = try project.heirloom("run", "recipe.yaml", "--locked", "--progress", "none")
    #expect(missing.status == 2)
    #expect(missing.errors == "error: there is no lock at recipe.lock; `heirloom lock` makes one\n")
  }

  @Test("push, then pull into an empty store: the next run does nothing, and status speaks of the run")
  func pushAndPull() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    #expect(try project.heirloom("remote", "add", "shelf", "dir:shelf").status == 0)
    let pushed = try project.heirloom("push", "shelf", "--json")
    #expect(pushed.status == 0)
    let again = try project.heirloom("push", "shelf", "--quiet")
    #expect(again.status == 0 && again.output.contains("0 files"))
    let pulled = try project.heirloom("pull", "shelf", "--store", "other", "--quiet")
    #expect(pulled.status == 0 && pulled.errors == "")
    #expect(pulled.output.hasPrefix("pulled 10 results of tiny (tag tiny); run "))
    let run = try project.run("--store", "other")
    #expect(run.finished.status == 0 && run.ran == [] && run.cached.count == 10)
    #expect(try project.digests(store: "other") == project.digests())
    #expect(try project.heirloom("status", "--store", "other").status == 0)
  }

  @Test("what cannot be pushed or pulled is one line on standard error, by who is to blame status 2 or 3")
  func refusedTransfers() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    #expect(try project.heirloom("push", "dir:shelf", "--quiet").status == 0)
    let cases: [(words: [String], status: Int32, says: String)] = [
      (["push", "nowhere"], 2, "no remote 'nowhere'; heirloom remote add NAME ADDRESS makes one"),
      (["push", "ftp://host/x"], 2, "is no address of a remote"),
      (["push", "dir:recipe.yaml"], 3, "Not a directory"),
      (["push", "dir:shelf", "none"], 2, "none"),
      (["pull", "dir:shelf", "--tag", "other", "--store", "b"], 2, "has no tag 'other'; it has tiny"),
      (["pull", "dir:shelf", "none", "--store", "b"], 2, "none"),
      (["pull", "dir:missing", "--store", "b"], 3, "there is no such directory"),
      (["remote", "add", "a/b", "dir:shelf"], 2, "a/b"),
      (["remote", "remove", "none"], 2, "none"),
      (["cancel"], 2, "has no jobs"),
      (["lock", "missing.yaml"], 2, "missing.yaml"),
      (["import", "missing.tar"], 2, "missing.tar"),
      (["reproduce", "missing.tar"], 2, "missing.tar"),
      (["provenance", "--out", "stages"], 2, "stages is not empty"),
    ]
    for (words, status, says) in cases {
      let finished = try Program.run(words, in: project.root)
      #expect(finished.status == status, "\(words): \(finished.errors)")
      #expect(finished.errors.hasPrefix("error: ") || finished.errors.contains(": error: "), "\(words): \(finished.errors)")
      #expect(finished.errors.contains(says), "\(words): \(finished.errors)")
      #expect(finished.output == "", "\(words)")
    }
  }

  @Test("an exported recipe is taken in with its artifacts and needs no run; what is refused leaves nothing")
  func exportAndImport() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    #expect(try project.heirloom("export", "recipe", "recipe.yaml", "tiny.tar", "--with", "all", "--quiet").status == 0)
    #expect(try project.heirloom("export", "recipe", "recipe.yaml", "tiny.tar", "--quiet").status == 2)

    let imported = try project.heirloom("import", "tiny.tar", "--into", "theirs", "--quiet")
    #expect(imported.status == 0 && imported.output.hasPrefix("theirs/recipe.yaml  "))
    let run = try Events(Program.run(["run", "recipe.yaml", "--progress", "json"], in: project.root + "/theirs"))
    #expect(run.finished.status == 0 && run.ran == [] && run.cached.count == 10)

    try project.write("theirs/records.jsonl", "mine\n")
    let conflict = try project.heirloom("import", "tiny.tar", "--into", "theirs", "--quiet")
    #expect(
      conflict.status == 2 && conflict.errors.contains("theirs/records.jsonl: is there already with other bytes; --force replaces it"))
    #expect(try project.read("theirs/records.jsonl") == "mine\n")
    #expect(try project.heirloom("import", "tiny.tar", "--into", "theirs", "--force", "--quiet").status == 0)
    #expect(try project.read("theirs/records.jsonl") == project.read("records.jsonl"))

    let bytes = try #require(FileManager.default.contents(atPath: project.root + "/tiny.tar"))
    var flipped = bytes
    flipped[flipped.count * 2 / 3] ^= 1
    let before = try FileManager.default.contentsOfDirectory(atPath: project.root).sorted()
    for (name, spoilt) in [("short", Data(bytes.prefix(bytes.count / 2))), ("flipped", flipped)] {
      try spoilt.write(to: URL(fileURLWithPath: "\(project.root)/\(name).tar"))
      let refused = try project.heirloom("import", "\(name).tar", "--into", "new", "--quiet")
      #expect(refused.status == 2 && refused.errors.hasPrefix("error: ") && refused.output == "")
      try FileManager.default.removeItem(atPath: "\(project.root)/\(name).tar")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.root).sorted() == before)
  }

  @Test("reproduce says identical and ends with 0; another byte in a source is told with what hangs on it, and ends with 1")
  func reproduce() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    #expect(try project.heirloom("lock", "recipe.yaml").status == 0)
    let words = ["recipe.yaml", "--progress", "none", "--quiet"]
    let same = try Program.run(["reproduce"] + words + ["--no-statements", "--json"], in: project.root)
    #expect(same.status == 0 && same.errors == "")
    #expect(try json(same)["reproduced"] == true)
    #expect(!FileManager.default.fileExists(atPath: project.root + "/tiny.reproduction"))

    try project.edit("records.jsonl", #""say 7""#, #""sax 7""#)
    let other = try Program.run(["reproduce"] + words, in: project.root)
    #expect(other.status == 1)
    let lines = other.outputLines
    #expect(lines.contains { $0.hasPrefix("identical") && $0.contains(" data.train") })
    #expect(lines.contains { $0.hasPrefix("differs") && $0.contains(" records.train") })
    #expect(lines.contains { $0.hasPrefix("tiny: not reproduced") })
    #expect(lines.contains { $0.contains("records.jsonl") })
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.root + "/tiny.reproduction").isEmpty == false)
  }

  @Test("a run as a crate: a directory of its own, once")
  func provenance() throws {
    let project = try Project()
    #expect(try project.run().finished.status == 0)
    let made = try project.heirloom("provenance", "--out", "crate")
    #expect(made.status == 0 && made.output == "crate\n")
    let crate = try JSONValue.parse(project.read("crate/ro-crate-metadata.json"))
    #expect(crate["@graph"]?.arrayValue?.isEmpty == false)
    #expect(try project.heirloom("provenance", "--out", "crate").status == 2)
  }
}

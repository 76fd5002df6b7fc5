import Foundation
import JSONValues
import Testing

/// The page about data and gates is true: its recipe runs, replay grows with the steps, and gates do what it says.
@Suite("docs/data.md") struct DataPageTests {
  /// The page's recipe, small, in a project with a model.
  private static func project() throws -> Project {
    let project = try Project()
    _ = try project.run("initial")
    try #require(try project.heirloom("export", "initial.model", "models/small").status == 0)
    let page = try String(contentsOfFile: Program.repository + "/docs/data.md", encoding: .utf8)
    let block = try #require(page.components(separatedBy: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first)
    try project.write(
      "page.yaml",
      block.replacingOccurrences(of: "train: 512, heldout: 128", with: "train: 40, heldout: 8, difficulty: 4, alphabet: 8")
        .replacingOccurrences(of: "tasks: [sort, swap]", with: "tasks: [sort, swap, first]")
        .replacingOccurrences(of: "learning_rate: 1.0e-4", with: "learning_rate: 1.0e-3, max_steps: 2"))
    return project
  }

  private static func run(_ project: Project, _ words: String...) throws -> Events {
    try Events(Program.run(["run", "page.yaml", "--progress", "json"] + words, in: project.root))
  }

  private static func json(_ project: Project, _ view: String) throws -> JSONValue {
    try JSONValue.parse(try project.read("artifacts/views/replay-and-gate/\(view)"))
  }

  @Test("the recipe runs: nothing is replayed in the first step, later all earlier tasks alike, and a changed task reruns what follows")
  func recipe() throws {
    let project = try Self.project()
    let ran = try Self.run(project)
    try #require(ran.finished.status == 0, "\(ran.finished.errors)")
    let counts = try ["sort", "swap", "first"].map { try Self.json(project, "steps[\($0)].mixed/counts") }
    #expect(
      counts.map { $0["sources"]?.arrayValue?.map { $0["source"]?.stringValue } } == [
        ["sort"], ["swap", "sort"], ["first", "sort", "swap"],
      ])
    #expect(counts.map { $0["sources"]?.arrayValue?.map { $0["taken"]?.integerValue } } == [[40], [40, 2], [40, 1, 1]])
    #expect(try Self.json(project, "clean/verdict")["passed"] == true)
    for step in ["sort", "swap", "first"] {
      let verdict = try Self.json(project, "steps[\(step)].gate/verdict")
      #expect(verdict["checks"]?.arrayValue?.map { $0["metric"] } == ["general", "worst"])
    }
    #expect(try Self.run(project).summary?["ran"] == 0)

    // Another task at the end leaves the steps before it as they are.
    try project.edit("page.yaml", "tasks: [sort, swap, first]", "tasks: [sort, swap, last]")
    let changed = try Self.run(project)
    #expect(changed.finished.status == 0)
    #expect(changed.ran.isDisjoint(with: ["steps[sort].train", "steps[swap].train", "steps[sort].mixed", "steps[swap].mixed"]))
    #expect(changed.ran.isSuperset(of: ["steps[last].mixed", "steps[last].train"]))
  }

  @Test("a gate that fails ends the run with status 1 and says which bound, and by how much")
  func failing() throws {
    let project = try Self.project()
    try project.edit("page.yaml", "{metric: leakage.found, max: 0}", "{metric: answers.records, max: 100}")
    let failed = try Program.run(["run", "page.yaml", "clean"], in: project.root)
    #expect(failed.status == 1)
    #expect(failed.errors.contains("answers.records is 120.00, 20.00 above max 100.00"), "\(failed.errors)")
  }

  @Test("a model that its gate does not let pass is not carried on: the fallback's bytes are")
  func fallback() throws {
    let project = try Self.project()
    try project.edit("page.yaml", "{metric: worst, max_drop: 10}", "{metric: general, min: 101}")
    let ran = try Self.run(project)
    try #require(ran.finished.status == 0, "\(ran.finished.errors)")
    func digest(_ name: String) throws -> JSONValue? {
      try JSONValue.parse(try project.heirloom("show", name, "--json", "--recipe", "replay-and-gate").output)["digest"]
    }
    #expect(try digest("steps[first].next.model") == digest("base.model"))
    #expect(try digest("steps[first].train.model") != digest("base.model"))
    let verdict = try Self.json(project, "steps[first].gate/verdict")
    #expect(verdict["passed"] == false && verdict["failures"]?.stringValue?.contains("below min 101.00") == true)

    try project.edit("page.yaml", ", fallback: carry.model", "")
    let refused = try Program.run(["run", "page.yaml"], in: project.root)
    #expect(refused.status == 1 && refused.errors.contains("not promoted: general of task sort is "), "\(refused.errors)")
  }
}

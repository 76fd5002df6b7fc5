import Foundation
import JSONValues
import Testing

/// The page about reinforcement is true: its recipe checks and runs, and its reward program scores.
@Suite("docs/reinforcement.md") struct ReinforcementPageTests {
  private static func block(_ language: String, beginning: String) throws -> String {
    let page = try String(contentsOfFile: Program.repository + "/docs/reinforcement.md", encoding: .utf8)
    let blocks = page.components(separatedBy: "```\(language)\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    return try #require(blocks.first { $0.hasPrefix(beginning) })
  }

  @Test("the recipe on the page filters and trains, task after task")
  func recipe() throws {
    let model = try Project()
    _ = try model.run("initial")
    try #require(try model.heirloom("export", "initial.model", "models/small").status == 0)
    try model.write("page.yaml", try Self.block("yaml", beginning: "heirloom: 1"))
    try model.edit("page.yaml", "train: 512, heldout: 128", "train: 16, heldout: 4, difficulty: 4, alphabet: 8")
    try model.edit(
      "page.yaml", "inputs: {rollouts: rollouts.rollouts}", "inputs: {rollouts: rollouts.rollouts}\n        with: {when_empty: keep_all}")
    let ran = try Events(Program.run(["run", "page.yaml", "--progress", "json"], in: model.root))
    #expect(ran.finished.status == 0, "\(ran.finished.errors)")
    #expect(ran.ran.count == 9)
    let row = try JSONValue.parse(
      try #require(
        try model.read("artifacts/views/filtered-grpo/grpo[sort].rollouts/rollouts").split(separator: "\n").first.map(String.init)))
    let shown = try JSONValue.parse(try Self.block("json", beginning: "{\"prompt\""))
    #expect(row.objectValue?.keys == shown.objectValue?.keys)
    #expect(row["completions"]?[0]?.objectValue?.keys == shown["completions"]?[0]?.objectValue?.keys)
  }

  @Test("the reward program on the page scores what `contains` scores")
  func program() throws {
    let project = try Project()
    try project.write("judge.py", try Self.block("python", beginning: "import json"))
    try project.write(
      "recipe.yaml",
      Project.tiny + """
          rollouts:
            uses: rollout
            inputs: {model: initial.model, prompts: data.train, reward_program: ./judge.py}
            with:
              num_generations: 8
              max_completion_length: 24
              limit: 16
              rewards: [{kind: contains}, {kind: command, command: [python3, "{program}"]}]

        """)
    let ran = try project.run("rollouts")
    try #require(ran.finished.status == 0, "\(ran.finished.errors)")
    let rows = try project.read("artifacts/views/tiny/rollouts/rollouts").split(separator: "\n").map { try JSONValue.parse(String($0)) }
    let samples = rows.flatMap { $0["completions"]?.arrayValue ?? [] }
    #expect(samples.count == 128)
    #expect(samples.allSatisfy { $0["rewards"]?["contains"] != nil && $0["rewards"]?["contains"] == $0["rewards"]?["command"] })
  }
}

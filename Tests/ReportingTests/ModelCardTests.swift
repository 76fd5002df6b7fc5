import Foundation
import JSONValues
import Reporting
import Testing

/// The page that goes beside an exported model.
@Suite("Model cards") struct ModelCardTests {
  private static func card(_ run: SyntheticRun, _ name: String, configuration: JSONValue? = nil) throws -> String {
    let report = try run.report()
    let place = try #require(report.instances.firstIndex { $0.name == name })
    let output = try #require(report.instances[place].outputs.first { ModelCard.isCarded($0.type) })
    return ModelCard(report, instance: place, output: output, configuration: configuration).text
  }

  @Test("metadata: library, base model, tags, results in the hub's form")
  func metadata() throws {
    let text = try Self.card(ReportTests.whole(), "train")
    let head = try #require(text.range(of: "\n---\n")).lowerBound
    #expect(
      String(text[..<head]) == """
        ---
        library_name: transformers
        pipeline_tag: text-generation
        base_model: "tiny-llama"
        tags:
        - "heirloom"
        - "continual-learning"
        - "reinforcement-learning"
        - "grpo"
        model-index:
        - name: "synthetic, train"
          results:
          - task:
              type: text-generation
            dataset:
              name: "copy"
              type: "heirloom/copy"
            metrics:
            - type: "exact_match"
              value: 0.6666666666666666
              name: "exact_match"
              args:
                n: 3
                stderr: 0.25
        """)
  }

  @Test("the page: scores with intervals, what was forgotten, data by digest, how it was made, how to have it again")
  func page() throws {
    let run = try ReportTests.whole()
    let text = try Self.card(run, "train")
    // 2/3 ± 1.96 · 0.25, a share at most 1.
    #expect(text.contains("| copy") && text.contains("66.7") && text.contains("17.7 to 100.0"))
    for number in ["93.8 ± 6.3", #"-12.5 \[-17.0, -8.0\]\*"#, "-28.1"] { #expect(text.contains(number), "\(number)") }
    for name in ["data.train", "data.heldout", "base.model"] {
      let digest = try #require(run.digests[name])
      #expect(text.contains(digest) == (name != "base.model"), "\(name)")
    }
    #expect(
      text.contains("learning_rate 0.001") && text.contains("heirloom run recipe.yaml --set seed=2")
        && text.contains("description: made by hand"))
    #expect(text.contains(try #require(run.digests["train.model"])))
    #expect(!text.contains("somewhere"), "whose machine it was is nobody's business")
  }

  @Test("a base says what it was made from, unless that is a path of some machine")
  func baseModel() throws {
    let run = try ReportTests.whole()
    #expect(try Self.card(run, "train", configuration: ["_name_or_path": "org/Model-1.0"]).contains("base_model: \"org/Model-1.0\"\n"))
    #expect(try Self.card(run, "train", configuration: ["_name_or_path": "/home/x/model"]).contains("base_model: \"tiny-llama\"\n"))
  }

  @Test("nothing that a name holds ends the metadata or becomes markup")
  func hostile() throws {
    let run = try SyntheticRun()
    let name = "x\n---\nlibrary_name: evil\u{85}\u{2028}\"'<b>"
    try run.add(name, "train/sft", outputs: [.init("model", "model", files: [("config.json", Array("{}".utf8))])])
    let axes: [(String, JSONValue)] = [("suite", .string("s\n- a: \"<i>\u{1B}"))]
    try run.add(
      "scores", "evaluate", axes: axes, inputs: [("model", [name + ".model"])],
      outputs: [.init("scores", "scores", Records.scores("s", [1]))])
    try run.finish()
    let text = try Self.card(run, name)
    let parts = text.components(separatedBy: "\n---\n")
    // Between backticks nothing is markup.
    let prose = parts[1].replacing(/`[^`]*`/, with: "")
    #expect(parts.count == 2 && !text.contains("\nlibrary_name: evil") && !prose.contains("<b>") && !text.contains("\u{1B}"))
    #expect(parts[0].contains("name: \"s⏎- a: \\\"<i>␛\""))
  }
}

import Foundation
import JSONValues
import Testing

/// Seven tasks in sequence with real training: what reruns, where an interrupted sequence goes on, and the names one asks by.
@Suite("Sequences from the command line", .serialized) struct SequenceTests {
  /// A model of one layer learns a letter at each step and is asked about all letters.
  static let manifest = """
    heirloom: 1
    name: tiny

    params:
      letters: [a, b, c, d, e, f, g]
      steps: 3

    stages:
      data:
        uses: data/import
        matrix: {letter: "${letters}"}
        inputs: {source: "./${letter}.jsonl"}
        with: {heldout: 4}

      tokenizer:
        uses: tokenizer/train
        inputs: {data: "data[a].train"}
        with: {vocab_size: 260}

      base:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 32}

      run:
        matrix: {seed: [1]}
        stages:
          sft:
            matrix: {method: [plain sft]}
            scan: {letter: "${letters}"}
            carry: {model: base.model}
            stages:
              tokens:
                uses: tokenize
                inputs: {data: "data[${letter}].train", tokenizer: tokenizer.tokenizer}
              train:
                uses: train/sft
                inputs: {model: carry.model, data: tokens.tokens}
                with: {max_steps: "${steps}", seed: "${seed}", save_steps: 5}
              scores:
                uses: evaluate
                matrix: {suite: "${letters}"}
                inputs: {model: train.model, suite: "data[${suite}].heldout"}
                with: {max_new_tokens: 4}
            then: {model: train.model}

    """

  static let letters = ["a", "b", "c", "d", "e", "f", "g"]

  static func project() throws -> Project {
    let project = try Project(manifest: manifest)
    for letter in letters + ["h"] { try project.write("\(letter).jsonl", records(letter)) }
    return project
  }

  private static func records(_ letter: String, _ answer: String = "") -> String {
    (1...12).map { #"{"prompt":"\#(letter)\#($0)","completion":"\#(letter)\#(answer)"}"# + "\n" }.joined()
  }

  private static func step(_ letter: String, _ stage: String) -> String { "run[1].sft[plain sft,\(letter)].\(stage)" }

  private static func evaluations(_ steps: some Collection<String>, of suites: some Collection<String> = letters) -> Set<String> {
    Set(steps.flatMap { step in suites.map { Self.step(step, "scores[\($0)]") } })
  }

  @Test("another fifth task reruns the fifth to the seventh step; an eighth task trains once and is asked of all")
  func edits() throws {
    let project = try Self.project()
    let first = try project.run()
    try #require(first.finished.status == 0, "\(first.finished.errors)")
    #expect(first.ran.count == 7 + 2 + 7 * 2 + 49)
    #expect(try project.run().summary?["ran"] == 0)

    // What the fifth task asks is as it was; what it answers is new. All earlier steps stand, evaluations on its suite apart.
    try project.write("e.jsonl", Self.records("e", "!"))
    let late = ["e", "f", "g"]
    let changed = try project.run()
    #expect(
      changed.ran
        == Self.evaluations(late).union(Self.evaluations(["a", "b", "c", "d"], of: ["e"]))
        .union(late.map { Self.step($0, "train") }).union(["data[e]", Self.step("e", "tokens")]))

    try project.edit("recipe.yaml", "letters: [a, b, c, d, e, f, g]", "letters: [a, b, c, d, e, f, g, h]")
    let added = try project.run()
    #expect(
      added.ran
        == Self.evaluations(["h"], of: Self.letters + ["h"]).union(Self.evaluations(Self.letters, of: ["h"]))
        .union(["data[h]", Self.step("h", "tokens"), Self.step("h", "train")]))
  }

  @Test("killed in its fourth step, a sequence goes on there, from the checkpoint, to the same bytes")
  func killed() throws {
    let target = "run.sft.train"
    let words = ["run", "recipe.yaml", target, "--progress", "json", "--jobs", "1", "--set", "steps=150"]
    let undisturbed = try Self.project()
    #expect(try Program.run(words, in: undisturbed.root).status == 0)

    let project = try Self.project()
    let running = try Program.start(words, in: project.root)
    while let line = running.nextLine(), !line.contains(#""started","instance":"\#(Self.step("d", "train"))""#) {}
    try project.until("the fourth training has left a checkpoint") { project.holdsCheckpoint }
    try running.signalGroup(SIGKILL)
    #expect(try running.finish().status == -SIGKILL)

    let again = try Events(Program.run(words, in: project.root))
    #expect(again.finished.status == 0)
    #expect(again.resumed == [Self.step("d", "train")])
    #expect(
      again.ran.intersection(Self.letters.map { Self.step($0, "train") }) == Set(["d", "e", "f", "g"].map { Self.step($0, "train") }))
    #expect(try project.digests() == undisturbed.digests())
    #expect(project.processes == [])
  }

  @Test("every question takes the name that is printed, and the name with its axes written out")
  func names() throws {
    let project = try Self.project()
    let train = Self.step("b", "train")
    let named = "run[seed=1].sft[method=plain sft,letter=b].train"
    #expect(try project.run(named).ran.contains(train))

    let plan = try project.plan("run[seed=1].sft[letter=c].train")
    #expect(plan.contains("cached  \(train)") && plan.last == "11 instances: 1 run, 2 waits, 8 cached", "\(plan)")
    let json = try JSONValue.parse(try project.heirloom("plan", "recipe.yaml", named, "--json").output)
    #expect(json.arrayValue?.last?["instance"] == .string(train))

    for name in [train, named, "run.sft[letter=b].train"] {
      let shown = try JSONValue.parse(try project.heirloom("show", name, "--json").output)
      #expect(shown["instance"] == .string(train))
      #expect(try project.heirloom("log", name).status == 0)
      let output = try JSONValue.parse(try project.heirloom("show", name + ".model", "--json").output)
      #expect(output["path"] == .string("\(project.root)/artifacts/views/tiny/\(train)/model"))
      let copy = "copy of \(name)".replacingOccurrences(of: "/", with: "-")
      #expect(try project.heirloom("export", name + ".model", copy).status == 0)
      #expect(FileManager.default.fileExists(atPath: "\(project.root)/\(copy)/model.safetensors"))
    }
    #expect(try project.heirloom("status").outputLines.contains { $0.hasPrefix("ran         \(train)  ") })
    #expect(try project.heirloom("runs").outputLines.count == 1)
    #expect(try project.heirloom("check", "recipe.yaml").output == "tiny: 6 stages, 72 instances\n")
  }

  @Test("what a name could have been")
  func nearNames() throws {
    let project = try Self.project()
    #expect(try project.run("run.sft[letter=a].train").finished.status == 0)
    let run = try #require(try project.heirloom("status").outputLines.first?.split(separator: " ").first)
    let train = Self.step("a", "train")
    let cases: [([String], String)] = [
      (["plan", "recipe.yaml", "run.stf.train"], "the recipe has no instance 'run.stf.train'; did you mean 'run.sft.train'?"),
      (
        ["plan", "recipe.yaml", "run[1].sft[plain stf,a].train"],
        "the recipe has no instance 'run[1].sft[plain stf,a].train'; did you mean '\(train)'?"
      ),
      (
        ["plan", "recipe.yaml", "run[seed=1].sft[method=plain stf,letter=a].train"],
        "the recipe has no instance 'run[seed=1].sft[method=plain stf,letter=a].train'; "
          + "did you mean 'run[seed=1].sft[method=plain sft,letter=a].train'?"
      ),
      (
        ["run", "recipe.yaml", "run[1].sft[leter=a].train"],
        "the recipe has no instance 'run[1].sft[leter=a].train'; did you mean 'run[1].sft[letter=a].train'?"
      ),
      (
        ["run", "recipe.yaml", "--rerun", "run.sft[a].train"],
        "the recipe has no instance 'run.sft[a].train'; did you mean 'run.sft[letter=a].train'?"
      ),
      (["plan", "recipe.yaml", "\(train).model"], "the recipe has no instance '\(train).model'; did you mean '\(train)'?"),
      (
        ["show", "run[1].sft[plain sft,a].trian"],
        "no instance 'run[1].sft[plain sft,a].trian' in run \(run) of tiny; did you mean '\(train)'?"
      ),
      (
        ["export", "run[1].sft[plain sft,h].train.model", "out"],
        "no instance 'run[1].sft[plain sft,h].train' in run \(run) of tiny; did you mean '"
      ),
      (["show", "\(train).modle"], "\(train) has no output 'modle'; did you mean 'model'?"),
      (["log", "run.sft[letter=a]"], "'run.sft[letter=a]' has 2 instances: "),
    ]
    for (words, message) in cases {
      let wrong = try Program.run(words, in: project.root)
      #expect(wrong.status == 2 && wrong.output == "")
      #expect(wrong.errors.hasPrefix("error: \(message)"), "\(words): \(wrong.errors)")
    }
  }
}

extension Project {
  fileprivate var holdsCheckpoint: Bool {
    let work = root + "/artifacts/work"
    return ((try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []).contains {
      FileManager.default.fileExists(atPath: "\(work)/\($0)/checkpoint/checkpoint")
    }
  }
}

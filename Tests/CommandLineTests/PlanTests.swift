import Testing

/// What runs again after a change, and the words in which `plan` says why; whole lines are compared.
@Suite("Incremental runs from the command line") struct PlanTests {
  @Test("plan, run, plan: nothing has run, everything runs, nothing is left to do")
  func nothing() throws {
    let project = try Project()
    #expect(
      try project.plan() == [
        "run     records        never run",
        "run     data           never run",
        "waits   tokenizer      input data waits for records.train; input data waits for data.train",
        "waits   tokens         input data waits for records.train; input data waits for data.train; input tokenizer waits for tokenizer.tokenizer",
        "waits   initial        input tokenizer waits for tokenizer.tokenizer",
        "waits   tuned          input model waits for initial.model; input data waits for tokens.tokens",
        "waits   averaged[0]    input base waits for initial.model; input tuned waits for tuned.model",
        "waits   averaged[0.5]  input base waits for initial.model; input tuned waits for tuned.model",
        "waits   scores[0]      input model waits for averaged[0].model; input suite waits for data.heldout",
        "waits   scores[0.5]    input model waits for averaged[0.5].model; input suite waits for data.heldout",
        "10 instances: 2 run, 8 waits",
      ])
    let first = try project.run()
    #expect(first.finished.status == 0 && first.finished.output == "" && first.ran.count == 10)
    #expect(try project.plan() == Self.allCached)
    let second = try project.run()
    #expect(second.ran.isEmpty && second.cached.count == 10)
    #expect(second.summary?["kind"] == "summary" && second.summary?["ran"] == 0 && second.summary?["cached"] == 10)
    #expect(
      try project.heirloom("plan", "recipe.yaml", "tokens").outputLines == ["records", "data", "tokenizer", "tokens"].map {
        "cached  \($0)"
      } + ["4 instances: 4 cached"])
  }

  @Test("each change reruns what hangs on it, says why, and stops where the bytes are the same again")
  func changes() throws {
    let project = try Project()
    _ = try project.run()

    // A new learning rate: training and what hangs on it.
    let rate = ["--set", "learning_rate=2e-5"]
    #expect(
      try project.plan(rate[0], rate[1]) == [
        "cached  records", "cached  data", "cached  tokenizer", "cached  tokens", "cached  initial",
        "run     tuned          learning_rate 0.001 -> 2e-5",
        "waits   averaged[0]    input tuned waits for tuned.model",
        "waits   averaged[0.5]  input tuned waits for tuned.model",
        "waits   scores[0]      input model waits for averaged[0].model",
        "waits   scores[0.5]    input model waits for averaged[0.5].model",
        "10 instances: 1 run, 4 waits, 5 cached",
      ])
    #expect(try project.heirloom("plan", "recipe.yaml", rate[0], rate[1]).output.contains("by earlier runs, about "))
    // α = 0 gives the base's bytes whatever was tuned: its scores stand.
    let changed = try project.run(rate[0], rate[1])
    #expect(changed.ran == ["tuned", "averaged[0]", "averaged[0.5]", "scores[0.5]"])
    // Going back finds the old results.
    #expect(try project.plan() == Self.allCached)

    // Names, comments, the order of keys, speed and resources are not in the key.
    try project.edit(
      "recipe.yaml", "  initial:\n    uses: model/init", "  # the beginning\n  start:\n    resources: {cpus: 1}\n    uses: model/init")
    try project.edit(
      "recipe.yaml", "inputs: {model: initial.model, data: tokens.tokens}", "inputs: {data: tokens.tokens, model: start.model}")
    try project.edit("recipe.yaml", "inputs: {base: initial.model, tuned: tuned.model}", "inputs: {tuned: tuned.model, base: start.model}")
    try project.edit("recipe.yaml", "save_steps: 7", "save_steps: 9")
    #expect(try project.plan() == Self.allCached.map { $0 == "cached  initial" ? "cached  start" : $0 })

    // A source file with other bytes and the same records: one stage runs, the rest stands.
    try project.write("records.jsonl", try project.read("records.jsonl") + "\n")
    #expect(
      try project.plan() == [
        "run     records        input source changed: ./records.jsonl",
        "cached  data",
        "waits   tokenizer      input data waits for records.train",
        "waits   tokens         input data waits for records.train; input tokenizer waits for tokenizer.tokenizer",
        "waits   start          input tokenizer waits for tokenizer.tokenizer",
        "waits   tuned          input model waits for start.model; input data waits for tokens.tokens",
        "waits   averaged[0]    input base waits for start.model; input tuned waits for tuned.model",
        "waits   averaged[0.5]  input base waits for start.model; input tuned waits for tuned.model",
        "waits   scores[0]      input model waits for averaged[0].model",
        "waits   scores[0.5]    input model waits for averaged[0.5].model",
        "10 instances: 1 run, 8 waits, 1 cached",
      ])
    #expect(try project.run().ran == ["records"])

    // A contract of another version.
    let version = try #require(try project.read("stages/tokenize.yaml").firstMatch(of: /version: (\d+)/).flatMap { Int($0.1) })
    try project.edit("stages/tokenize.yaml", "version: \(version)", "version: \(version + 1)")
    #expect(
      try project.plan("tokens").suffix(2) == [
        "run     tokens     contract version \(version) -> \(version + 1)", "4 instances: 1 run, 3 cached",
      ])
    #expect(try project.run().ran == ["tokens"])

    // By hand.
    #expect(
      try project.plan("--rerun", "averaged[0.5]").filter { !$0.hasPrefix("cached") } == [
        "run     averaged[0.5]  asked for by --rerun",
        "waits   scores[0.5]    input model waits for averaged[0.5].model",
        "10 instances: 1 run, 1 waits, 8 cached",
      ])
  }

  @Test("plan draws itself for Graphviz, for Mermaid and as a picture")
  func graph() throws {
    let project = try Project()
    let before = try project.heirloom("plan", "recipe.yaml", "--graph", "mermaid", "data", "tokenizer")
    #expect(
      before.output == """
        flowchart LR
          n0["records<br/>▸ run"]:::run
          n1["data<br/>▸ run"]:::run
          n2["tokenizer<br/>… waits"]:::waits
          n0 --> n2
          n1 --> n2
          classDef run fill:#dbebf4,stroke:#0072b2,color:#1b1f24
          classDef waits fill:#edeeef,stroke:#7d8590,color:#1b1f24

        """)
    let dot = try project.heirloom("plan", "recipe.yaml", "--graph", "dot", "--fold").output
    #expect(dot.hasPrefix("digraph {\n  label=\"tiny\"\n") && dot.contains("label=\"scores\\n×2 … waits\"") && dot.hasSuffix("}\n"))
    let svg = try project.heirloom("plan", "recipe.yaml", "--graph", "svg")
    #expect(svg.status == 0 && svg.errors == "" && svg.output.hasPrefix("<svg ") && svg.output.contains(">averaged[0.5]</text>"))
    let both = try project.heirloom("plan", "recipe.yaml", "--graph", "dot", "--json")
    #expect(both.status != 0 && both.errors.contains("--json and --graph exclude each other"))
    #expect(try project.heirloom("plan", "recipe.yaml", "--fold").errors.contains("--fold and --unfold are for --graph"))
  }

  private static let allCached =
    ["records", "data", "tokenizer", "tokens", "initial", "tuned", "averaged[0]", "averaged[0.5]", "scores[0]", "scores[0.5]"]
    .map { "cached  \($0)" } + ["10 instances: 10 cached"]
}

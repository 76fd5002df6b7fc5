import JSONValues
import Testing

/// A sequence of tasks from the manifest to the report.
@Suite("What was forgotten, from the command line") struct ForgettingTests {
  static let recipe = """
    heirloom: 1
    name: tiny

    params:
      tasks: [copy, reverse]

    stages:
      data:
        uses: data/tasks
        matrix: {task: "${tasks}"}
        with: {task: "${task}", train: 64, heldout: 32, difficulty: 3, alphabet: 6}

      facts:
        uses: data/import
        inputs: {source: ./records.jsonl}
        with: {heldout: 4}

      tokenizer:
        uses: tokenizer/train
        inputs: {data: "data[*].train"}
        with: {vocab_size: 270}

      tokens:
        uses: tokenize
        matrix: {task: "${tasks}"}
        inputs: {data: "data[${task}].train", tokenizer: tokenizer.tokenizer}

      initial:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 128}

      sequence:
        matrix: {method: [sft], seed: [1, 2]}
        stages:
          steps:
            scan: {task: "${tasks}"}
            carry: {model: initial.model}
            stages:
              train:
                uses: train/sft
                inputs: {model: carry.model, data: "tokens[${task}].tokens"}
                with: {learning_rate: 1.0e-3, max_steps: 5, seed: "${seed}"}
              scores:
                uses: evaluate
                matrix: {suite: "${tasks}"}
                inputs: {model: train.model, suite: "data[${suite}].heldout"}
                with: {limit: 20}
              known:
                uses: evaluate
                inputs: {model: train.model, suite: facts.heldout}
            then: {model: train.model}

      base:
        uses: evaluate
        matrix: {suite: "${tasks}"}
        inputs: {model: initial.model, suite: "data[${suite}].heldout"}
        with: {limit: 20}

      base_facts:
        uses: evaluate
        inputs: {model: initial.model, suite: facts.heldout}

      forgetting:
        uses: report/forgetting
        inputs:
          base: base[*].scores
          steps: sequence[*].steps[*].scores[*].scores
          general: sequence[*].steps[*].known.scores
          general_base: base_facts.scores

    """

  private static let note20 = "suites of 20 records: a drop under 28.0 points will not show (80 % power, 20 % of answers changing)"
  private static let note4 = "suites of 4 records: a drop under 62.6 points will not show (80 % power, 20 % of answers changing)"

  @Test("plan says before the compute is spent what suites of these sizes can show, and the run ends with the report")
  func sequence() throws {
    let project = try Project(manifest: Self.recipe)
    let plan = try project.plan()
    #expect(plan.suffix(3).dropLast() == ["note: forgetting: \(Self.note4)", "note: forgetting: \(Self.note20)"])
    let entries = try JSONValue.parse(project.heirloom("plan", "recipe.yaml", "--json").output).arrayValue ?? []
    #expect(entries.last?["instance"] == "forgetting" && entries.last?["notes"] == [.string(Self.note4), .string(Self.note20)])
    #expect(entries.dropLast().allSatisfy { $0.objectValue?.keys == ["instance", "stage", "key", "action", "reasons"] })
    #expect(entries.count == plan.count - 3)

    let finished = try project.heirloom("run", "recipe.yaml")
    try #require(finished.status == 0, "\(finished.errors)")
    let lines = finished.outputLines
    #expect(
      lines.contains("## Forgetting")
        && lines.contains("Tasks in order: copy, reverse. All scores are in points, the hundredths of a share of right answers."))
    #expect(lines.contains { $0.hasPrefix("| sft    |") } && lines.contains("sft, seed 2:"))
    let table = try JSONValue(parsing: Array(project.read("artifacts/views/tiny/forgetting/table").utf8))
    #expect(table["methods"]?[0]?["method"] == "sft" && table["methods"]?[0]?["tasks"] == ["copy", "reverse"])
    #expect(table["methods"]?[0]?["seeds"]?.arrayValue?.count == 2 && table["suites"]?[0]?["n"] == 20)

    // Nothing is to run, so nothing is to be said.
    #expect(try project.plan().allSatisfy { !$0.hasPrefix("note") })
    let cached = try JSONValue.parse(project.heirloom("plan", "recipe.yaml", "--json").output).arrayValue ?? []
    #expect(cached.allSatisfy { $0["notes"] == nil })

    // What is in the store is counted, and another assumption is another note.
    try project.edit("recipe.yaml", "general_base: base_facts.scores", "general_base: base_facts.scores\n    with: {changed_share: 0.1}")
    #expect(
      try project.plan().filter { $0.hasPrefix("note") } == [
        "note: forgetting: suites of 4 records: a drop under 44.3 points will not show (80 % power, 10 % of answers changing)",
        "note: forgetting: suites of 20 records: a drop under 19.8 points will not show (80 % power, 10 % of answers changing)",
      ])
  }
}

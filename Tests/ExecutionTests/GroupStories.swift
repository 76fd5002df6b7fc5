import Execution
import JSONValues
import Testing

@Suite("Sequences, groups and manifests that are used")
struct GroupStories {
  static func all(_ names: [String], _ pattern: String...) -> [String] {
    pattern.flatMap { pattern in names.map { pattern.replacing("%", with: $0) } }
  }

  static func expect(ran: [String], cached: [String]) -> Expectation { Expectation(ran: Set(ran), cached: Set(cached)) }

  /// A sequence: every step writes its data behind what the step before carried on.
  static let sequence = """
    heirloom: 1
    name: test
    params:
      tasks:
        - {name: one, text: 1}
        - {name: two, text: 2}
        - {name: three, text: 3}
        - {name: four, text: 4}
        - {name: five, text: 5}
        - {name: six, text: 6}
        - {name: seven, text: 7}
    stages:
      base: {uses: say, with: {text: base}}
      sft:
        scan: {task: "${tasks}"}
        carry: {model: base.text}
        stages:
          data: {uses: say, with: {text: "task ${task.text}"}}
          train: {uses: join, inputs: {texts: [carry.model, data.text]}}
          scores: {uses: upper, inputs: {text: train.text}}
        then: {model: train.text}
      last: {uses: upper, inputs: {text: sft.model}, with: {mark: end}}
    """

  @Test("changing the fifth step of seven reruns the fifth to the seventh and nothing before")
  func fifthStep() throws {
    let names = ["one", "two", "three", "four", "five", "six", "seven"]
    let before = Self.all(Array(names[..<4]), "sft[%].data", "sft[%].train", "sft[%].scores")
    let after = Self.all(Array(names[4...]), "sft[%].train", "sft[%].scores")
    let others = ["sft[five].data", "sft[six].data", "sft[seven].data"]
    try story(Self.sequence) {
      Step("first", expect: Self.expect(ran: before + after + others + ["base", "last"], cached: []))
      Step(
        "another fifth step", .replace("{name: five, text: 5}", "{name: five, text: 55}"),
        expect: Self.expect(ran: after + ["sft[five].data", "last"], cached: before + ["base", "sft[six].data", "sft[seven].data"]))
      Step(
        "and back", .replace("text: 55", "text: 5"), expect: Self.expect(ran: [], cached: before + after + others + ["base", "last"]))
    }
  }

  static let grid = """
    heirloom: 1
    name: test
    params: {tasks: [a, b]}
    stages:
      base: {uses: say, with: {text: base}}
      suite: {uses: say, matrix: {task: "${tasks}"}, with: {text: "suite ${task}"}}
      sft:
        scan: {task: "${tasks}"}
        carry: {model: base.text}
        stages:
          rollouts: {uses: join, inputs: {texts: [carry.model, "suite[${task}].text"]}}
          train: {uses: join, inputs: {texts: [carry.model, rollouts.text]}}
          scores: {uses: join, matrix: {suite: "${tasks}"}, inputs: {texts: ["suite[${suite}].text", train.text]}}
        then: {model: train.text}
      base_scores: {uses: join, matrix: {suite: "${tasks}"}, inputs: {texts: ["suite[${suite}].text", base.text]}}
      table: {uses: join, inputs: {texts: ["base_scores[*].text", "sft[*].scores[*].text"]}}
    """

  @Test("a task added at the end trains that step and evaluates the models that stand, and trains nothing before it")
  func anotherTask() throws {
    let old = ["a", "b"]
    let standing =
      ["base"] + Self.all(old, "suite[%]", "sft[%].rollouts", "sft[%].train", "sft[%].scores[a]", "sft[%].scores[b]", "base_scores[%]")
    let new =
      ["suite[c]", "sft[c].rollouts", "sft[c].train", "base_scores[c]"] + Self.all(old + ["c"], "sft[%].scores[c]")
      + Self.all(old, "sft[c].scores[%]")
    try story(Self.grid) {
      Step("two tasks", expect: Self.expect(ran: standing + ["table"], cached: []))
      Step("a third", set: ["tasks=[a, b, c]"], expect: Self.expect(ran: new + ["table"], cached: standing))
      Step("without it again", expect: Self.expect(ran: [], cached: standing + ["table"]))
    }
  }

  @Test("renaming a group, and putting its stages one level deeper, reruns nothing")
  func renaming() throws {
    let stages = ["data", "train", "scores"]
    let names = ["one", "two", "three", "four", "five", "six", "seven"]
    func instances(_ group: String, _ inner: String = "") -> [String] {
      stages.flatMap { Self.all(names, "\(group)[%]\(inner).\($0)") } + ["base", "last"]
    }
    try story(Self.sequence) {
      Step("first", expect: Self.expect(ran: instances("sft"), cached: []))
      Step(
        "another name", .replace("  sft:\n", "  tuning:\n"), .replace("sft.model", "tuning.model"),
        expect: Self.expect(ran: [], cached: instances("tuning")))
      Step(
        "a level deeper",
        .replace(
          "      data: {", "      step:\n       stages:\n        data: {"),
        .replace("\n      train:", "\n        train:"), .replace("\n      scores:", "\n        scores:"),
        .replace("then: {model: train.text}", "then: {model: step.train.text}"),
        expect: Self.expect(ran: [], cached: instances("tuning", ".step")))
    }
  }

  @Test("a manifest that is used shares its results with the same stages written out")
  func shared() throws {
    let used = """
      heirloom: 1
      name: learn
      params: {text: none}
      inputs: {model: {type: file}}
      stages:
        data: {uses: say, with: {text: "task ${text}"}}
        train: {uses: join, inputs: {texts: [inputs.model, data.text]}}
        scores: {uses: upper, inputs: {text: train.text}}
      outputs: {model: train.text, scores: scores.text}
      """
    let outer = """
      heirloom: 1
      name: test
      params: {tasks: [1, 2, 3, 4, 5, 6, 7]}
      stages:
        base: {uses: say, with: {text: base}}
        steps:
          uses: ./parts/learn.yaml
          scan: {task: "${tasks}"}
          carry: {model: base.text}
          with: {text: "${task}"}
          inputs: {model: carry.model}
          then: {model: outputs.model}
        all: {uses: join, inputs: {texts: "steps[*].scores"}}
      """
    let names = ["one", "two", "three", "four", "five", "six", "seven"]
    let numbers = ["1", "2", "3", "4", "5", "6", "7"]
    try story(Self.sequence) {
      Step(
        "written out",
        expect: Self.expect(ran: Self.all(names, "sft[%].data", "sft[%].train", "sft[%].scores") + ["base", "last"], cached: []))
      Step(
        "used", .write("parts/learn.yaml", used), .manifest(outer),
        expect: Self.expect(ran: ["all"], cached: Self.all(numbers, "steps[%].data", "steps[%].train", "steps[%].scores") + ["base"]))
      Step(
        "alone in a group with a matrix",
        .replace("scan: {task: \"${tasks}\"}\n    carry: {model: base.text}", "matrix: {task: [1, 8]}"),
        .replace("carry.model", "base.text"), .replace("    then: {model: outputs.model}\n", ""),
        expect: Self.expect(
          ran: ["all", "steps[8].data", "steps[8].train", "steps[8].scores"],
          cached: ["base", "steps[1].data", "steps[1].train", "steps[1].scores"]))
    }
  }

  @Test("reordered tasks do not hit a stale result of a stage that sees the order")
  func reordered() throws {
    let table = """
      stage: table
      version: 1
      summary: Puts texts behind one another, and knows whose they are.
      inputs: {texts: {type: file, list: true, labels: true}}
      outputs: {text: {type: file}}
      run: {command: [sh, -c, 'out="$1"; shift; cat "$@" > "$out"', table, "${outputs.text}", "${inputs.texts}"]}
      """
    let manifest = """
      heirloom: 1
      name: test
      params: {tasks: [a, b]}
      stages:
        steps:
          scan: {task: "${tasks}"}
          stages: {scores: {uses: say, with: {text: equal}, matrix: {suite: [x]}}}
        seeing: {uses: table, inputs: {texts: "steps[*].scores[*].text"}}
        blind: {uses: join, inputs: {texts: "steps[*].scores[*].text"}}
      """
    let steps = Self.all(["a", "b"], "steps[%].scores[x]")
    let project = try TestProject()
    try project.write("stages/table.yaml", table)
    try project.write("recipe.yaml", manifest)
    try project.run()
    let happening = try project.run(sets: ["tasks=[b, a]"])
    // Both have the same bytes in the same places: only the axis values tell them apart.
    #expect(happening.ran == ["seeing"])
    #expect(Set(happening.cached) == Set(steps + ["blind"]))
    #expect(happening.reasons["seeing"] == ["input texts reordered"])
  }

  // MARK: - Around a run

  @Test("a target is a group, a step or a stage in it; views and questions know them by their names")
  func names() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.sequence)
    let happening = try project.run { $0.targets = ["sft[two].train"] }
    #expect(Set(happening.ran) == ["base", "sft[one].data", "sft[one].train", "sft[two].data", "sft[two].train"])
    #expect(try project.run { $0.targets = ["sft.data", "sft[task=one]"] }.cached.count == 4)
    #expect(project.output("sft[two].train", "text") == "base\ntask 1\ntask 2\n")

    let lines = try project.plan(sets: []) { $0.targets = ["sft[three]"] }
    #expect(lines.last == "waits   sft[three].scores  input text waits for sft[three].train.text")
    try project.run()
    let queries = try StoreQueries(project.store)
    #expect(try queries.find("sft[task=two].train", in: .latest).instance.name == "sft[two].train")
    #expect(try queries.parse("sft[task=two].train", in: .latest).output == nil)
    #expect(try queries.parse("sft[two].train.text", in: .latest) == ("sft[two].train", "text"))
    let finding = try queries.find("sft[two].train", in: .latest)
    #expect(finding.paths["text"] == "\(project.store)/views/test/sft[two].train/text")
    #expect(finding.instance.needs == ["sft[one].train", "sft[two].data"])
    #expect(complaint(queries, "sft[one]") == "'sft[one]' has 3 instances: sft[one].data, sft[one].train, sft[one].scores")
    for (wrong, near) in [
      "sft[tow].train": "sft[two].train", "sft[task=tow].train": "sft[task=two].train", "sft[tsak=two].train": "sft[task=two].train",
      "sft.trian": "sft.train", "sft[two].train.scores": "sft[two].train",
    ] { #expect(complaint(queries, wrong)?.hasSuffix("did you mean '\(near)'?") == true, "\(wrong)") }
    // What is said of a name that is not there is said of the name that was typed, unless the part before its last dot is nearer to something.
    for (text, instance, output) in [
      ("sft[two].trian", "sft[two].trian", nil), ("sft[two].train.txt", "sft[two].train", "txt"),
      ("sft[tow].train.text", "sft[tow].train", "text"), ("sft[2].train", "sft[2].train", nil),
    ] {
      let parsed = try queries.parse(text, in: .latest)
      #expect(parsed.instance == instance && parsed.output == output, "\(text)")
    }
  }

  @Test("of two instances that are the same, one runs and the other has its result; the record of the run says so")
  func twins() throws {
    let project = try TestProject()
    try project.write(
      "recipe.yaml",
      "heirloom: 1\nname: test\nstages: {twin: {matrix: {of: [a, b]}, stages: {text: {uses: say, with: {text: the same}}}}}")
    let happening = try project.run()
    #expect(happening.ran.count == 1 && happening.cached.count == 1)
    let run = try StoreQueries(project.store).run(.latest)
    #expect(run.count("ran") == 1 && run.count("cached") == 1, "\(run.lines)")
  }

  private func complaint(_ queries: StoreQueries, _ name: String) -> String? {
    do {
      _ = try queries.find(name, in: .latest)
      return nil
    } catch { return "\(error)" }
  }

  @Test("why a step runs names where its inputs come from")
  func reasons() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", Self.sequence)
    try project.run()
    try Edit.replace("{name: five, text: 5}", "{name: five, text: 55}").make(project)
    let happening = try project.run()
    #expect(happening.reasons["sft[five].data"] == ["text 'task 5' -> 'task 55'"])
    #expect(happening.reasons["sft[five].train"] == ["input texts changed: sft[five].data.text"])
    #expect(happening.reasons["sft[six].train"] == ["input texts changed: sft[five].train.text"])
  }

  @Test("a name longer than a file's may be is still one view")
  func longNames() throws {
    let project = try TestProject()
    let long = (0..<8).map { String(repeating: "\($0)%", count: 20) }
    let axes = long.enumerated().map { "x\($0): [\"\($1)\"]" }.joined(separator: ", ")
    try project.write("recipe.yaml", "heirloom: 1\nname: test\nstages: {s: {uses: say, matrix: {\(axes)}, with: {text: hello}}}")
    #expect(try project.run().ran.count == 1)
    #expect(try project.run().cached.count == 1)
    #expect(project.files(in: "artifacts/views").count == 1)
  }
}

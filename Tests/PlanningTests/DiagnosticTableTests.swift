import Diagnostics
import Planning
import Testing

/// The catalogue of messages about manifests: a snippet with the places marked, and every message in the order of its place.
struct DiagnosticTableTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let yaml: String
    let messages: [String]
    let sources: [String]

    init(_ name: String, _ yaml: String, _ messages: String..., sources: [String] = []) {
      testDescription = name
      self.yaml = yaml
      self.messages = messages
      self.sources = sources
    }
  }

  @Test("every finding has its message and its place", arguments: structure + parameters + references + matrices + settings)
  func finding(_ example: Case) {
    let marked = MarkedText(example.yaml)
    let diagnostics = Project(marked.text, sources: example.sources).diagnostics()
    #expect(diagnostics.map(\.text) == example.messages)
    #expect(diagnostics.compactMap { $0.location?.place } == marked.findings)
    #expect(diagnostics.flatMap { $0.notes.compactMap { $0.location?.place } }.sorted() == marked.notes)
  }

  /// A manifest whose `stages` are these lines, with a base model and data beside them.
  static func stages(_ lines: String) -> String {
    """
    heirloom: 1
    params: {tasks: [sort, count], seed: 3, rate: 1e-5, options: {low: 0.5}}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      data: {uses: data/tasks, matrix: {task: "${tasks}"}, with: {task: "${task}"}}
      tokens: {uses: tokenize, matrix: {task: "${tasks}"}, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
    \(lines)
    """
  }

  static func stagesCase(_ name: String, _ lines: String, _ messages: String...) -> Case {
    var made = Case(name, stages(lines), sources: ["base/config.json", "file.json"])
    made = Case(made, messages)
    return made
  }

  static let structure: [Case] = [
    Case(
      "version missing", "▸name: x\nstages:\n  data: {uses: data/tasks, with: {task: a}}",
      "'heirloom' is missing in the manifest; write 'heirloom: 1'"),
    Case(
      "another version", "heirloom: ▸2\nstages:\n  data: {uses: data/tasks, with: {task: a}}",
      "this program reads manifests of version 1, found the integer 2"),
    Case("no stages", "▸heirloom: 1", "'stages' is missing in the manifest"),
    Case("empty stages", "heirloom: 1\nstages: ▸{}", "the manifest has no stages"),
    Case("not a mapping", "▸- a", "expected a mapping for the manifest, found a list"),
    Case(
      "unknown key", "heirloom: 1\n▸parms: {}\nstages:\n  data: {uses: data/tasks, with: {task: a}}",
      "unknown key 'parms' in the manifest; did you mean 'params'?"),
    Case(
      "numerics", "heirloom: 1\nnumerics: ▸nativ\nstages:\n  data: {uses: data/tasks, with: {task: a}}",
      "numerics is 'native' or 'portable', found 'nativ'; did you mean 'native'?"),
    Case(
      "hermetic", "heirloom: 1\nhermetic: ▸maybe\nstages:\n  data: {uses: data/tasks, with: {task: a}}",
      "expected on or off for 'hermetic', found the string 'maybe'"),
    Case(
      "hermetic native", "heirloom: 1\nstages:\n  data: {uses: data/tasks, with: {task: a}, hermetic: ▸off}",
      "'hermetic' is for command stages; data/tasks is part of this program"),
    Case(
      "bad names", "heirloom: 1\nname: ▸a b\nstages:\n  ▸1data: {uses: data/tasks, with: {task: a}}",
      "'a b' is no name; names start with a letter and go on with letters, digits, '_' and '-'",
      "'1data' is no name; names start with a letter and go on with letters, digits, '_' and '-'"),
    stagesCase("unknown stage key", "  a: {uses: evaluate, ▸input: {}}", "unknown key 'input' in stage 'a'; did you mean 'inputs'?")
      .alsoMissing(),
    stagesCase("neither stage nor group", "  ▸a: {with: {}}", "an entry needs 'uses' (a stage) or 'stages' (a group)"),
    stagesCase(
      "both stage and group", "  a: {▸uses: evaluate, stages: {b: {uses: evaluate}}}",
      "an entry has either 'uses' (a stage) or 'stages' (a group), not both"),
    stagesCase(
      "a scan on a stage", "  a: {uses: data/tasks, with: {task: a}, ▸scan: {}}", "'scan' belongs to a group: put the stage under 'stages'"),
    stagesCase(
      "a taken name", "  ▸carry: {uses: data/tasks, with: {task: a}}",
      "no entry can be called 'carry': references that begin with 'carry.' mean something else"),
    stagesCase("placeholder in uses", "  a: {uses: ▸\"${x}\"}", "'uses' takes no ${…}"),
    stagesCase("unknown stage", "  a: {uses: ▸train/stf}", "unknown stage 'train/stf'; did you mean 'train/sft'?"),
    stagesCase("a way out of the directory", "  a: {uses: ▸a/../../b}", "unknown stage 'a/../../b'"),
    stagesCase(
      "duplicate key", "  a: {uses: data/tasks, with: {▹task: a, ▸task: b}}", "duplicate key 'task'"),
  ]

  static let parameters: [Case] = [
    sft("unknown parameter", "▸learning_rat: 1e-5", "unknown parameter 'learning_rat' of train/sft; did you mean 'learning_rate'?"),
    sft("not a number", "learning_rate: ▸fast", "expected a number for learning_rate of train/sft, found the string 'fast'"),
    sft("a list for a number", "learning_rate: ▸[1]", "expected a number for learning_rate of train/sft, found a list"),
    sft("null where nothing is optional", "learning_rate: ▸null", "expected a number for learning_rate of train/sft, found null"),
    sft("above", "learning_rate: ▸0", "learning_rate of train/sft must be above 0, found 0"),
    sft("min", "max_steps: ▸-2", "max_steps of train/sft must be at least -1, found -2"),
    sft("a fraction", "max_steps: ▸1.5", "expected an integer for max_steps of train/sft, found the number 1.5"),
    sft("choice", "loss: ▸nl", "loss of train/sft is one of nll, talr, flow, dft, found the string 'nl'; did you mean 'nll'?"),
    sft("boolean", "packing: ▸no", "expected true or false for packing of train/sft, found the string 'no'"),
    sft("string", "tag: ▸1", "expected a string for tag of train/sft, found the integer 1; put it in quotes"),
    sft("element", "betas: [0.9, ▸1]", "betas[1] of train/sft must be below 1, found 1"),
    sft("count", "betas: ▸[0.9]", "betas of train/sft must have at least 2 elements, found 1"),
    sft("no list", "betas: ▸0.9", "expected a list for betas of train/sft, found the number 0.9"),
    sft("field", "lora: {▸rank: 2}", "unknown field 'rank' of lora of train/sft"),
    sft("missing field", "lora: ▸{alpha: 2}", "field 'r' of lora of train/sft is missing"),
    sft("field value", "lora: {r: ▸0}", "lora.r of train/sft must be at least 1, found 0"),
    sft("infinite", "learning_rate: ▸.inf", ".inf is no finite 64-bit number"),
    sft("unknown name", "learning_rate: ▸${ratte}", "unknown name 'ratte' in ${…}; did you mean 'rate'?"),
    sft("unknown field of a param", "learning_rate: ▸${options.lo}", "'options' has no field 'lo'; did you mean 'low'?"),
    sft("wrong type through a name", "learning_rate: ▸${tasks}", "expected a number for learning_rate of train/sft, found a list"),
    sft("list inside text", "tag: ▸x-${tasks}", "a list cannot stand inside text: ${tasks} must be the whole value"),
    sft("unclosed", "tag: ▸\"${rate\"", "'${' without '}'; write '$${' for the characters themselves"),
    sft("code", "tag: ▸\"${1 + 2}\"", "'${1 + 2}' names nothing; write ${name} or ${name.field}"),
    stagesCase("missing parameter", "  ▸a: {uses: data/tasks}", "parameter 'task' of data/tasks is missing"),
  ]

  /// A training stage with one parameter.
  static func sft(_ name: String, _ parameter: String, _ messages: String...) -> Case {
    let lines = """
        a:
          uses: train/sft
          inputs: {model: base.model, data: "tokens[*].tokens"}
          with:
            \(parameter)
      """
    return Case(Case(name, stages(lines), sources: ["base/config.json", "file.json"]), messages)
  }

  static let references: [Case] = [
    evaluate(
      "no reference", "▸base", "'base' is no reference; write name.output, name[value].output, or a path that starts with ./ ../ or /"),
    evaluate("a number", "▸12", "expected a reference for input 'model', found the integer 12"),
    evaluate("unknown name", "▸bse.model", "unknown stage 'bse' in a reference; did you mean 'base'?"),
    evaluate("unknown output", "▸base.modle", "model/import has no output 'modle'; did you mean 'model'?"),
    evaluate("wrong type", "▸base.tokenizer", "input 'model' of evaluate takes model, but base.tokenizer is tokenizer"),
    evaluate("into a stage", "▸base.model.model", "'base' is a stage and not a group; only one of its outputs can follow"),
    evaluate("no matrix", "▸base[sort].model", "'base' has no matrix, so nothing can stand in brackets"),
    evaluate("a matrix", "▸data.train", "'data' has the axis task; say which: data[task=…] or data[*]"),
    evaluate("no instance", "▸data[srt].train", "there is no instance data[srt]; did you mean 'data[sort]'?"),
    evaluate("no axis", "▸data[tsk=sort].train", "'data' has no axis 'tsk'; did you mean 'task'?"),
    evaluate("too many values", "▸data[sort,1].train", "'data' has the axis task, but 2 values are given"),
    evaluate("missing file", "▸./nowhere", "no such file or directory: ./nowhere"),
    evaluate("a file for a directory", "▸./file.json", "input 'model' of evaluate takes model, a directory, but ./file.json is a file"),
    evaluate("a list", "▸[base.model]", "input 'model' of evaluate takes one reference, found a list"),
    stagesCase(
      "several where one is taken", "  a: {uses: evaluate, inputs: {model: base.model, suite: ▸\"data[*].heldout\"}}",
      "input 'suite' of evaluate takes one, but this gives 2"),
    stagesCase(
      "nothing where one is needed", "  a: {uses: evaluate, inputs: {model: base.model, suite: ▸null}}",
      "input 'suite' of evaluate takes at least one"),
    stagesCase(
      "an empty list", "  a: {uses: train/sft, inputs: {model: base.model, data: ▸[]}}", "input 'data' of train/sft takes at least one"),
    stagesCase(
      "a dataset where tokens are taken",
      "  a: {uses: train/sft, inputs: {model: base.model, data: [\"tokens[sort].tokens\", ▸\"data[sort].train\"]}}",
      "input 'data' of train/sft takes tokens, but data.train is dataset"),
    stagesCase("missing input", "  ▸a: {uses: evaluate, inputs: {model: base.model}}", "input 'suite' (suite) of evaluate is missing"),
    stagesCase(
      "unknown input", "  a: {uses: evaluate, inputs: {model: base.model, suite: \"data[sort].heldout\", ▸modle: base.model}}",
      "unknown input 'modle' of evaluate; did you mean 'model'?"),
    stagesCase(
      "a directory for a file", "  a: {uses: report, inputs: {scores: ▸./base}}",
      "input 'scores' of report takes scores, a single file, but ./base is a directory"),
    stagesCase(
      "a circle",
      """
        ▸a: {uses: train/sft, inputs: {model: b.model, data: "tokens[*].tokens"}}
        ▹b: {uses: train/sft, inputs: {model: c.model, data: "tokens[*].tokens"}}
        ▹c: {uses: train/sft, inputs: {model: a.model, data: "tokens[*].tokens"}}
      """, "stages need each other in a circle: a -> b -> c -> a"),
    stagesCase(
      "itself", "  ▸a: {uses: train/sft, inputs: {model: a.model, data: \"tokens[*].tokens\"}}",
      "stages need each other in a circle: a -> a"),
    stagesCase(
      "a broken stage is not reported again where it is used",
      """
        a: {uses: ▸train/sfd}
        b: {uses: evaluate, inputs: {model: a.model, suite: "data[sort].heldout"}}
      """, "unknown stage 'train/sfd'; did you mean 'train/sft'?"),
  ]

  /// An evaluation of this model.
  static func evaluate(_ name: String, _ model: String, _ messages: String...) -> Case {
    let lines = """
        a:
          uses: evaluate
          inputs:
            suite: data[sort].heldout
            model: \(model)
      """
    return Case(Case(name, stages(lines), sources: ["base/config.json", "file.json"]), messages)
  }

  static let matrices: [Case] = [
    matrix("no list", "{x: ▸3}", "expected a list for axis 'x', found the integer 3"),
    matrix("empty", "{x: ▸[]}", "axis 'x' has no values"),
    matrix("no axis", "{}", "the matrix has no axis").at("▸matrix"),
    matrix("twice", "{x: [1, ▸1.0]}", "axis 'x' has the value 1 twice"),
    matrix("same name", "{x: [1, \"1\"]}", "two instances would be called a[1]").at("▸matrix"),
    matrix("exclude of an unknown axis", "{x: [1, 2], exclude: [{▸y: 1}]}", "unknown axis 'y'"),
    matrix("everything excluded", "{x: [1], exclude: ▸[{x: 1}]}", "'exclude' leaves no instance"),
    matrix("exclude is no list", "{x: [1], exclude: ▸{x: 1}}", "'exclude' is a list of mappings"),
    matrix(
      "include lacks an axis", "{x: [1], y: [2], include: [▸{x: 3}]}", "an 'include' that makes a new instance needs a value for axis 'y'"),
    matrix("unknown name", "{x: ▸\"${taks}\"}", "unknown name 'taks' in ${…}; did you mean 'tasks'?"),
    matrix("too many", "{x: \(range(400)), y: ▸\(range(400))}", "more than 100000 instances"),
  ]

  static func range(_ count: Int) -> String { "[\((0..<count).map(String.init).joined(separator: ", "))]" }

  static func matrix(_ name: String, _ matrix: String, _ messages: String...) -> Case {
    Case(
      Case(name, stages("  a: {uses: data/tasks, with: {task: a}, matrix: \(matrix)}"), sources: ["base/config.json", "file.json"]),
      messages)
  }

  static let settings: [Case] = [
    setting("cpus", "resources: {cpus: ▸0}", "expected an integer of at least 1 for 'cpus', found the integer 0"),
    setting("memory", "resources: {memory: ▸8Gib}", "expected an amount of memory such as 8GiB, found the string '8Gib'"),
    setting("unknown resource", "resources: {▸gpu: 1}", "unknown key 'gpu' in 'resources'; did you mean 'gpus'?"),
    setting("retries", "retries: ▸-1", "expected an integer of at least 0 for 'retries', found the integer -1"),
    setting("timeout", "timeout: ▸2 hours", "expected a time such as 90s, 30m or 2h, found the string '2 hours'"),
    setting(
      "executor", "executor: ▸slrum", "there is no executor 'slrum' here; there is local, slurm; did you mean 'slurm'?"),
    setting("expect of an unknown output", "expect: {▸trane: \"sha256:00\"}", "data/tasks has no output 'trane'; did you mean 'train'?"),
    setting("expect no digest", "expect: {train: ▸abc}", "expected \"sha256:\" and 64 hexadecimal digits, found the string 'abc'"),
  ]

  static func setting(_ name: String, _ setting: String, _ messages: String...) -> Case {
    Case(Case(name, stages("  a: {uses: data/tasks, with: {task: a}, \(setting)}"), sources: ["base/config.json", "file.json"]), messages)
  }
}

extension DiagnosticTableTests.Case {
  init(_ other: Self, _ messages: [String]) {
    testDescription = other.testDescription
    yaml = other.yaml
    self.messages = messages
    sources = other.sources
  }

  init(_ other: Self, yaml: String, _ messages: [String]) {
    testDescription = other.testDescription
    self.yaml = yaml
    self.messages = messages
    sources = other.sources
  }

  /// An evaluation that lost its inputs lacks them as well.
  fileprivate func alsoMissing() -> Self {
    let missing = ["input 'model' (model) of evaluate is missing", "input 'suite' (suite) of evaluate is missing"]
    return Self(self, yaml: yaml.replacing("  a: {", with: "  ▸▸a: {"), missing + messages)
  }

  /// With the mark before the key `matrix` of stage a.
  fileprivate func at(_ marked: String) -> Self {
    Self(self, yaml: yaml.replacing("a}, matrix", with: "a}, \(marked)"), messages)
  }
}

import Diagnostics
import Planning
import Testing

/// The catalogue of messages about groups and scans, as `DiagnosticTableTests` has it for stages.
struct GroupDiagnosticTests {
  typealias Case = DiagnosticTableTests.Case

  @Test("every finding has its message and its place", arguments: structure + scans + references + cycles)
  func finding(_ example: Case) { DiagnosticTableTests().finding(example) }

  static let structure: [Case] = [
    stages("an empty group", "  a: {stages: ▸{}}", "the group has no stages"),
    stages("neither", "  a: {stages: {▸b: {}}}", "an entry needs 'uses' (a stage) or 'stages' (a group)"),
    stages(
      "unknown key", "  a: {stages: {b: {uses: data/tasks, with: {task: x}}}, ▸mtrix: {}}",
      "unknown key 'mtrix' in group 'a'; did you mean 'matrix'?"),
    stages(
      "parameters of a group", "  a: {stages: {b: {uses: data/tasks, with: {task: x}}}, ▸with: {}}", "unknown key 'with' in group 'a'"),
    stages(
      "then without scan", "  a: {stages: {b: {uses: data/tasks, with: {task: x}}}, ▸then: {}}", "'then' means nothing without 'scan'"),
    stages(
      "an axis twice on the way",
      "  a: {matrix: {task: [x]}, stages: {b: {uses: data/tasks, matrix: {▸task: [y]}, with: {task: x}}}}",
      "axis 'task' is an axis of the group 'a' around it as well"),
    stages(
      "one name for two points", "  a: {▸matrix: {x: [1, \"1\"]}, stages: {b: {uses: data/tasks, with: {task: x}}}}",
      "two instances would be called a[1]"),
    stages(
      "found inside", "  a: {matrix: {x: [0, 1]}, stages: {b: {uses: data/tasks, with: {task: x, train: ▸\"${x}\"}}}}",
      "train of data/tasks must be at least 1, found 0"),
    stages(
      "a broken entry is not reported again where it is used",
      """
        a: {stages: {b: {uses: ▸train/sfd}}}
        c: {uses: evaluate, inputs: {model: a.b.model, suite: "data[sort].heldout"}}
      """, "unknown stage 'train/sfd'; did you mean 'train/sft'?"),
  ]

  static let scans: [Case] = [
    scan("two variables", "▸scan: {task: [a], x: [b]}", "a scan has one variable, found 2"),
    scan("no variable", "▸scan: {}", "a scan has one variable, found none"),
    scan("no list", "scan: {task: ▸sort}", "expected a list for axis 'task', found the string 'sort'"),
    scan("no steps", "scan: {task: ▸[]}", "the scan over 'task' has no steps"),
    scan("a step twice", "scan: {task: [sort, ▸sort]}", "the scan over 'task' has the step sort twice"),
    scan("an axis of the matrix too", "matrix: {task: [sort]}\n    scan: {▸task: [sort]}", "'task' is an axis of the matrix as well"),
    scan(
      "nothing said for the next step", "scan: {task: [sort]}\n    ▸carry: {model: base.model}",
      "'then' does not say what 'model' is for the next step"),
    scan(
      "a carried name missing in then",
      "scan: {task: [sort]}\n    carry: {model: base.model, other: base.model}\n    ▸then: {model: train.model}",
      "'then' does not say what 'other' is for the next step"),
    scan(
      "unknown carried name in then", "scan: {task: [sort]}\n    carry: {model: base.model}\n    ▸then: {▸modle: train.model}",
      "'then' does not say what 'model' is for the next step", "the scan does not carry 'modle'; did you mean 'model'?"),
    scan(
      "another type", "scan: {task: [sort, count]}\n    carry: {model: ▹base.model}\n    then: {model: ▸tokens.tokens}",
      "the scan carries a model as 'model', but tokens.tokens is tokens"),
    scan(
      "no reference in carry", "scan: {task: [sort]}\n    carry: {model: ▸base}\n    then: {model: train.model}",
      "'base' is no reference; write name.output, name[value].output, or a path that starts with ./ ../ or /"),
    scan(
      "a number in then", "scan: {task: [sort]}\n    carry: {model: base.model}\n    then: {model: ▸3}",
      "expected a reference for 'model' of 'then', found the integer 3"),
    scan(
      "carry sees the steps' names", "scan: {task: [sort]}\n    carry: {model: ▸train.model}\n    then: {model: train.model}",
      "unknown stage 'train' in a reference; did you mean 's.train'?"),
    scan(
      "carry sees the variable", "scan: {task: [sort]}\n    carry: {model: ▸\"data[${task}].train\"}\n    then: {model: train.model}",
      "unknown name 'task' in ${…}; did you mean 'tasks'?"),
  ]

  static let references: [Case] = [
    stages(
      "what is wrong with a carried name is said once",
      """
        s:
          scan: {task: "${tasks}"}
          carry: {model: ▸base, data: "tokens[sort].tokens"}
          stages: {train: {uses: train/sft, inputs: {model: carry.model, data: carry.data}}}
          then: {model: train.model, data: ▸tokens}
        e: {uses: evaluate, inputs: {model: s.model, suite: "data[sort].heldout"}}
        f: {uses: train/sft, inputs: {model: base.model, data: s.data}}
      """, "'base' is no reference; write name.output, name[value].output, or a path that starts with ./ ../ or /",
      "'tokens' is no reference; write name.output, name[value].output, or a path that starts with ./ ../ or /"),
    evaluate("a name inside a group", "▸train.model", "unknown stage 'train' in a reference; did you mean 's.train'?"),
    evaluate("carry outside a scan", "▸carry.model", "'carry.model' stands outside any scan that carries something"),
    evaluate("inputs of a recipe", "▸inputs.model", "the manifest declares no input 'model'"),
    evaluate("outputs elsewhere", "▸outputs.model", "'outputs' stands for those of a manifest that is used, in its 'then'"),
    evaluate("which step", "▸s.train.model", "'s' has the axis task; say which: s[task=…] or s[*]"),
    evaluate("which inside", "▸s[sort].scores.scores", "'scores' has the axis suite; say which: scores[suite=…] or scores[*]"),
    evaluate("no such step", "▸s[srt].train.model", "there is no instance s[srt]; did you mean 's[sort]'?"),
    evaluate(
      "no such point inside", "▸s[sort].scores[srt].scores",
      "there is no instance s[sort].scores[srt]; did you mean 's[sort].scores[sort]'?"),
    evaluate(
      "nowhere inside", "▸s[*].scores[srt].scores", "there is no instance s[sort].scores[srt]; did you mean 's[sort].scores[sort]'?"),
    stages(
      "one value of two",
      """
        m: {uses: data/tasks, matrix: {task: [sort, reverse], part: [1, 2]}, with: {task: "${task}"}}
        t: {uses: tokenize, inputs: {data: ▸"m[task=srt].train", tokenizer: base.tokenizer}}
      """, "there is no instance m[srt,*]; did you mean 'm[sort,*]'?"),
    evaluate("no axis of the scan", "▸s[tsk=sort].train.model", "'s' has no axis 'tsk'; did you mean 'task'?"),
    evaluate("unknown inside", "▸s[sort].trian.model", "there is no 'trian' in group 's'; did you mean 'train'?"),
    evaluate("unknown output inside", "▸s[sort].train.modle", "train/sft has no output 'modle'; did you mean 'model'?"),
    evaluate(
      "a stage, not its output", "▸s[sort].train", "'train' is an entry of group 's'; one of its outputs must follow: s.train.OUTPUT"),
    evaluate("no such output of a scan", "▸s.modle", "group 's' has no output 'modle'; did you mean 'model'?"),
    evaluate("a group without outputs", "▸g.model", "group 'g' has no outputs of its own; write g.STAGE.OUTPUT"),
    evaluate("through a stage", "▸g.one.two.model", "'one' is a stage and not a group; only one of its outputs can follow"),
    evaluate("brackets where there are no axes", "▸g[1].one.train", "'g' has no matrix, so nothing can stand in brackets"),
    evaluate("wrong type of what is carried", "▸s.data", "input 'model' of evaluate takes model, but s.data is tokens"),
    evaluate("several steps where one is taken", "▸s[*].model", "input 'model' of evaluate takes one, but this gives 2"),
    evaluate("more than one name", "▸carry.model.model", "one name follows 'carry': carry.NAME"),
    stages(
      "unknown carried name",
      """
        s:
          scan: {task: "${tasks}"}
          carry: {model: base.model}
          stages: {e: {uses: evaluate, inputs: {model: ▸carry.modle, suite: "data[sort].heldout"}}}
          then: {model: carry.model}
      """, "no scan around this carries 'modle'; did you mean 'model'?"),
  ]

  static let cycles: [Case] = [
    stages(
      "through a group",
      """
        g: {stages: {▸a: {uses: train/sft, inputs: {model: b.model, data: "tokens[*].tokens"}}}}
        ▹b: {uses: train/sft, inputs: {model: g.a.model, data: "tokens[*].tokens"}}
      """, "stages need each other in a circle: g.a -> b -> g.a"),
    stages(
      "a scan that starts from its own end",
      """
        s:
          scan: {task: "${tasks}"}
          carry: {model: s.model}
          stages: {▸▹a: {uses: train/sft, inputs: {model: carry.model, data: "tokens[*].tokens"}}}
          then: {model: a.model}
      """, "stages need each other in a circle: s[sort].a -> s[count].a -> s[sort].a"),
    stages(
      "names that stand for each other",
      """
        s:
          scan: {task: "${tasks}"}
          carry: {model: ▸t.model}
          stages: {a: {uses: data/tasks, with: {task: "${task}"}}}
          then: {model: carry.model}
        t:
          scan: {task: "${tasks}"}
          carry: {model: s.model}
          stages: {a: {uses: data/tasks, with: {task: "${task}"}}}
          then: {model: carry.model}
      """, "'model' stands for itself"),
  ]

  static func stages(_ name: String, _ lines: String, _ messages: String...) -> Case {
    Case(Case(name, DiagnosticTableTests.stages(lines), sources: ["base/config.json", "file.json"]), messages)
  }

  /// A scan that trains, with these words of its own.
  static func scan(_ name: String, _ words: String, _ messages: String...) -> Case {
    let lines = """
        s:
          \(words)
          stages:
            tokens: {uses: tokenize, inputs: {data: "data[sort].train", tokenizer: base.tokenizer}}
            train: {uses: train/sft, inputs: {model: base.model, data: tokens.tokens}}
      """
    return Case(Case(name, DiagnosticTableTests.stages(lines), sources: ["base/config.json"]), messages)
  }

  /// An evaluation of this model beside a scan and a group.
  static func evaluate(_ name: String, _ model: String, _ messages: String...) -> Case {
    let lines = """
        s:
          scan: {task: "${tasks}"}
          carry: {model: base.model, data: "tokens[sort].tokens"}
          stages:
            train: {uses: train/sft, inputs: {model: carry.model, data: carry.data}}
            scores: {uses: evaluate, matrix: {suite: "${tasks}"}, inputs: {model: train.model, suite: "data[${suite}].heldout"}}
          then: {model: train.model, data: carry.data}
        g: {stages: {one: {uses: data/tasks, with: {task: x}}}}
        a:
          uses: evaluate
          inputs:
            suite: data[sort].heldout
            model: \(model)
      """
    return Case(Case(name, DiagnosticTableTests.stages(lines), sources: ["base/config.json"]), messages)
  }
}

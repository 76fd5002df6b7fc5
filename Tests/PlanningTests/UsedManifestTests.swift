import Diagnostics
import JSONValues
import Planning
import Testing

/// A manifest that another one uses as a group.
struct UsedManifestTests {
  static let outer = """
    heirloom: 1
    params: {tasks: [sort, count]}
    profiles: {small: {tasks: [sort]}}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      sub:
        uses: ./parts/learn.yaml
        with: {task: sort, rate: 1e-3}
        inputs: {model: base.model, tokenizer: base.tokenizer}
      each:
        uses: ./parts/learn.yaml
        scan: {step: "${tasks}"}
        carry: {model: sub.model}
        with: {task: "${step}"}
        inputs: {model: carry.model, tokenizer: base.tokenizer}
        then: {model: outputs.model}
      table: {uses: report, inputs: {scores: [sub.scores, "each[*].scores"]}}
      end: {uses: evaluate, inputs: {model: each.model, suite: "each[sort].suite"}}
    """

  static let inner = """
    heirloom: 1
    name: learn
    numerics: portable
    params: {task: none, rate: 1e-5, tag: "${task}-${rate}"}
    profiles: {small: {rate: 1}}
    inputs:
      model: {type: model, doc: what to train}
      tokenizer: {type: tokenizer}
      anchor: {type: model, optional: true}
    stages:
      data: {uses: data/tasks, with: {task: "${task}"}}
      tokens: {uses: tokenize, inputs: {data: data.train, tokenizer: inputs.tokenizer}}
      train:
        uses: train/sft
        inputs: {model: inputs.model, data: tokens.tokens, anchor: inputs.anchor}
        with: {learning_rate: "${rate}", tag: "${tag}"}
      scores: {uses: evaluate, matrix: {kind: [all, some]}, inputs: {model: train.model, suite: data.heldout}}
      own: {uses: model/import, inputs: {source: ./weights}}
    outputs: {model: train.model, scores: "scores[*].scores", suite: data.heldout}
    """

  static func project(_ outer: String = outer, _ inner: String = inner) -> Project {
    var project = Project(outer, sources: ["base/config.json", "parts/weights"])
    project.texts["/project/pipelines/parts/learn.yaml"] = inner
    return project
  }

  @Test("its stages stand under the entry's name; its params, inputs and outputs are its only doors")
  func uses() throws {
    let graph = try Self.project().load().graph
    func sources(_ instance: String, _ input: String) -> [String]? { GroupTests.sources(graph, instance, input) }
    #expect(
      graph.instances.map(\.name).filter { !$0.hasPrefix("each") }
        == [
          "base", "sub.data", "sub.tokens", "sub.train", "sub.scores[all]", "sub.scores[some]", "sub.own", "table", "end",
        ].sorted { left, right in
          graph.instances.firstIndex { $0.name == left } ?? 0 < graph.instances.firstIndex { $0.name == right } ?? 0
        })
    #expect(sources("sub.train", "model") == ["base.model"])
    #expect(sources("sub.train", "anchor") == [])
    #expect(sources("each[sort].train", "model") == ["sub.train.model"])
    #expect(sources("each[count].train", "model") == ["each[sort].train.model"])
    #expect(sources("end", "model") == ["each[count].train.model"])
    #expect(sources("end", "suite") == ["each[sort].data.heldout"])
    #expect(
      GroupTests.labels(graph, "table", "scores") == [
        "kind=all", "kind=some", "step=sort kind=all", "step=sort kind=some", "step=count kind=all", "step=count kind=some",
      ])
    let train = graph.instances.first { $0.name == "sub.train" }
    #expect(train?.parameters["learning_rate"] == 0.001 && train?.parameters["tag"] == "sort-0.001")
    #expect(graph.instances.first { $0.name == "each[count].train" }?.parameters["tag"] == "count-1e-5")
    #expect(
      graph.instances.first { $0.name == "sub.own" }?.inputs[0].elements[0].source == .file(path: "/project/pipelines/parts/weights"))
  }

  @Test("the outermost manifest says the numerics and has the profiles; the file is read once")
  func outermost() throws {
    let recipe = try Self.project().load(RecipeOptions(profile: "small"))
    #expect(recipe.graph.numerics == .native)
    #expect(recipe.used.map(\.path) == ["pipelines/parts/learn.yaml"])
    #expect(recipe.graph.instances.first { $0.name == "sub.train" }?.parameters["learning_rate"] == 0.001)
    #expect(!recipe.graph.instances.contains { $0.name.hasPrefix("each[count]") })
    #expect(
      DiagnosticRenderer().render(recipe.warnings) == """
        pipelines/parts/learn.yaml:3:11: warning: numerics is native here: the outermost manifest says it
        numerics: portable
                  ^~~~~~~~

        """)
  }

  static let mistakes: [(String, (String, String), (String, String), String)] = [
    (
      "an unknown param", ("rate: 1e-3}", "raet: 1e-3}"), ("", ""),
      """
      pipelines/x.yaml:8:24: error: ./parts/learn.yaml has no param 'raet'; did you mean 'rate'?
          with: {task: sort, raet: 1e-3}
                             ^~~~
      """
    ),
    (
      "a wrong value, found inside", ("rate: 1e-3}", "rate: 0}"), ("", ""),
      """
      pipelines/parts/learn.yaml:16:27: error: learning_rate of train/sft must be above 0, found 0
          with: {learning_rate: "${rate}", tag: "${tag}"}
                                ^~~~~~~~~
      note: in sub.train
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "an input missing", ("inputs: {model: base.model, tokenizer", "inputs: {tokenizer"), ("", ""),
      """
      pipelines/x.yaml:6:3: error: input 'model' (model) of ./parts/learn.yaml is missing
        sub:
        ^~~
      """
    ),
    (
      "an unknown input", ("inputs: {model: base.model, tokenizer", "inputs: {model: base.model, tokeniser: base.tokenizer, tokenizer"),
      ("", ""),
      """
      pipelines/x.yaml:9:33: error: unknown input 'tokeniser' of ./parts/learn.yaml; did you mean 'tokenizer'?
          inputs: {model: base.model, tokeniser: base.tokenizer, tokenizer: base.tokenizer}
                                      ^~~~~~~~~
      """
    ),
    (
      "an input of another type", ("inputs: {model: base.model", "inputs: {model: base.tokenizer"), ("", ""),
      """
      pipelines/x.yaml:9:21: error: input 'model' of ./parts/learn.yaml takes model, but base.tokenizer is tokenizer
          inputs: {model: base.tokenizer, tokenizer: base.tokenizer}
                          ^~~~~~~~~~~~~~
      """
    ),
    (
      "an output that is not there", ("[sub.scores", "[sub.score"), ("", ""),
      """
      pipelines/x.yaml:17:43: error: group 'sub' has no output 'score'; did you mean 'scores'?
        table: {uses: report, inputs: {scores: [sub.score, "each[*].scores"]}}
                                                ^~~~~~~~~
      """
    ),
    (
      "a way past the outputs", ("[sub.scores", "[\"sub.scores[all].scores\""), ("", ""),
      """
      pipelines/x.yaml:17:43: error: 'sub' is the manifest ./parts/learn.yaml, of which only outputs can be referred to: sub.model, sub.scores, sub.suite
        table: {uses: report, inputs: {scores: ["sub.scores[all].scores", "each[*].scores"]}}
                                                ^~~~~~~~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "no such output in then", ("outputs.model}", "outputs.modle}"), ("", ""),
      """
      pipelines/x.yaml:16:19: error: the manifest that is used has no output 'modle'; did you mean 'model'?
          then: {model: outputs.modle}
                        ^~~~~~~~~~~~~
      """
    ),
    (
      "no such input inside", ("", ""), ("tokenizer: inputs.tokenizer", "tokenizer: inputs.tokeniser"),
      """
      pipelines/parts/learn.yaml:12:66: error: the manifest declares no input 'tokeniser'; did you mean 'tokenizer'?
        tokens: {uses: tokenize, inputs: {data: data.train, tokenizer: inputs.tokeniser}}
                                                                       ^~~~~~~~~~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "names of whoever uses it are not seen", ("", ""), ("{model: inputs.model, data", "{model: base.model, data"),
      """
      pipelines/parts/learn.yaml:15:21: error: unknown stage 'base' in a reference
          inputs: {model: base.model, data: tokens.tokens, anchor: inputs.anchor}
                          ^~~~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "an input used for what it is not declared", ("", ""), ("{model: inputs.model, data", "{model: inputs.tokenizer, data"),
      """
      pipelines/parts/learn.yaml:15:21: error: input 'model' of train/sft takes model, but inputs.tokenizer is tokenizer
          inputs: {model: inputs.tokenizer, data: tokens.tokens, anchor: inputs.anchor}
                          ^~~~~~~~~~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "an unknown stage inside, once", ("", ""), ("uses: tokenize,", "uses: tokenise,"),
      """
      pipelines/parts/learn.yaml:12:18: error: unknown stage 'tokenise'; did you mean 'tokenize'?
        tokens: {uses: tokenise, inputs: {data: data.train, tokenizer: inputs.tokenizer}}
                       ^~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "an output of nothing", ("", ""), ("scores\", suite: data.heldout}", "scores\", suite: data.held}"),
      """
      pipelines/parts/learn.yaml:19:66: error: data/tasks has no output 'held'
      outputs: {model: train.model, scores: "scores[*].scores", suite: data.held}
                                                                       ^~~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "a file that is not there", ("uses: ./parts/learn.yaml\n    with: {task: sort", "uses: ./parts/lern.yaml\n    with: {task: sort"),
      ("", ""),
      """
      pipelines/x.yaml:7:11: error: cannot read ./parts/lern.yaml: No such file or directory
          uses: ./parts/lern.yaml
                ^~~~~~~~~~~~~~~~~
      """
    ),
    (
      "a file without its way", ("uses: ./parts/learn.yaml\n    with: {task: sort", "uses: learn.yaml\n    with: {task: sort"), ("", ""),
      """
      pipelines/x.yaml:7:11: error: unknown stage 'learn.yaml'; did you mean './learn.yaml'?
          uses: learn.yaml
                ^~~~~~~~~~
      """
    ),
    (
      "settings of a manifest", ("with: {task: sort,", "retries: 2\n    with: {task: sort,"), ("", ""),
      """
      pipelines/x.yaml:8:5: error: 'retries' means nothing to a whole manifest; its stages say it
          retries: 2
          ^~~~~~~
      """
    ),
    (
      "itself", ("", ""), ("{uses: model/import, inputs: {source: ./weights}}", "{uses: ../x.yaml}"),
      """
      pipelines/parts/learn.yaml:18:15: error: a manifest cannot use itself: pipelines/x.yaml -> pipelines/parts/learn.yaml -> pipelines/x.yaml
        own: {uses: ../x.yaml}
                    ^~~~~~~~~
      pipelines/x.yaml:7:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
    (
      "an axis of whoever uses it", ("", ""), ("kind: [all, some]", "step: [all, some]"),
      """
      pipelines/parts/learn.yaml:17:37: error: axis 'step' is an axis of the group 'each' around it as well
        scores: {uses: evaluate, matrix: {step: [all, some]}, inputs: {model: train.model, suite: data.heldout}}
                                          ^~~~
      pipelines/x.yaml:11:11: note: used here
          uses: ./parts/learn.yaml
                ^~~~~~~~~~~~~~~~~~
      """
    ),
  ]

  @Test("every mistake is said in its file, with a note about where that is used", arguments: mistakes)
  func mistake(name: String, outer: (String, String), inner: (String, String), expected: String) {
    func changed(_ text: String, _ change: (String, String)) -> String {
      guard !change.0.isEmpty, let range = text.firstRange(of: change.0) else { return text }
      return text.replacingCharacters(range, change.1)
    }
    let project = Self.project(
      changed(Self.outer, outer), changed(Self.inner, inner).replacing("numerics: portable", with: "numerics: native"))
    #expect(project.rendered() == expected + "\n", "\(name)")
  }

  @Test("alone it can be checked, but nothing is bound to its inputs")
  func alone() {
    var project = Project(Self.inner, sources: ["weights"])
    #expect(
      project.rendered() == """
        pipelines/x.yaml:7:3: error: nothing is bound to input 'model'; it is for manifests that use this one ('optional: true' leaves it out otherwise)
          model: {type: model, doc: what to train}
          ^~~~~
        pipelines/x.yaml:8:3: error: nothing is bound to input 'tokenizer'; it is for manifests that use this one ('optional: true' leaves it out otherwise)
          tokenizer: {type: tokenizer}
          ^~~~~~~~~

        """)
    project.texts["/project/pipelines/x.yaml"] =
      "heirloom: 1\ninputs: {a: {type: modle}, b: {list: true}}\nstages:\n  d: {uses: data/tasks, with: {task: a}}\noutputs: {x: d.train, y: [d.trian]}\n"
    #expect(
      project.diagnostics().map(\.text) == [
        "nothing is bound to input 'a'; it is for manifests that use this one ('optional: true' leaves it out otherwise)",
        "unknown artifact type 'modle'; did you mean 'model'?",
        "nothing is bound to input 'b'; it is for manifests that use this one ('optional: true' leaves it out otherwise)",
        "'type' is missing in input 'b'", "data/tasks has no output 'trian'; did you mean 'train'?",
      ])
  }

  @Test("files that use each other twice and deeper end as an error, not in a hang")
  func deep() {
    var project = Project("heirloom: 1\nstages: {a: {uses: ./f0.yaml}, b: {uses: ./f0.yaml}}")
    for depth in 0..<40 {
      let next = "heirloom: 1\nstages: {a: {uses: ./f\(depth + 1).yaml}, b: {uses: ./f\(depth + 1).yaml}}"
      project.texts["/project/pipelines/f\(depth).yaml"] =
        depth < 20 ? next : "heirloom: 1\nstages: {d: {uses: data/tasks, with: {task: x}}}"
    }
    #expect(project.diagnostics().first?.message.hasSuffix("instances") == true)
    for depth in 0..<40 {
      project.texts["/project/pipelines/f\(depth).yaml"] = "heirloom: 1\nstages: {a: {uses: ./f\(depth + 1).yaml}}"
    }
    #expect(project.diagnostics().map(\.message) == ["manifests that use each other more than 32 deep"])
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<Index>, _ new: String) -> String {
    self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}

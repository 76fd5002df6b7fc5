import Diagnostics
import JSONValues
import Planning
import Testing

struct ExpansionTests {
  static func graph(_ yaml: String, sources: [String] = ["base/config.json"], _ options: RecipeOptions = RecipeOptions()) throws
    -> InstanceGraph
  {
    try Project(yaml, sources: sources).load(options).graph
  }

  static let sweep = """
    heirloom: 1
    name: sweep
    params: {rates: [1e-5, 2.0e-5], tasks: [sort, count], seed: 3, tag: "r${seed}"}
    profiles: {small: {tasks: [sort], seed: 4}}
    stages:
      table: {uses: report, inputs: {scores: "scores[*].scores"}}
      scores:
        uses: evaluate
        matrix: {rate: "${rates}", suite: "${tasks}"}
        inputs: {model: "sft[${rate}].model", suite: "data[task=${suite}].heldout"}
      base: {uses: model/import, inputs: {source: ./base}}
      data: {uses: data/tasks, matrix: {task: "${tasks}"}, with: {task: "${task}", seed: "${params.seed}"}}
      tokens: {uses: tokenize, matrix: {task: "${tasks}"}, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
      sft:
        uses: train/sft
        matrix: {rate: "${rates}"}
        inputs: {model: base.model, data: ["tokens[sort].tokens"]}
        with: {learning_rate: "${rate}", tag: "${tag}-${rate}", lora: {r: 4}}
        resources: {cpus: 1, memory: 8GiB}
        retries: 2
        timeout: 1h30m
    """

  @Test("instances come after what they need, otherwise as the manifest has them, and are named by their values")
  func names() throws {
    let graph = try Self.graph(Self.sweep)
    #expect(
      graph.instances.map(\.name) == [
        "base", "data[sort]", "tokens[sort]", "sft[1e-5]", "scores[1e-5,sort]", "data[count]", "scores[1e-5,count]", "sft[2e-5]",
        "scores[2e-5,sort]", "scores[2e-5,count]", "table", "tokens[count]",
      ])
    for (index, needs) in graph.dependencies.enumerated() { #expect(needs.allSatisfy { $0 < index }) }
    #expect(graph.dependents[1] == [2, 4, 8])
    #expect(graph.recipe == "sweep" && graph.numerics == .native)
  }

  @Test("an output that a stage's own parameters do not ask for is an error at whoever takes it, in a matrix too")
  func missingConditionalOutput() {
    let contract =
      "stage: maybe\nversion: 1\noutputs: {a: {type: file}, b: {type: file, when: size}}\nparams: {size: {type: integer, default: null}}\nrun: {native: maybe}"
    let manifest = """
      heirloom: 1
      name: x
      stages:
        s: {uses: maybe, matrix: {size: [null, 3]}, with: {size: "${size}"}}
        fits: {uses: data/import, inputs: {source: "s[3].b"}}
        lacks: {uses: data/import, inputs: {source: "s[null].b"}}
      """
    let found = Project(manifest, contracts: ["maybe": contract, "data/import": Self.taker]).diagnostics()
    #expect(found.map(\.message) == ["s[null] gives 'b' only where its parameter 'size' is set"])
    #expect(found.first?.location?.line == 6)
  }

  private static let taker =
    "stage: data/import\nversion: 1\ninputs: {source: {type: file}}\noutputs: {c: {type: file}}\nrun: {native: data/import}"

  @Test("a wildcard gives every instance in the order of the manifest, with its axis values, typed")
  func labels() throws {
    let graph = try Self.graph(Self.sweep)
    let elements = graph.instances[10].inputs[0].elements
    #expect(
      elements.map(graph.sourceName) == [
        "scores[1e-5,sort].scores", "scores[1e-5,count].scores", "scores[2e-5,sort].scores", "scores[2e-5,count].scores",
      ])
    #expect(elements[1].labels == [AxisValue(axis: "rate", value: 0.00001), AxisValue(axis: "suite", value: "count")])
  }

  @Test("parameters are complete, typed and in the contract's order; settings are read")
  func parameters() throws {
    let instance = try Self.graph(Self.sweep).instances[7]
    #expect(instance.parameters.keys == ["learning_rate", "max_steps", "loss", "packing", "betas", "lora", "tag", "save_steps"])
    #expect(instance.parameters["learning_rate"] == 0.00002)
    #expect(instance.parameters["tag"] == "r3-2e-5")
    #expect(instance.parameters["lora"] == ["r": 4, "alpha": 16.0])
    #expect(instance.resources == Resources(cpus: 1, memoryBytes: 8 << 30, gpus: 0, isMemoryStated: true))
    #expect(instance.retries == 2 && instance.timeoutSeconds == 5400)
    #expect(instance.inputs.map(\.elements.count) == [1, 1, 0])
  }

  @Test("a profile sets params before --set does")
  func profiles() throws {
    let graph = try Self.graph(Self.sweep, RecipeOptions(sets: ["params.rates=[3e-5]", "seed=5"], profile: "small", numerics: .portable))
    #expect(graph.instances.map(\.name) == ["base", "data[sort]", "tokens[sort]", "sft[3e-5]", "scores[3e-5,sort]", "table"])
    #expect(graph.parameters["seed"] == 5 && graph.parameters["tag"] == "r5")
    #expect(graph.numerics == .portable)
  }

  @Test(
    "what is wrong with --set and --profile names the argument",
    arguments: [
      (["sed=3"], nil, "--set sed=3: error: unknown param 'sed'; did you mean 'seed'?\n"),
      (["seed"], nil, "--set seed: error: expected NAME=VALUE after --set, found 'seed'\n"),
      (["seed.x=3"], nil, "--set seed.x=3: error: param 'seed' is no mapping\n"),
      (
        ["rates=[1, {a: }"], nil,
        "--set rates=[1, {a: }: error: expected ',' or ']'\n--set rates=[1, {a: }: note: in the list that opens here\n"
      ),
      ([], "smal", "--profile smal: error: unknown profile 'smal'; did you mean 'small'?\n"),
    ] as [([String], String?, String)])
  func arguments(sets: [String], profile: String?, expected: String) {
    let rendered = Project(Self.sweep, sources: ["base/config.json"]).rendered(RecipeOptions(sets: sets, profile: profile))
    #expect(rendered == expected)
  }

  @Test("params that refer to each other in a circle are one error")
  func cyclicParams() {
    let yaml = "heirloom: 1\nparams:\n  a: ${b}\n  b: x${c}\n  c: ${a}\nstages:\n  d: {uses: data/tasks, with: {task: \"${a}\"}}\n"
    #expect(
      Project(yaml).rendered()
        == "pipelines/x.yaml:3:6: error: params refer to each other in a circle: a -> b -> c -> a\n  a: ${b}\n     ^~~~\n")
  }

  @Test("values that would not read well in a name are named by a field or a digest")
  func unreadableNames() throws {
    let yaml = """
      heirloom: 1
      stages:
        data:
          uses: data/tasks
          matrix:
            x: ["a,b", [1, 2], {name: fine, y: 1}, {y: 1}, "", null, true, 1e21, -0.00000012, "\(String(repeating: "z", count: 41))"]
          with: {task: t}
        one: {uses: tokenize, inputs: {data: "data[fine].train", tokenizer: base.tokenizer}}
        two: {uses: tokenize, inputs: {data: "data[null].train", tokenizer: base.tokenizer}}
        base: {uses: model/import, inputs: {source: ./base}}
      """
    let graph = try Self.graph(yaml)
    #expect(
      graph.instances.prefix(10).map { $0.name.replacing(#/#[0-9a-f]{8}/#, with: "#") } == [
        "data[#]", "data[#]", "data[fine]", "data[#]", "data[#]", "data[null]", "data[true]", "data[1e+21]", "data[-1.2e-7]", "data[#]",
      ])
    #expect(graph.dependencies[11] == [2, 10])
  }

  @Test("typed values match however they are written, texts do not match numbers")
  func typedReferences() throws {
    func model(_ reference: String) -> String {
      """
      heirloom: 1
      stages:
        base: {uses: model/import, matrix: {x: [1e-5, 7, "7.0", [1]]}, inputs: {source: ./base}}
        tokens: {uses: tokenize, inputs: {data: ./base/config.json, tokenizer: '\(reference)'}}
      """
    }
    func source(_ reference: String) throws -> String {
      let graph = try Self.graph(model(reference))
      return graph.sourceName(graph.instances[4].inputs[1].elements[0])
    }
    #expect(try source("base[0.00001].tokenizer") == "base[1e-5].tokenizer")
    #expect(try source("base[x=0.1e-4].tokenizer") == "base[1e-5].tokenizer")
    #expect(try source("base[7.0].tokenizer") == "base[7].tokenizer")
    #expect(try source("base[ \"7.0\" ].tokenizer") == "base[7.0].tokenizer")
    #expect(throws: InvalidRecipe.self) { try source("base[\"7\"].tokenizer") }
    #expect(throws: InvalidRecipe.self) { try source("base[8].tokenizer") }
  }

  @Test("include adds to combinations or makes new ones, exclude takes away, as in GitHub Actions")
  func includeExclude() throws {
    let yaml = """
      heirloom: 1
      stages:
        data:
          uses: data/tasks
          matrix:
            task: [apple, pear]
            animal: [cat, dog]
            exclude: [{task: pear, animal: dog}]
            include:
              - {color: green}
              - {color: pink, animal: cat}
              - {task: apple, shape: circle}
              - {task: banana, animal: cat}
              - {task: pear, animal: fox, color: red}
          with: {task: "${task}-${animal}"}
      """
    #expect(
      try Self.graph(yaml).instances.map(\.name) == [
        "data[apple,cat]", "data[apple,dog]", "data[pear,cat]", "data[banana,cat]", "data[pear,fox]",
      ])
    let colours = yaml.replacing("\"${task}-${animal}\"", with: "\"${color}\"").replacing(
      "- {task: banana, animal: cat}", with: "- {shape: ring}")
    #expect(try Self.graph(colours).instances.map { $0.parameters["task"] } == ["pink", "green", "pink", "red"])
    let alone = "heirloom: 1\nstages:\n  data: {uses: data/tasks, matrix: {include: [{a: 1, b: 2}, {b: 3, a: 1}]}, with: {task: x}}"
    #expect(try Self.graph(alone).instances.map(\.name) == ["data[1,2]", "data[1,3]"])
  }

  @Test("a params list may name the references of an input; null leaves an optional input out")
  func inputsFromParams() throws {
    let yaml = """
      heirloom: 1
      params: {anchor: null, sets: ["data[sort].train", ./base/config.json], from: ./base}
      stages:
        base: {uses: model/import, inputs: {source: "${from}"}}
        data: {uses: data/tasks, matrix: {task: [sort]}, with: {task: x}}
        tokens: {uses: tokenize, matrix: {set: "${sets}"}, inputs: {data: "${set}", tokenizer: base.tokenizer}}
        sft: {uses: train/sft, inputs: {model: base.model, data: "tokens[*].tokens", anchor: "${anchor}"}}
      """
    let graph = try Self.graph(yaml)
    #expect(
      graph.instances.map { $0.name.replacing(#/#[0-9a-f]{8}/#, with: "#") } == ["base", "data[sort]", "tokens[#]", "tokens[#]", "sft"])
    #expect(graph.instances[3].inputs[0].elements[0].source == .file(path: "/project/pipelines/base/config.json"))
    #expect(graph.instances[4].inputs[2].elements.isEmpty)
  }

  @Test("a target is an instance, a stage, or a pattern; what it needs comes with it")
  func targets() throws {
    let graph = try Self.graph(Self.sweep)
    func needed(_ targets: String...) throws -> [String] { try graph.needed(for: targets).map { graph.instances[$0].name } }
    #expect(try needed("tokens[sort]") == ["base", "data[sort]", "tokens[sort]"])
    #expect(try needed("sft[0.00002]") == ["base", "data[sort]", "tokens[sort]", "sft[2e-5]"])
    #expect(try needed("data") == ["data[sort]", "data[count]"])
    #expect(try graph.instances(named: "scores[rate=1e-5]").count == 2)
    #expect(try graph.instances(named: "scores[*,sort]").count == 2)
    #expect(try needed().count == 12)
    #expect(throws: Diagnostic.self) { try needed("sfd") }
    do { _ = try needed("sfd") } catch { #expect((error as? Diagnostic)?.text == "the recipe has no instance 'sfd'; did you mean 'sft'?") }
  }

  @Test("a whole finding looks like this, with the instance it was found in")
  func wholeFinding() {
    let yaml = Self.sweep.replacing("rates: [1e-5, 2.0e-5]", with: "rates: [1e-5, -1]")
    #expect(
      Project(yaml, sources: ["base/config.json"]).rendered() == """
        pipelines/x.yaml:18:27: error: learning_rate of train/sft must be above 0, found -1
            with: {learning_rate: "${rate}", tag: "${tag}-${rate}", lora: {r: 4}}
                                  ^~~~~~~~~
        note: in sft[-1]

        """)
  }

  @Test("a missing manifest, and a project without stages, are one line each")
  func nothingThere() {
    let project = Project(Self.sweep)
    #expect(throws: InvalidRecipe.self) { try Recipe.load("nowhere.yaml", RecipeOptions(), project.environment) }
    let bare = PlanningEnvironment(workingDirectory: "/p", files: .inMemory(["/p/x.yaml": "heirloom: 1\nstages:\n  a: {uses: train/sft}"]))
    do {
      _ = try Recipe.load("x.yaml", RecipeOptions(), bare)
    } catch {
      #expect(
        error.diagnostics.map(\.text) == ["unknown stage 'train/sft': no 'stages' directory above the manifest, nor beside the program"])
    }
  }
}

import Diagnostics
import JSONValues
import Planning
import Testing

struct ContractTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let yaml: String
    let messages: [String]

    init(_ name: String, _ yaml: String, _ messages: String...) {
      testDescription = name
      self.yaml = yaml
      self.messages = messages
    }
  }

  /// A contract with these parameters, or with this `run`.
  static func contract(params: String = "{}", run: String = "{native: x}", more: String = "") -> String {
    "stage: x\nversion: 1\ninputs: {data: {type: tokens, list: true}, model: {type: model}}\noutputs: {model: {type: model}}\nparams: \(params)\nrun: \(run)\n\(more)"
  }

  static let head: [Case] = [
    Case(
      "everything missing", "▸▸▸▸▸{}", "'stage' is missing in the contract", "'version' is missing in the contract",
      "a stage needs at least one output", "'run' is missing in the contract"
    ).once(),
    Case(
      "another name", "stage: ▸y\nversion: 1\noutputs: {m: {type: model}}\nrun: {native: x}",
      "this file is the contract of 'x', but says 'y'"),
    Case(
      "version", "stage: x\nversion: ▸0\noutputs: {m: {type: model}}\nrun: {native: x}",
      "expected an integer of at least 1 for 'version', found the integer 0"),
    Case("unknown key", contract(more: "▸checkpoint: true"), "unknown key 'checkpoint' in the contract; did you mean 'checkpoints'?"),
    Case("flag", contract(more: "numeric: ▸yes"), "expected true or false for 'numeric', found the string 'yes'"),
    Case("hermetic", contract(run: "{command: [a]}", more: "hermetic: ▸yes"), "expected on or off for 'hermetic', found the string 'yes'"),
    Case("hermetic native", contract(more: "hermetic: ▸on"), "'hermetic' is for command stages; x is part of this program"),
    Case("resources", contract(more: "resources: {memory: ▸lots}"), "expected an amount of memory such as 8GiB, found the string 'lots'"),
    Case(
      "artifact type", "stage: x\nversion: 1\noutputs: {m: {type: ▸modle}}\nrun: {native: x}",
      "unknown artifact type 'modle'; did you mean 'model'?"),
    Case("any output", "stage: x\nversion: 1\noutputs: {m: {type: ▸any}}\nrun: {native: x}", "an output cannot be of type any"),
    Case(
      "records of an unknown parameter",
      "stage: x\nversion: 1\noutputs: {m: {type: dataset, records: ▸size}}\nparams: {sizes: {type: integer}}\nrun: {native: x}",
      "'records' is the name of an integer parameter, but there is no parameter 'size'; did you mean 'sizes'?"),
    Case(
      "records of a text",
      "stage: x\nversion: 1\noutputs: {m: {type: dataset, records: ▸a}}\nparams: {a: {type: string}}\nrun: {native: x}",
      "'records' is the name of an integer parameter, but 'a' is of type string"),
    Case(
      "condition that is no parameter",
      "stage: x\nversion: 1\noutputs: {m: {type: model, when: ▸saves}}\nparams: {save: {type: boolean, default: false}}\nrun: {native: x}",
      "'when' is the name of a parameter in the key that is a boolean or may be null; 'saves' is none; did you mean 'save'?"),
    Case(
      "condition outside the key",
      "stage: x\nversion: 1\noutputs: {m: {type: model, when: ▸save}}\nparams: {save: {type: boolean, default: false, affects: speed}}\nrun: {native: x}",
      "'when' is the name of a parameter in the key that is a boolean or may be null; 'save' is none"),
    Case(
      "input unless nothing",
      "stage: x\nversion: 1\ninputs: {a: {type: model, unless: ▸server}}\noutputs: {m: {type: model}}\nparams: {serve: {type: string, default: null}}\nrun: {native: x}",
      "'unless' is the name of a parameter in the key that may be null; 'server' is none; did you mean 'serve'?"),
    Case(
      "input without a type", "stage: x\nversion: 1\ninputs: {a: ▸{list: true}}\noutputs: {m: {type: model}}\nrun: {native: x}",
      "'type' is missing in input 'a'"),
  ]

  static let params: [Case] = [
    Case("unknown type", contract(params: "{a: {type: ▸int}}"), "unknown parameter type 'int'"),
    Case("no type", contract(params: "{a: ▸{default: 1}}"), "'type' is missing in parameter 'a'"),
    Case("unknown key", contract(params: "{a: {type: number, ▸minimum: 1}}"), "unknown key 'minimum' in parameter 'a'"),
    Case(
      "default of another type", contract(params: "{a: {type: integer, default: ▸x}}"),
      "expected an integer for the default of a, found the string 'x'"),
    Case(
      "default out of bounds", contract(params: "{a: {type: number, default: ▸2, max: 1}}"), "the default of a must be at most 1, found 2"),
    Case("bounds of a string", contract(params: "{a: {type: string, ▸min: 1}}"), "'min' means nothing to a parameter of type string"),
    Case("no value left", contract(params: "{a: {type: number, above: ▸1, max: 1}}"), "the bounds leave no value"),
    Case("choice of nothing", contract(params: "{a: {type: choice, of: ▸[]}}"), "a choice needs 'of' with at least one scalar value"),
    Case("list of nothing", contract(params: "{a: ▸{type: list}}"), "a list needs 'of' with the type of its elements"),
    Case("affects", contract(params: "{a: {type: number, affects: ▸bytes}}"), "'affects' takes the words speed and bytes_when_set"),
    Case(
      "set without null", contract(params: "{a: {type: number, default: 1, affects: ▸bytes_when_set}}"),
      "a parameter that affects bytes_when_set has the default null"),
    Case("names", contract(params: "{a: {type: number, names: ▸variable}}"), "'names' takes only the word variable, of a string"),
    Case(
      "field", contract(params: "{a: {type: record, fields: {b: {type: ▸nmber}}}}"),
      "unknown parameter type 'nmber'; did you mean 'number'?"),
  ]

  static let run: [Case] = [
    Case("neither", contract(run: "▸{}"), "'run' needs either 'native' or 'command'"),
    Case("both", contract(run: "▸{native: x, command: [a]}"), "'run' needs either 'native' or 'command'"),
    Case("native with sources", contract(run: "{native: x, ▸sources: [a]}"), "'sources' means nothing to a native stage"),
    Case("no words", contract(run: "{command: ▸[]}"), "a command needs at least one word"),
    Case("a number", contract(run: "{command: [a, ▸1]}"), "expected a string for an element of 'command', found the integer 1"),
    Case(
      "unknown word", contract(run: "{command: [▸\"${stage.path}\"]}"),
      "'${stage.path}' is not known to a command; write ${stage.dir}, ${inputs.NAME}, ${outputs.NAME} or ${params.NAME}"),
    Case("unknown input", contract(run: "{command: [▸\"${inputs.modle}\"]}"), "the contract has no input 'modle'; did you mean 'model'?"),
    Case("unknown output", contract(run: "{command: [▸\"${outputs.data}\"]}"), "the contract has no output 'data'"),
    Case(
      "unknown parameter", contract(params: "{rate: {type: number}}", run: "{command: [▸\"--r=${params.rat}\"]}"),
      "the contract has no parameter 'rat'; did you mean 'rate'?"),
    Case(
      "unknown field", contract(params: "{a: {type: record, fields: {low: {type: number}}}}", run: "{command: [▸\"${params.a.lo}\"]}"),
      "the contract has no field 'lo'; did you mean 'low'?"),
    Case("a list inside a word", contract(run: "{command: [▸\"x${inputs.data}\"]}"), "${inputs.data} is a list and must be the whole word"),
    Case(
      "visible", contract(run: "{command: [a], visible: [/data, ~/x, ▸x]}"),
      "'visible' takes absolute paths and paths that begin with '~/', found 'x'"),
    Case("missing source", contract(run: "{command: [a], sources: [▸x.py]}"), "no such file beside the contract: x.py"),
    Case(
      "absolute source", contract(run: "{command: [a], sources: [▸/etc/x]}"),
      "a source file is named relative to the contract, found /etc/x"),
    Case("variable", contract(run: "{command: [a], environment: [▸A-B]}"), "'A-B' is no name of an environment variable"),
  ]

  @Test("what is wrong with a contract has its message and its place", arguments: head + params + run)
  func finding(_ example: Case) {
    let marked = MarkedText(example.yaml)
    let source = SourceFile(path: "stages/x.yaml", text: marked.text)
    let (contract, findings) = ContractDecoder.decode(source, name: "x", path: "/p/stages/x.yaml", files: .inMemory([:]))
    #expect(findings.sorted.map(\.text) == example.messages)
    #expect(findings.sorted.compactMap { $0.location?.place } == marked.findings)
    #expect(contract == nil)
  }

  @Test("a contract with errors is reported in its own file and where it is used")
  func used() {
    let project = Project(
      "heirloom: 1\nstages:\n  a: {uses: x}\n  b: {uses: x}",
      contracts: ["x": "stage: x\nversion: 0\noutputs: {m: {type: model}}\nrun: {native: x}"])
    #expect(
      project.rendered() == """
        stages/x.yaml:2:10: error: expected an integer of at least 1 for 'version', found the integer 0
        version: 0
                 ^
        pipelines/x.yaml:3:13: error: the contract of 'x' has errors
          a: {uses: x}
                    ^
        pipelines/x.yaml:4:13: error: the contract of 'x' has errors
          b: {uses: x}
                    ^

        """)
  }

  @Test("every shipped contract is sound, and has a page and a schema")
  func shipped() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let catalogue = StageCatalogue(directories: ["/\(root)/stages"])
    let (contracts, diagnostics) = catalogue.all()
    #expect(DiagnosticRenderer().render(diagnostics) == "")
    #expect(contracts.count >= 5)
    for contract in contracts { #expect(StageReference.page(contract).hasPrefix("\(contract.name), version \(contract.version)\n")) }
    #expect(
      Schema.manifest(contracts)["allOf"] == nil
        && Schema.manifest(contracts)["$defs"]?["stage"]?["allOf"]?.arrayValue?.count == contracts.count)
    #expect(Schema.contract()["$defs"]?["parameter"] != nil)
  }

  @Test("an output may name the parameter that says how many records it holds")
  func records() {
    let text =
      "stage: x\nversion: 1\noutputs: {m: {type: suite, records: heldout}, n: {type: file}}\nparams: {heldout: {type: integer, default: 1}}\nrun: {native: x}"
    let source = SourceFile(path: "stages/x.yaml", text: text)
    let contract = ContractDecoder.decode(source, name: "x", path: "/p/stages/x.yaml", files: .inMemory([:])).contract
    #expect(contract?.output("m")?.records == "heldout")
    #expect(contract?.output("n")?.records == nil)
  }

  @Test("the schema tells stages, groups and manifests that are used apart")
  func entrySchema() {
    let schema = Schema.manifest([])
    #expect(schema["$defs"]?["stages"]?["additionalProperties"]?["then"]?["$ref"] == "#/$defs/group")
    #expect(schema["$defs"]?["group"]?["properties"]?["stages"]?["$ref"] == "#/$defs/stages")
    #expect(schema["$defs"]?["manifest"]?["properties"]?["scan"]?["maxProperties"] == 1)
    #expect(schema["properties"]?["outputs"]?["additionalProperties"]?["anyOf"]?.arrayValue?.count == 3)
    #expect(schema["properties"]?["inputs"]?["additionalProperties"]?["properties"]?["labels"] == nil)
  }

  @Test("a stage's page is made from its contract")
  func page() throws {
    let environment = Project("").environment
    guard case .found(let contract, _) = environment.catalogue(for: "/project").contract(named: "train/sft") else {
      Issue.record("no contract")
      return
    }
    #expect(
      StageReference.page(contract) == """
        train/sft, version 1

        Inputs
          model   model
          data    list of tokens
          anchor  model, optional

        Outputs
          model  model

        Parameters
          learning_rate  number > 0                           default 1e-5
          max_steps      integer ≥ -1                         default -1
          loss           nll | talr | flow | dft              default nll
          packing        boolean                              default true
          betas          list of number ≥ 0, < 1 (count = 2)  default [0.9,0.999]
          lora           record                               default null
          lora.r         integer ≥ 1                          required
          lora.alpha     number                               default 16
          tag            string                               default ''
          save_steps     integer ≥ 1                          default 200          affects speed only

        Runs
          what       native train/sft
          resources  cpus 2, memory 4GiB
          notes      writes checkpoints and resumes from them; the numerics class is part of its key

        In a manifest
          name:
            uses: train/sft
            inputs: {model: …, data: …}

        """)
  }

  @Test("the fields of a list's records are on the page, and its default says no more than was written")
  func recordFields() throws {
    let environment = PlanningEnvironment(workingDirectory: ManifestPageTests.root)
    guard case .found(let contract, _) = environment.catalogue(for: ManifestPageTests.root).contract(named: "rollout") else {
      Issue.record("no contract")
      return
    }
    let lines = StageReference.page(contract).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let list = try #require(lines.first { $0.first == "rewards" })
    #expect(list.contains(#"[{"kind":"verify","name":"accuracy"}]"#))
    #expect(lines.contains { $0.prefix(5) == ["rewards[].weight", "number", "default", "1", "the"] })
    #expect(lines.contains { $0.starts(with: ["rewards[].kind", "verify"]) && $0.contains("required") })
  }

  @Test("amounts of memory and time")
  func quantities() {
    #expect(["8GiB", "512MiB", "1.5KiB", "1GB", "7B"].map { Quantity.bytes(.string($0)) } == [8 << 30, 512 << 20, 1536, 1_000_000_000, 7])
    #expect(["8", "8 G", "GiB", "-1GiB", "0B"].map { Quantity.bytes(.string($0)) } == [nil, nil, nil, nil, nil])
    #expect(["2h", "1h30m", "90s", "1.5m", "100ms", "1d"].map { Quantity.seconds(.string($0)) } == [7200, 5400, 90, 90, 0.1, 86400])
    #expect(["2", "h", "2x", "", "1h30"].map { Quantity.seconds(.string($0)) } == [nil, nil, nil, nil, nil])
    #expect(Quantity.seconds(60) == 60 && Quantity.seconds(0) == nil && Quantity.bytes(1024) == 1024)
    #expect([8 << 30, 1536, 1000].map { Quantity.text(bytes: $0) } == ["8GiB", "1536B", "1000B"])
  }
}

extension ContractTests.Case {
  /// All at one place.
  fileprivate func once() -> Self { Self(testDescription, yaml: yaml.replacing("▸▸▸▸▸", with: "▸▸▸▸"), messages) }

  private init(_ name: String, yaml: String, _ messages: [String]) {
    testDescription = name
    self.yaml = yaml
    self.messages = messages
  }
}

import Hashing
import JSONValues
import Planning
import Testing

struct KeyTests {
  static let manifest = """
    heirloom: 1
    params: {rate: 1e-5}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      data: {uses: data/tasks, matrix: {task: [sort, count]}, with: {task: "${task}"}}
      tokens: {uses: tokenize, inputs: {data: "data[sort].train", tokenizer: base.tokenizer}}
      sft: {uses: train/sft, inputs: {model: base.model, data: tokens.tokens}, with: {learning_rate: "${rate}"}}
      scores: {uses: evaluate, matrix: {suite: [sort, count]}, inputs: {model: sft.model, suite: "data[${suite}].heldout"}}
      table: {uses: report, inputs: {scores: "scores[*].scores"}}
    """

  static func keys(_ yaml: String = manifest, contracts: [String: String] = [:], numerics: NumericsClass = .native) throws -> [String:
    StageKey]
  {
    let graph = try Project(yaml, contracts: contracts, sources: ["base/config.json"]).load(RecipeOptions(numerics: numerics)).graph
    return Dictionary(uniqueKeysWithValues: zip(graph.instances.map(\.name), Project.keys(graph)))
  }

  static func changed(_ yaml: String) throws -> Set<String> {
    let (before, after) = (try keys(), try keys(yaml))
    return Set(after.keys.filter { after[$0] != before[$0] })
  }

  @Test("the parts are canonical JSON, complete, and what is hashed")
  func parts() throws {
    let key = try #require(try Self.keys()["sft"])
    let text = String(decoding: key.canonical, as: UTF8.self)
    #expect(CanonicalJSON.bytes(key.parts) == key.canonical)
    #expect(key.digest == Digest(hashing: text))
    #expect(
      text.replacing(#/sha256:[0-9a-f]{64}/#, with: "sha256:…")
        == #"{"format":"heirloom-key-1","inputs":{"data":["sha256:…"],"model":"sha256:…"},"numerics":"native","outputs":["model"],"#
        + #""parameters":{"betas":[0.9,0.999],"learning_rate":0.00001,"lora":null,"loss":"nll","max_steps":-1,"packing":true,"tag":""},"#
        + #""run":{"native":"train/sft"},"stage":"train/sft","version":1}"#)
  }

  @Test("labels are in the key, typed and in order, where the contract asks for them")
  func labels() throws {
    let parts = try #require(try Self.keys()["table"]).parts
    #expect(parts["inputs"]?["scores"]?[1]?["labels"] == [["suite", "count"]])
  }

  @Test("names, comments, order of keys, resources and speed are not in a key")
  func notInTheKey() throws {
    #expect(try Self.changed("# new\n" + Self.manifest.replacing("1e-5", with: "0.1e-4")) == [])
    #expect(
      try Self.changed(
        Self.manifest.replacing(
          "{learning_rate: \"${rate}\"}", with: "{save_steps: 7, learning_rate: \"${rate}\"}, resources: {cpus: 1}, retries: 3")) == [])
    let renamed = try Self.keys(Self.manifest.replacing("sft", with: "tuned").replacing("train/tuned", with: "train/sft"))
    #expect(try renamed["tuned"] == Self.keys()["sft"] && renamed["table"] == Self.keys()["table"])
  }

  @Test("a changed parameter changes that key and those downstream")
  func parameter() throws {
    #expect(
      try Self.changed(Self.manifest.replacing("rate: 1e-5", with: "rate: 2e-5")) == ["sft", "scores[sort]", "scores[count]", "table"])
    #expect(try Self.changed(Self.manifest.replacing("suite: [sort, count]", with: "suite: [count, sort]")) == ["table"])
  }

  @Test("the numerics class is in the key of numeric stages alone")
  func numerics() throws {
    let (native, portable) = (try Self.keys(), try Self.keys(numerics: .portable))
    #expect(native["data[sort]"] == portable["data[sort]"])
    #expect(native["sft"] != portable["sft"])
  }

  static func command(_ run: String, version: Int = 1) -> [String: String] {
    [
      "data/tasks":
        "stage: data/tasks\nversion: \(version)\noutputs: {train: {type: dataset}, heldout: {type: suite}}\nparams: {task: {type: string}}\nrun: \(run)"
    ]
  }

  @Test("a command's words, sources, versions and keyed variables are in its key; what it only passes on is not")
  func commands() throws {
    let first = try Self.keys(
      contracts: Self.command("{command: [a, \"${outputs.train}\"], environment: [X], keyed_environment: [Y], versions: [[a, -v]]}"))
    #expect(
      CanonicalJSON.text(first["data[sort]"]?.parts["run"] ?? .null)
        == #"{"command":["a","${outputs.train}"],"keyed_environment":{"Y":null},"sources":{},"versions":[{"command":["a","-v"],"prints":"a-v 1\n"}]}"#
    )
    let second = try Self.keys(
      contracts: Self.command("{command: [a, \"${outputs.train}\"], environment: [Z], keyed_environment: [Y], versions: [[a, -v]]}"))
    let third = try Self.keys(
      contracts: Self.command("{command: [a, b, \"${outputs.train}\"], keyed_environment: [Y], versions: [[a, -v]]}"))
    #expect(first["data[sort]"] == second["data[sort]"] && first["data[sort]"] != third["data[sort]"])
  }
}

struct ReasonsTests {
  static func reasons(_ old: String, _ new: String) throws -> [String] {
    func parts(_ text: String) throws -> JSONValue {
      guard case .object(var base) = try JSONValue.parse(#"{"format": "f", "outputs": ["model"], "stage": "s", "version": 1}"#) else {
        return .null
      }
      for (name, value) in try JSONValue.parse("{\(text)}").objectValue?.members ?? [] { base.set(name, value) }
      return .object(base)
    }
    return Reasons.explain(new: try parts(new), old: try parts(old)) { input, element in "\(input)_source[\(element)].train" }
  }

  @Test(
    "each change is one line",
    arguments: [
      (#""parameters": {"learning_rate": 0.00001}"#, #""parameters": {"learning_rate": 0.00002}"#, ["learning_rate 1e-5 -> 2e-5"]),
      (#""parameters": {"a": 1, "b": "x"}"#, #""parameters": {"a": 1.5, "b": "x y"}"#, ["a 1 -> 1.5", "b x -> 'x y'"]),
      (#""parameters": {"lora": {"r": 4, "alpha": 16}}"#, #""parameters": {"lora": {"r": 8, "alpha": 16}}"#, ["lora.r 4 -> 8"]),
      (#""parameters": {"lora": null}"#, #""parameters": {"lora": {"r": 8}}"#, [#"lora null -> {"r":8}"#]),
      (#""parameters": {"old": 1}"#, #""parameters": {"new": true}"#, ["parameter new added: true", "parameter old removed"]),
      (#""version": 1"#, #""version": 2"#, ["contract version 1 -> 2"]),
      (#""outputs": ["a"]"#, #""outputs": ["a", "b"]"#, [#"outputs ["a"] -> ["a","b"]"#]),
      (#""numerics": "native""#, #""numerics": "portable""#, ["numerics native -> portable"]),
      (#""format": "f1""#, #""format": "f2""#, ["format f1 -> f2"]),
      (#""inputs": {"data": "1"}"#, #""inputs": {"data": "2"}"#, ["input data changed: data_source[0].train"]),
      (#""inputs": {"data": ["1", "2", "3"]}"#, #""inputs": {"data": ["1", "5", "3"]}"#, ["input data changed: data_source[1].train"]),
      (#""inputs": {"data": ["1", "2"]}"#, #""inputs": {"data": ["2", "1"]}"#, ["input data reordered"]),
      (#""inputs": {"data": ["1"]}"#, #""inputs": {"data": ["1", "2"]}"#, ["input data added: data_source[1].train"]),
      (#""inputs": {"data": ["1", "2", "3"]}"#, #""inputs": {"data": ["3"]}"#, ["input data has lost 2 elements"]),
      (#""inputs": {"a": "1"}"#, #""inputs": {"b": "1"}"#, ["input b added: b_source[0].train", "input a removed"]),
      (
        #""inputs": {"s": [{"digest": "1", "labels": [["x", 1]]}]}"#, #""inputs": {"s": [{"digest": "1", "labels": [["x", 2]]}]}"#,
        ["input s has other axis values: s_source[0].train"]
      ),
      (#""run": {"native": "a"}"#, #""run": {"native": "b"}"#, ["native stage a -> b"]),
      (
        #""run": {"command": ["a"], "sources": {"x.py": "1", "z": "1"}, "versions": [{"command": ["p", "-v"], "prints": "1\n"}], "keyed_environment": {"H": null}}"#,
        #""run": {"command": ["b"], "sources": {"x.py": "2", "y": "1"}, "versions": [{"command": ["p", "-v"], "prints": "2\n"}], "keyed_environment": {"H": "h"}}"#,
        ["command changed", "source x.py changed", "source y added", "source z removed", "p -v printed 1 -> 2", "H unset -> h"]
      ),
      (#""parameters": {"a": 1}"#, #""parameters": {"a": 1.0}"#, []),
    ] as [(String, String, [String])])
  func change(old: String, new: String, expected: [String]) throws {
    #expect(try Self.reasons(old, new) == expected)
  }

  @Test("long values are cut short")
  func long() throws {
    let list = "[\((0..<100).map(String.init).joined(separator: ","))]"
    let reasons = try Self.reasons(#""parameters": {"a": 1}"#, #""parameters": {"a": \#(list)}"#)
    #expect(reasons == ["a 1 -> [0,1,2,3,4,5,6,7,8,9,10,11,1…,91,92,93,94,95,96,97,98,99]"])
  }

  @Test("no earlier result: never run; a change of a real recipe names its sources")
  func recipe() throws {
    let graph = try Project(KeyTests.manifest, sources: ["base/config.json"]).load().graph
    let changed = try Project(
      KeyTests.manifest.replacing("task: \"${task}\"", with: "task: \"${task}\", seed: 9"), sources: ["base/config.json"]
    ).load().graph
    let (old, new) = (Project.keys(graph), Project.keys(changed))
    func reasons(_ index: Int) -> [String] {
      Reasons.explain(new: new[index].parts, old: old[index].parts, changed.instances[index], in: changed)
    }
    #expect(Reasons.explain(new: new[0].parts, old: nil, changed.instances[0], in: changed) == ["never run"])
    #expect(reasons(0) == [])
    #expect(reasons(1) == ["seed 0 -> 9"])
    #expect(changed.instances[3].name == "tokens" && reasons(3) == ["input data changed: data[sort].train"])
    #expect(Reasons.distance(new: new[1].parts, old: old[1].parts) == 1)
  }
}

import Diagnostics
import Hashing
import JSONValues
import Planning

/// A project in memory: a manifest, a handful of contracts, some source files.
struct Project {
  var texts: [String: String]

  init(_ manifest: String, contracts: [String: String] = [:], sources: [String] = []) {
    texts = Self.contracts
    for (name, text) in contracts { texts["/project/stages/\(name).yaml"] = text }
    for path in sources { texts["/project/pipelines/\(path)"] = "x" }
    texts["/project/pipelines/x.yaml"] = manifest
  }

  var environment: PlanningEnvironment { PlanningEnvironment(workingDirectory: "/project", files: .inMemory(texts)) }

  func load(_ options: RecipeOptions = RecipeOptions()) throws(InvalidRecipe) -> Recipe {
    try Recipe.load("pipelines/x.yaml", options, environment)
  }

  func diagnostics(_ options: RecipeOptions = RecipeOptions()) -> [Diagnostic] {
    do {
      return try load(options).warnings
    } catch {
      return error.diagnostics
    }
  }

  func rendered(_ options: RecipeOptions = RecipeOptions()) -> String { DiagnosticRenderer().render(diagnostics(options)) }

  /// The keys of all instances, when every output of an instance has the digest of its key and output name.
  static func keys(_ graph: InstanceGraph, files: (String) -> Digest = { Digest(hashing: $0) }) -> [StageKey] {
    var keys: [StageKey] = []
    for instance in graph.instances {
      let digests = instance.inputs.map { input in
        input.elements.map { element in
          switch element.source {
          case .file(let path): files(path)
          case .output(let index, let output): Digest(hashing: keys[index].digest.hex + output)
          }
        }
      }
      keys.append(KeyBuilder.key(instance, inputs: digests, environment: environment(of: instance.contract, graph.numerics)))
    }
    return keys
  }

  static func environment(of contract: StageContract, _ numerics: NumericsClass) -> KeyEnvironment {
    guard case .command(let command) = contract.run else { return KeyEnvironment(numerics: numerics) }
    return KeyEnvironment(
      sourceDigests: command.sources.map { Digest(hashing: $0) }, versionOutputs: command.versions.map { $0.joined() + " 1\n" },
      keyedEnvironment: command.keyedEnvironment.map { _ in nil }, numerics: numerics)
  }

  private static let contracts: [String: String] = [
    "/project/stages/model/import.yaml": """
    stage: model/import
    version: 1
    inputs: {source: {type: any}}
    outputs: {model: {type: model}, tokenizer: {type: tokenizer}}
    run: {native: model/import}
    """,
    "/project/stages/data/tasks.yaml": """
    stage: data/tasks
    version: 1
    outputs: {train: {type: dataset}, heldout: {type: suite}}
    params:
      task: {type: string}
      train: {type: integer, default: 512, min: 1}
      seed: {type: integer, default: 0}
    run: {native: data/tasks}
    """,
    "/project/stages/tokenize.yaml": """
    stage: tokenize
    version: 1
    inputs: {data: {type: dataset}, tokenizer: {type: tokenizer}}
    outputs: {tokens: {type: tokens}}
    run: {native: tokenize}
    """,
    "/project/stages/train/sft.yaml": """
    stage: train/sft
    version: 1
    inputs:
      model: {type: model}
      data: {type: tokens, list: true}
      anchor: {type: model, optional: true}
    outputs:
      model: {type: model}
    params:
      learning_rate: {type: number, default: 1.0e-5, above: 0}
      max_steps: {type: integer, default: -1, min: -1}
      loss: {type: choice, of: [nll, talr, flow, dft], default: nll}
      packing: {type: boolean, default: true}
      betas: {type: list, of: {type: number, min: 0, below: 1}, default: [0.9, 0.999], min: 2, max: 2}
      lora: {type: record, default: null, fields: {r: {type: integer, min: 1}, alpha: {type: number, default: 16}}}
      tag: {type: string, default: ""}
      save_steps: {type: integer, default: 200, min: 1, affects: speed}
    resources: {cpus: 2, memory: 4GiB}
    checkpoints: true
    numeric: true
    run: {native: train/sft}
    """,
    "/project/stages/evaluate.yaml": """
    stage: evaluate
    version: 1
    inputs: {model: {type: model}, suite: {type: suite}}
    outputs: {scores: {type: scores}}
    numeric: true
    run: {native: evaluate}
    """,
    "/project/stages/report.yaml": """
    stage: report
    version: 1
    inputs: {scores: {type: scores, list: true, labels: true}, notes: {type: json, optional: true}}
    outputs: {table: {type: report}}
    run: {native: report}
    """,
  ]
}

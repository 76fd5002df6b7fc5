import Diagnostics
import Hashing
import JSONValues
import Manifests
import Planning

extension Parser {
  /// Manifests, contracts, and what stands on the command line.
  static let planning: [Parser] = [manifest, contract, commandLine]

  private static let contracts: [String: String] = [
    "/project/stages/model/import.yaml": """
    stage: model/import
    version: 1
    summary: Takes a model in.
    inputs: {source: {type: model}}
    outputs: {model: {type: model}, tokenizer: {type: tokenizer}}
    run: {native: model/import}
    """,
    "/project/stages/data.yaml": """
    stage: data
    version: 1
    summary: Makes data.
    outputs: {train: {type: dataset}, heldout: {type: suite}}
    params:
      task: {type: string}
      train: {type: integer, default: 4, min: 1}
      seed: {type: integer, default: 0}
      mix: {type: list, of: {type: record, fields: {name: {type: string}, share: {type: number, above: 0}}}, default: []}
    run: {command: [make-data, "${params.task}"]}
    """,
    "/project/stages/train.yaml": """
    stage: train
    version: 2
    summary: Trains.
    inputs: {model: {type: model}, data: {type: dataset, list: true, labels: true}, anchor: {type: model, optional: true}}
    outputs: {model: {type: model}}
    params:
      learning_rate: {type: number, default: 1.0e-5, above: 0}
      loss: {type: choice, of: [nll, dft], default: nll}
    checkpoints: true
    numeric: true
    run: {native: train}
    """,
  ]

  private static func environment(_ texts: [String: String]) -> PlanningEnvironment {
    PlanningEnvironment(workingDirectory: "/project", files: .inMemory(texts.merging(contracts) { new, _ in new }))
  }

  /// A manifest, and behind a NUL another one that it may use as ./other.yaml.
  private static let manifest = Parser("manifest", longest: 4096) { bytes in
    let parts = Scratch.parts(bytes, 2)
    let files = environment([
      "/project/x.yaml": "", "/project/other.yaml": String(decoding: parts[1], as: UTF8.self), "/project/models/base/config.json": "{}",
    ])
    let inner = files.files
    let own = ProjectFiles(
      read: { path, limit in path == "/project/x.yaml" ? .success(Array(parts[0].prefix(limit + 1))) : inner.read(path, limit) },
      kind: inner.kind, list: inner.list)
    do {
      let recipe = try Recipe.load("x.yaml", RecipeOptions(), PlanningEnvironment(workingDirectory: "/project", files: own))
      for instance in recipe.graph.instances {
        let digests = instance.inputs.map { $0.elements.map { _ in Digest(hashing: "x") } }
        let key = KeyBuilder.key(instance, inputs: digests, environment: KeyEnvironment(numerics: recipe.graph.numerics))
        _ = Reasons.explain(new: key.parts, old: nil, instance, in: recipe.graph)
      }
    } catch let error as InvalidRecipe { _ = DiagnosticRenderer().render(error.diagnostics) }
  }

  private static let contract = Parser("contract", longest: 4096) { bytes in
    let inner = environment([:]).files
    let files = ProjectFiles(
      read: { path, limit in path == "/project/stages/x/y.yaml" ? .success(Array(bytes.prefix(limit + 1))) : inner.read(path, limit) },
      kind: { path in path == "/project/stages/x/y.yaml" ? .file : inner.kind(path) }, list: inner.list)
    let catalogue = StageCatalogue(directories: ["/project/stages"], files: files)
    switch catalogue.contract(named: "x/y") {
    case .found(let contract, let warnings):
      _ = DiagnosticRenderer().render(warnings)
      _ = StageReference.page(contract)
    case .broken(let errors): _ = DiagnosticRenderer().render(errors)
    case .unknown: break
    }
  }

  /// A `--set`, and a name of an instance.
  private static let commandLine = Parser("command-line", longest: 512) { bytes in
    let parts = Scratch.parts(bytes, 2).map { String(decoding: $0, as: UTF8.self) }
    let manifest = """
      heirloom: 1
      name: x
      params: {seed: 17, tasks: [sort, count], nested: {a: 1}}
      stages:
        data: {uses: data, matrix: {task: "${tasks}"}, with: {task: "${task}", seed: "${seed}"}}
      """
    let options = RecipeOptions(sets: [parts[0]])
    do {
      let recipe = try Recipe.load("x.yaml", options, environment(["/project/x.yaml": manifest]))
      _ = try recipe.graph.needed(for: [parts[1]])
    } catch let error as InvalidRecipe { _ = DiagnosticRenderer().render(error.diagnostics) }
  }
}

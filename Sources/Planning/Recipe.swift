import Diagnostics
import JSONValues
import Manifests

/// A manifest that has been read, checked and expanded. It knows nothing of the store and of running.
package struct Recipe: Sendable {
  package let graph: InstanceGraph
  /// Absolute path of the manifest.
  package let path: String
  /// Its bytes, as they were read.
  package let manifest: SourceFile
  /// The manifests that it uses, each once.
  package let used: [SourceFile]
  package let description: String?
  /// The nearest directory at or above the manifest's that has `stages/`, else the manifest's own: home of `artifacts/`.
  package let projectDirectory: String
  /// What is allowed but doubtful.
  package let warnings: [Diagnostic]

  /// Reads the manifest at `path`, relative to `environment.workingDirectory`. All errors are reported, not only the first.
  package static func load(_ path: String, _ options: RecipeOptions = RecipeOptions(), _ environment: PlanningEnvironment)
    throws(InvalidRecipe) -> Recipe
  {
    let whole = Paths.absolute(path, from: environment.workingDirectory)
    let source: SourceFile
    switch environment.files.read(whole, YAMLLimits().bytes) {
    case .failure(let failure):
      throw InvalidRecipe(diagnostics: [Diagnostic(.error, ManifestText.unreadable(path, failure.reason), at: nil)])
    case .success(let bytes): source = SourceFile(path: path, bytes: bytes)
    }
    let (manifest, parsed) = ManifestDecoder.decode(source)
    guard let manifest else { throw InvalidRecipe(diagnostics: parsed.sorted) }
    return try expand(manifest, parsed, whole, options, environment)
  }

  private static func expand(
    _ manifest: Manifest, _ parsed: Findings, _ path: String, _ options: RecipeOptions, _ environment: PlanningEnvironment
  ) throws(InvalidRecipe) -> Recipe {
    var findings = parsed
    guard let params = RecipeParams.resolve(manifest, options, &findings) else { throw InvalidRecipe(diagnostics: findings.sorted) }
    let directory = Paths.parent(path)
    var library = ManifestLibrary(environment)
    let plan = library.plan(manifest, path: path, &findings)
    var expansion = Expansion(files: environment.files)
    let instances = expansion.instances(plan, params: params)
    findings.add(contentsOf: expansion.findings)
    let numerics = options.numerics ?? manifest.numerics.flatMap { NumericsClass(rawValue: $0.value) } ?? .native
    for inner in library.manifests.dropFirst() {
      guard let said = inner.numerics, said.value != numerics.rawValue else { continue }
      findings.warning(PlanningText.otherNumerics(numerics.rawValue), at: said.location)
    }
    let hermetic = manifest.hermetic.flatMap { Hermetic(rawValue: $0.value) } ?? .on
    for inner in library.manifests.dropFirst() {
      guard let said = inner.hermetic, said.value != hermetic.rawValue else { continue }
      findings.warning(PlanningText.otherHermetic(hermetic.rawValue), at: said.location)
    }
    guard !findings.hasErrors else { throw InvalidRecipe(diagnostics: findings.sorted) }
    let graph = InstanceGraph(
      recipe: manifest.name, numerics: numerics, hermetic: hermetic, parameters: params, instances: instances)
    return Recipe(
      graph: graph, path: path, manifest: manifest.source, used: library.manifests.dropFirst().map(\.source),
      description: manifest.description,
      projectDirectory: environment.projectDirectory(for: directory), warnings: findings.sorted)
  }
}

/// Why a manifest is no recipe: every error found, sorted by place, warnings among them.
package struct InvalidRecipe: Error, Sendable {
  package let diagnostics: [Diagnostic]

  package init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}

/// What the command line says about a recipe.
package struct RecipeOptions: Sendable {
  /// `params.seed=3` or `seed=3`, in order.
  package var sets: [String]
  package var profile: String?
  /// Overrides the manifest's.
  package var numerics: NumericsClass?

  package init(sets: [String] = [], profile: String? = nil, numerics: NumericsClass? = nil) {
    self.sets = sets
    self.profile = profile
    self.numerics = numerics
  }
}

/// What planning needs of the machine: where one stands, the files, and where the program's own stages are.
package struct PlanningEnvironment: Sendable {
  /// Absolute.
  package var workingDirectory: String
  /// `share/heirloom/stages` beside the installed program; nil when there is none.
  package var installedStages: String?
  package var files: ProjectFiles
  /// What a stage's `executor` may name.
  package var executors: [String]

  package init(
    workingDirectory: String, installedStages: String? = nil, files: ProjectFiles = .disk, executors: [String] = ["local", "slurm"]
  ) {
    self.workingDirectory = workingDirectory
    self.installedStages = installedStages
    self.files = files
    self.executors = executors
  }

  /// The stages that a manifest in `directory` (absolute) may use.
  package func catalogue(for directory: String) -> StageCatalogue {
    let own = StageCatalogue.projectDirectory(above: directory, files: files).map { Paths.joined($0, "stages") }
    let directories = [own, installedStages].compactMap { $0 }
    return StageCatalogue(directories: directories, files: files, workingDirectory: workingDirectory)
  }

  package func projectDirectory(for directory: String) -> String {
    StageCatalogue.projectDirectory(above: directory, files: files) ?? directory
  }
}

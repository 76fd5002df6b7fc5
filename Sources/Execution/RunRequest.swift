import Artifacts
import Diagnostics
import Hashing
import JSONValues
import Planning

/// What somebody asks to be run or planned, before any file is read. Two equal requests to the same program, of files that say the same,
/// are one plan.
package struct RunRequest: Sendable {
  /// As it was written.
  package var manifest: String
  package var recipe: RecipeOptions
  package var planning: PlanningEnvironment
  package var options: RunOptions

  package init(manifest: String, recipe: RecipeOptions, planning: PlanningEnvironment, options: RunOptions) {
    self.manifest = manifest
    self.recipe = recipe
    self.planning = planning
    self.options = options
  }

  private static let format = "heirloom plan memo 1"

  /// Where what it came to is written down; nil where that is never done: a rerun is not something to be found done.
  var digest: Digest? {
    guard options.reruns.isEmpty, let program = (try? FileSystem.posix.status(options.program)) ?? nil else { return nil }
    let strings = { (texts: [String]) in JSONValue.array(texts.map { .string($0) }) }
    return CanonicalJSON.digest([
      "format": .string(Self.format), "manifest": .string(manifest), "directory": .string(planning.workingDirectory),
      "installed": planning.installedStages.map { .string($0) } ?? .null, "sets": strings(recipe.sets),
      "profile": recipe.profile.map { .string($0) } ?? .null, "numerics": recipe.numerics.map { .string($0.rawValue) } ?? .null,
      "targets": strings(options.targets), "gpus": .integer(options.machine.gpus.count), "program": .string(options.program),
      "program_inode": .string(String(program.inode)), "program_modified": .integer(program.modified),
      "program_size": .integer(program.size),
    ])
  }

  /// Home of `artifacts/`: the nearest directory at or above the manifest's that has `stages/`, else the manifest's own.
  package var projectDirectory: String {
    planning.projectDirectory(for: Paths.parent(Paths.absolute(manifest, from: planning.workingDirectory)))
  }

  /// What reading a manifest came to.
  package struct Loaded {
    package let recipe: Recipe
    package let origin: RecipeRun.Origin
  }

  /// The recipe, and what reading it relied on.
  package func load() throws(InvalidRecipe) -> Loaded {
    let recorder = PlanningRecorder()
    let camera = PlanningCamera()
    var planning = planning
    planning.files = camera.watching(recorder.watching(planning.files))
    let recipe = try Recipe.load(manifest, self.recipe, planning)
    return Loaded(recipe: recipe, origin: RecipeRun.Origin(request: self, trace: recorder.trace, capture: camera.capture))
  }
}

extension RunRequest {
  /// What came of a request, and what is to be shown of it.
  package struct Answer: Sendable {
    package let outcome: RunOutcome
    package let recipe: String
    package let reports: [FinalReport]
  }

  /// Does what is asked: at a glance when the last run left nothing to do and nothing has changed since, else by reading, judging and
  /// running. Throws `InvalidRecipe`, a `Diagnostic` for a target that does not exist (status 2), `StoreError` or `SpawnFailure` (3).
  ///
  /// - Parameter warn: is given what is doubtful in the manifest before anything runs.
  package func run(
    in storePath: String, display: any ProgressDisplay, files: FileSystem = .posix, warn: ([Diagnostic]) -> Void = { _ in }
  ) throws -> Answer {
    if let answer = try UnchangedRun.run(self, in: storePath, display, files) { return answer }
    let loaded = try load()
    let recipe = loaded.recipe
    warn(recipe.warnings)
    let reports = try FinalReport.all(in: recipe.graph, for: options.targets)
    let outcome = try RecipeRun.run(
      recipe, in: storePath, options: options, display: display, origin: loaded.origin, files: files)
    return Answer(outcome: outcome, recipe: recipe.graph.recipe, reports: reports)
  }
}

import ArgumentParser
import Artifacts
import Diagnostics
import Execution
import Foundation
import Planning

/// Which manifest, and what the command line changes in it.
struct RecipeArguments: ParsableArguments {
  @Argument(help: "The recipe's manifest.", completion: .file(extensions: ["yaml"]))
  var manifest: String

  @Option(name: .customLong("set"), help: ArgumentHelp("Override a param: --set seed=3.", valueName: "param=value"))
  var sets: [String] = []

  @Option(help: "Apply one of the manifest's profiles, before --set.")
  var profile: String?

  @Option(help: "native (the best kernels of this CPU) or portable (the same bytes on every x86-64-v3 machine).")
  var numerics: NumericsClass?

  func request(_ options: RunOptions) -> RunRequest {
    RunRequest(
      manifest: manifest, recipe: RecipeOptions(sets: sets, profile: profile, numerics: numerics), planning: Program.planning,
      options: options)
  }

  /// Reads, checks and expands the manifest; warnings go to standard error.
  func load() throws -> Recipe { try load(request(RunOptions(program: Program.path, variables: Program.variables))).recipe }

  func load(_ request: RunRequest) throws -> RunRequest.Loaded {
    let loaded = try request.load()
    Terminal.warn(loaded.recipe.warnings)
    return loaded
  }
}

extension NumericsClass: ExpressibleByArgument {}

/// Where results are kept.
struct StoreArguments: ParsableArguments {
  @Option(help: "The store [default: $HEIRLOOM_STORE, else artifacts/ in the project].", completion: .directory)
  var store: String?

  /// The store of a recipe.
  func path(_ request: RunRequest) -> String { path(project: request.projectDirectory) }

  func path(_ recipe: Recipe) -> String { path(project: recipe.projectDirectory) }

  /// The store of the project that one stands in.
  func path() -> String {
    path(project: Program.planning.projectDirectory(for: Program.planning.workingDirectory))
  }

  /// The store of the project that one stands in, which must be there.
  func existing() throws -> Store {
    let path = path()
    guard FileManager.default.fileExists(atPath: path + "/format") else { throw CommandFailure.usage("there is no store at \(path)") }
    return try Store(reading: path)
  }

  private func path(project: String) -> String {
    if let chosen = store ?? Program.variables["HEIRLOOM_STORE"], !chosen.isEmpty {
      return chosen.hasPrefix("/") ? chosen : Program.planning.workingDirectory + "/" + chosen
    }
    return project + "/artifacts"
  }
}

/// This program and where it stands.
enum Program {
  static let variables = callerEnvironment()

  /// The file being run; native stages run it again.
  static let path: String = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]

  static let planning = PlanningEnvironment(
    workingDirectory: FileManager.default.currentDirectoryPath, installedStages: shippedStages,
    executors: executorNames)

  /// The contracts that came with this program: `share/heirloom/stages` beside an installed one, `stages/` of the package around one that was
  /// just built. Found from where the program lies, for no build path is in it.
  private static let shippedStages: String? = {
    let directory = ((path as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
    var candidates = [directory + "/share/heirloom/stages"]
    if let build = path.range(of: "/.build/") { candidates.append(path[..<build.lowerBound] + "/stages") }
    return candidates.first { FileManager.default.fileExists(atPath: $0) }
  }()
}

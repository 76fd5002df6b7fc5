import Execution
import Hashing
import Planning

/// A recipe that has been read, with everything that reading it asked for: what locks and archives are made from.
package struct PlannedRecipe: Sendable {
  package let recipe: Recipe
  package let capture: PlanningCapture
  /// The contracts that came with the program.
  package let installed: String?
  package let root: ProjectRoot

  /// - Parameter top: the directory that everything is known to lie below; nil works it out.
  package init(_ request: RunRequest, top: String? = nil) throws(InvalidRecipe) {
    let camera = PlanningCamera()
    var request = request
    request.planning.files = camera.watching(request.planning.files)
    recipe = try request.load().recipe
    capture = camera.capture
    // A program that was built in the project it is used on brings no contracts of its own.
    let own = Paths.joined(recipe.projectDirectory, "stages")
    installed = request.planning.installedStages.flatMap { $0 == own ? nil : $0 }
    root = top.map(ProjectRoot.init(path:)) ?? ProjectRoot(recipe, capture, installed: installed)
  }

  package var graph: InstanceGraph { recipe.graph }

  /// Beside the manifest.
  package var lockPath: String { RecipeLock.path(ofManifest: recipe.path) }

  /// Of every kind of stage that is used, once, in order of their names.
  package var contracts: [StageContract] {
    var seen: Set<String> = []
    return graph.instances.map(\.contract).filter { seen.insert($0.path).inserted }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The bytes of a file as planning read them.
  func bytes(ofPlanned path: String) -> [UInt8]? { capture.contents.first { $0.path == path }?.bytes }
}

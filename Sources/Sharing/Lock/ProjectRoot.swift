import Execution
import Planning

/// The directory that everything a recipe is made of lies below, and paths as seen from there. It looks at no file.
package struct ProjectRoot: Sendable, Equatable {
  /// Absolute.
  package let path: String

  /// The deepest directory that holds the project, the manifest, all manifests and contracts that planning read (but for those that came
  /// with the program), and every source that the manifests name by a relative path.
  package init(_ recipe: Recipe, _ capture: PlanningCapture, installed: String?) {
    var places = [recipe.projectDirectory, Paths.parent(recipe.path)]
    places += capture.contents.map(\.path).filter { !Self.isBelow($0, installed) }.map(Paths.parent)
    for (path, written) in Self.sources(recipe.graph) where !written.hasPrefix("/") { places.append(Paths.parent(path)) }
    path = places.dropFirst().reduce(places[0], Self.common)
  }

  init(path: String) { self.path = path }

  /// Relative to the root; nil for what is not below.
  package func relative(_ place: String) -> String? {
    let shown = Paths.shown(place, from: path)
    return shown.hasPrefix("/") ? nil : shown
  }

  package func absolute(_ relative: String) -> String { Paths.joined(path, relative) }

  static func isBelow(_ path: String, _ directory: String?) -> Bool {
    guard let directory else { return false }
    return path.utf8.starts(with: (directory == "/" ? "/" : directory + "/").utf8)
  }

  private static func common(_ one: String, _ other: String) -> String {
    let pairs = zip(one.split(separator: "/"), other.split(separator: "/"))
    return "/" + pairs.prefix { $0.utf8.elementsEqual($1.utf8) }.map { String($0.0) }.joined(separator: "/")
  }

  /// Every source file or directory among the inputs, once, with how the manifest names it.
  static func sources(_ graph: InstanceGraph) -> [(path: String, written: String)] {
    var seen: Set<String> = []
    var sources: [(String, String)] = []
    for element in graph.instances.flatMap(\.inputs).flatMap(\.elements) {
      if case .file(let path) = element.source, seen.insert(path).inserted { sources.append((path, element.written)) }
    }
    return sources
  }
}

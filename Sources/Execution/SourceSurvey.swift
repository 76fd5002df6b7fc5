import Artifacts
import Planning

/// Hashes the sources of a recipe ahead of the judge, where somebody can be shown how far that is. What cannot be read is no matter here:
/// the judge finds it again and says so where it belongs.
enum SourceSurvey {
  static func look(_ graph: InstanceGraph, _ isWanted: [Bool], _ store: Store, _ style: TaskProgress.Style) {
    if case .silent = style { return }
    var seen: Set<String> = []
    TaskProgress.during(store.sources.meter, style) {
      for instance in graph.instances where isWanted[instance.index] {
        for element in instance.inputs.flatMap(\.elements) {
          if case .file(let path) = element.source, seen.insert(path).inserted { _ = try? store.sources.content(of: path) }
        }
      }
    }
  }
}

import Diagnostics
import JSONValues
import Manifests

/// Where an instance stands in its recipe: the groups around it from the outside in, then the stage, each at a point of its axes.
package struct InstancePath: Sendable, Equatable {
  package struct Segment: Sendable, Equatable {
    package let name: String
    /// Of a group those of its matrix, then its scan's.
    package let axes: [AxisValue]

    package init(name: String, axes: [AxisValue] = []) { (self.name, self.axes) = (name, axes) }

    /// `rft[sort]`.
    package var text: String { name + Self.brackets(axes) }

    /// `sort,2`; empty where there are no axes.
    package var point: String { Self.point(axes) }

    /// `[sort,2]`; nothing where there are no axes.
    static func brackets(_ axes: [AxisValue]) -> String { axes.isEmpty ? "" : "[\(point(axes))]" }

    private static func point(_ axes: [AxisValue]) -> String { axes.map { ValueText.label($0.value) }.joined(separator: ",") }
  }

  package let groups: [Segment]
  package let stage: Segment

  package init(groups: [Segment] = [], stage: Segment) { (self.groups, self.stage) = (groups, stage) }

  package var segments: [Segment] { groups + [stage] }

  /// `rft[sort].train`.
  package var name: String { segments.map(\.text).joined(separator: ".") }

  /// The entry it was expanded from: `rft.train`.
  package var entry: String { groups.isEmpty ? stage.name : segments.map(\.name).joined(separator: ".") }

  /// All axes, from the outside in.
  package var axes: [AxisValue] { groups.isEmpty ? stage.axes : segments.flatMap(\.axes) }
}

extension InstancePath {
  /// The name nearest to one that is not there: the pattern with its wrong word put right, else a stage or a group without its points, else an
  /// instance or a group at a point.
  package static func nearest(_ name: String, among paths: [InstancePath]) -> String? {
    var entries: Set<String> = []
    var instances: Set<String> = []
    for path in paths {
      var (entry, instance) = ("", "")
      for segment in path.segments {
        entry += (entry.isEmpty ? "" : ".") + segment.name
        instance += (instance.isEmpty ? "" : ".") + segment.text
        entries.insert(entry)
        instances.insert(instance)
      }
    }
    return InstancePattern(name)?.repaired(among: paths)
      ?? NearestName.find(name, among: entries.sorted() + instances.subtracting(entries).sorted())
  }
}

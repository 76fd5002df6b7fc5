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

    /// `[sort,2]`; nothing where there are no axes.
    static func brackets(_ axes: [AxisValue]) -> String {
      axes.isEmpty ? "" : "[\(axes.map { ValueText.label($0.value) }.joined(separator: ","))]"
    }
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
  /// The name nearest to one that is not there: of a stage or a group without its points, else of an instance or a group at a point.
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
    return NearestName.find(name, among: entries.sorted() + instances.subtracting(entries).sorted())
  }
}

// MARK: - Patterns

/// What a person means by `rft`, `rft[sort]`, `rft[*].train`, `rft.scores[suite=sort]`: every instance whose path begins so.
package struct InstancePattern {
  private let segments: [Reference.Segment]

  /// Nil when the text is no pattern.
  package init?(_ text: String) {
    guard let segments = ReferenceParser.parse(target: text) else { return nil }
    self.segments = segments
  }

  package func matches(_ path: InstancePath) -> Bool {
    let own = path.segments
    return segments.count <= own.count && zip(segments, own).allSatisfy { matches($0, $1) }
  }

  /// Without brackets, at every point.
  private func matches(_ wanted: Reference.Segment, _ segment: InstancePath.Segment) -> Bool {
    guard wanted.name.hasSameBytes(as: segment.name) else { return false }
    switch wanted.selector {
    case .none: return true
    case .all: return !segment.axes.isEmpty
    case .positional(let items): return items.count == segment.axes.count && zip(items, segment.axes).allSatisfy { matches($0, $1.value) }
    case .named(let items):
      return items.allSatisfy { axis, item in
        segment.axes.contains { $0.axis.hasSameBytes(as: axis) && matches(item, $0.value) }
      }
    }
  }

  private func matches(_ item: Reference.Item, _ value: JSONValue) -> Bool {
    switch item {
    case .any: true
    case .value(let wanted): wanted == value || wanted.stringValue == ValueText.label(value)
    case .template: false
    }
  }
}

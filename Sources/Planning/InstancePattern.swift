import Diagnostics
import JSONValues

/// What a person means by `rft`, `rft[sort]`, `rft[*].train`, `rft.scores[suite=sort]`: every instance whose path begins so.
package struct InstancePattern {
  private let segments: [Reference.Segment]

  private init(segments: [Reference.Segment]) { self.segments = segments }

  /// Nil when the text is no pattern.
  package init?(_ text: String) {
    guard let segments = ReferenceParser.parse(target: text) else { return nil }
    self.segments = segments
  }

  package func matches(_ path: InstancePath) -> Bool {
    let own = path.segments
    return segments.count <= own.count && zip(segments, own).allSatisfy { matches($0, $1) }
  }

  /// Whether it matches down to the stage, not to a group around it.
  package func reaches(_ path: InstancePath) -> Bool { matches(path) && segments.count == path.segments.count }

  /// Without brackets, at every point.
  private func matches(_ wanted: Reference.Segment, _ segment: InstancePath.Segment) -> Bool {
    guard wanted.name.hasSameBytes(as: segment.name) else { return false }
    switch wanted.selector {
    case .none: return true
    case .all: return !segment.axes.isEmpty
    case .positional(let items):
      return items.count == segment.axes.count && zip(items, segment.axes).allSatisfy { Self.matches($0, $1.value) }
    case .named(let items):
      return items.allSatisfy { axis, item in
        segment.axes.contains { $0.axis.hasSameBytes(as: axis) && Self.matches(item, $0.value) }
      }
    }
  }

  private static func matches(_ item: Reference.Item, _ value: JSONValue) -> Bool {
    switch item {
    case .any: true
    case .value(let wanted): wanted == value || wanted.stringValue == ValueText.label(value)
    case .template: false
    }
  }
}

// MARK: - Patterns that match nothing

extension InstancePattern {
  /// This pattern with the first word that leads nowhere (a name, an axis, a value) replaced by the nearest that leads somewhere, or without what
  /// follows a stage; nil where none is near, or where another word is wrong as well.
  func repaired(among paths: [InstancePath]) -> String? {
    var standing = paths.map(\.segments)
    for (place, wanted) in segments.enumerated() {
      let reaching = standing.filter { place < $0.count }
      let next = reaching.filter { matches(wanted, $0[place]) }
      guard next.isEmpty else {
        standing = next
        continue
      }
      if reaching.isEmpty { return InstancePattern(segments: Array(segments[..<place])).text }
      guard let nearest = Self.nearest(to: wanted, among: reaching.map { $0[place] }) else { return nil }
      var repaired = segments
      repaired[place] = nearest
      let pattern = InstancePattern(segments: repaired)
      return paths.contains(where: pattern.matches) ? pattern.text : nil
    }
    return nil
  }

  private static func nearest(to wanted: Reference.Segment, among candidates: [InstancePath.Segment]) -> Reference.Segment? {
    let namesakes = candidates.filter { $0.name.hasSameBytes(as: wanted.name) }
    guard !namesakes.isEmpty else {
      return NearestName.find(wanted.name, among: candidates.map(\.name)).map { Reference.Segment(name: $0, selector: wanted.selector) }
    }
    switch wanted.selector {
    case .none, .all: return nil
    case .positional(var items):
      for place in items.indices {
        let values = namesakes.filter { $0.axes.count == items.count }.map { $0.axes[place].value }
        guard let near = nearest(to: items[place], among: values) else { continue }
        items[place] = near
        return Reference.Segment(name: wanted.name, selector: .positional(items))
      }
      return byName(items, namesakes)
    case .named(var items):
      for place in items.indices {
        let axes = namesakes.flatMap(\.axes)
        let values = axes.filter { $0.axis.hasSameBytes(as: items[place].axis) }.map(\.value)
        if values.isEmpty, let axis = NearestName.find(items[place].axis, among: axes.map(\.axis)) {
          items[place].axis = axis
        } else if let near = nearest(to: items[place].item, among: values) {
          items[place].item = near
        } else {
          continue
        }
        return Reference.Segment(name: wanted.name, selector: .named(items))
      }
    }
    return nil
  }

  /// Values in another order, or not of all axes: each under the name of the axis that has it.
  private static func byName(_ items: [Reference.Item], _ candidates: [InstancePath.Segment]) -> Reference.Segment? {
    let candidate = candidates.first { candidate in
      items.allSatisfy { item in candidate.axes.contains { matches(item, $0.value) } }
    }
    guard let candidate else { return nil }
    let named = items.compactMap { item in candidate.axes.first { matches(item, $0.value) }.map { (axis: $0.axis, item: item) } }
    return Reference.Segment(name: candidate.name, selector: .named(named))
  }

  /// nil where the item is among the values, or near none of them.
  private static func nearest(to item: Reference.Item, among values: [JSONValue]) -> Reference.Item? {
    guard case .value(let wanted) = item, !values.contains(where: { matches(item, $0) }) else { return nil }
    return NearestName.find(ValueText.label(wanted), among: values.map(ValueText.label)).map { .value(.string($0)) }
  }

  /// As a person would write it.
  private var text: String {
    segments.map { segment in
      let items: [String] =
        switch segment.selector {
        case .none: []
        case .all: ["*"]
        case .positional(let items): items.map(Self.text)
        case .named(let items): items.map { "\($0.axis)=\(Self.text($0.item))" }
        }
      return segment.name + (items.isEmpty ? "" : "[\(items.joined(separator: ","))]")
    }.joined(separator: ".")
  }

  private static func text(_ item: Reference.Item) -> String {
    if case .value(let value) = item { ValueText.label(value) } else { "*" }
  }
}

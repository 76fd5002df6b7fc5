import Diagnostics
import JSONValues

/// The points of an entry, in declared order, and how references select among them. A stage or a group without axes has one point.
struct PointTable {
  let axes: [String]
  let points: [Matrix.Combination]
  /// What stands behind the entry's name in the name of each point: `[sort]`.
  let brackets: [String]
  private let places: [[JSONValue]: Int]

  init(axes: [String], points: [Matrix.Combination]) {
    self.axes = axes
    self.points = points
    brackets = points.map { InstancePath.Segment.brackets($0.axes) }
    var places: [[JSONValue]: Int] = [:]
    if !axes.isEmpty {
      places.reserveCapacity(points.count)
      for (place, point) in points.enumerated() { places[point.axes.map(\.value)] = place }
    }
    self.places = places
  }

  init(_ matrix: Matrix) { self.init(axes: matrix.axes, points: matrix.combinations) }

  static let single = PointTable(.single)

  /// Two points that would have one name.
  var sameBrackets: [String] {
    guard brackets.count > 1 else { return [] }
    var seen: Set<ByteString> = []
    return brackets.filter { !seen.insert(ByteString($0)).inserted }
  }

  // MARK: - Selecting

  /// What is wrong with a selector, whatever the points.
  enum Fault: Error {
    case needsSelector
    case hasNoAxes
    case count(Int)
    case noSuchAxis(String)
    case value(Diagnostic)
  }

  /// For each axis the value a selector asks for; nil stands for any.
  func wanted(_ selector: Reference.Selector, _ scope: Scope, _ location: SourceLocation) throws(Fault) -> [JSONValue?] {
    if axes.isEmpty {
      guard case .none = selector else { throw .hasNoAxes }
      return []
    }
    switch selector {
    case .none: throw .needsSelector
    case .all: return axes.map { _ in nil }
    case .positional(let items):
      guard items.count == axes.count else { throw .count(items.count) }
      var values: [JSONValue?] = []
      for item in items { values.append(try value(item, scope, location)) }
      return values
    case .named(let items):
      var values: [JSONValue?] = axes.map { _ in nil }
      for (axis, item) in items {
        guard let place = axes.firstIndex(where: { $0.hasSameBytes(as: axis) }) else { throw .noSuchAxis(axis) }
        values[place] = try value(item, scope, location)
      }
      return values
    }
  }

  /// Places of the points that have these values, in declared order.
  func places(of values: [JSONValue?]) -> [Int] {
    let given = values.compactMap { $0 }
    if given.isEmpty { return Array(points.indices) }
    if given.count == values.count, let place = places[given] { return [place] }
    return points.indices.filter { place in
      zip(values, points[place].axes).allSatisfy { wanted, axis in
        guard let wanted else { return true }
        return wanted == axis.value || !ValueText.isLiteral(axis.value) && wanted.stringValue == ValueText.label(axis.value)
      }
    }
  }

  /// The value an item stands for; nil for any.
  private func value(_ item: Reference.Item, _ scope: Scope, _ location: SourceLocation) throws(Fault) -> JSONValue? {
    switch item {
    case .any: return nil
    case .value(let value): return value
    case .template(let template):
      do {
        if template.whole != nil { return try scope.value(template, at: location) }
        return ReferenceParser.value(try scope.text(template, at: location))
      } catch { throw .value(error) }
    }
  }

  /// How a reference writes these values: `[sort,*]`.
  static func text(_ values: [JSONValue?]) -> String { "[\(values.map { $0.map(ValueText.label) ?? "*" }.joined(separator: ","))]" }
}

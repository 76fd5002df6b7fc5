import Diagnostics
import JSONValues
import Manifests

/// A stage of the manifest with its contract and its combinations; its instances stand one after another from `first` on.
///
/// A class, because all its instances look at it while they are made; it never changes.
final class ReadyEntry {
  let entry: ManifestEntry
  let stage: StageEntry
  let contract: StageContract
  let matrix: Matrix
  /// The place of its first instance in the order of the manifest.
  let first: Int
  /// Names of its instances.
  let names: [String]
  private let places: [[JSONValue]: Int]

  init(entry: ManifestEntry, stage: StageEntry, contract: StageContract, matrix: Matrix, first: Int) {
    self.entry = entry
    self.stage = stage
    self.contract = contract
    self.matrix = matrix
    self.first = first
    names = matrix.combinations.map { Self.name(entry.name, $0.axes) }
    var places: [[JSONValue]: Int] = [:]
    if !matrix.axes.isEmpty {
      places.reserveCapacity(names.count)
      for (place, combination) in matrix.combinations.enumerated() { places[combination.axes.map(\.value)] = place }
    }
    self.places = places
  }

  /// `sft[2e-5]`.
  static func name(_ entry: String, _ axes: [AxisValue]) -> String {
    axes.isEmpty ? entry : "\(entry)[\(axes.map { ValueText.label($0.value) }.joined(separator: ","))]"
  }

  /// The place among its combinations of the one with these axis values.
  func place(of values: [JSONValue]) -> Int? { places[values] }
}

/// The stages of a recipe by name, and what references to them mean.
struct EntryTable {
  private(set) var entries: [ReadyEntry] = []
  private var places: [ByteString: Int] = [:]
  private var broken: Set<ByteString> = []
  private var names: [String] = []

  var instanceCount: Int { entries.last.map { $0.first + $0.names.count } ?? 0 }

  mutating func add(_ entry: ReadyEntry) {
    places[ByteString(entry.entry.name)] = entries.count
    names.append(entry.entry.name)
    entries.append(entry)
  }

  /// An entry with errors: references to it are not reported again.
  mutating func add(broken name: String) {
    broken.insert(ByteString(name))
    names.append(name)
  }

  /// The stage a reference names and the places of the combinations it selects, in declared order; nil when that stage is broken.
  func resolve(_ reference: Reference, _ scope: Scope, at location: SourceLocation) throws(Diagnostic) -> (
    entry: ReadyEntry, places: [Int]
  )? {
    let segment = reference.path[0]
    guard let place = places[ByteString(segment.name)] else {
      if broken.contains(ByteString(segment.name)) { return nil }
      let near = NearestName.find(segment.name, among: names)
      throw Diagnostic(.error, PlanningText.unknownEntry(segment.name), at: location, suggestion: near)
    }
    let entry = entries[place]
    guard reference.path.count == 1 else { throw Diagnostic(.error, PlanningText.isNoGroup(segment.name), at: location) }
    return (entry, try select(segment, of: entry, scope, location))
  }

  // MARK: - Selecting

  private func select(_ segment: Reference.Segment, of entry: ReadyEntry, _ scope: Scope, _ location: SourceLocation) throws(Diagnostic)
    -> [Int]
  {
    let (name, axes) = (segment.name, entry.matrix.axes)
    if axes.isEmpty {
      guard case .none = segment.selector else { throw Diagnostic(.error, PlanningText.hasNoMatrix(name), at: location) }
      return [0]
    }
    switch segment.selector {
    case .none: throw Diagnostic(.error, PlanningText.needsSelector(name, axes), at: location)
    case .all: return Array(entry.names.indices)
    case .positional(let items):
      guard items.count == axes.count else { throw Diagnostic(.error, PlanningText.selectorCount(name, axes, items.count), at: location) }
      var values: [JSONValue?] = []
      for item in items { values.append(try value(item, scope, location)) }
      return try select(values, of: entry, location)
    case .named(let items):
      var values: [JSONValue?] = axes.map { _ in nil }
      for (axis, item) in items {
        guard let place = axes.firstIndex(where: { $0.hasSameBytes(as: axis) }) else {
          throw Diagnostic(.error, PlanningText.noSuchAxis(axis, name), at: location, suggestion: NearestName.find(axis, among: axes))
        }
        values[place] = try value(item, scope, location)
      }
      return try select(values, of: entry, location)
    }
  }

  /// Places of the combinations that have these values; nil stands for any.
  private func select(_ values: [JSONValue?], of entry: ReadyEntry, _ location: SourceLocation) throws(Diagnostic) -> [Int] {
    let given = values.compactMap { $0 }
    if given.count == values.count, let place = entry.place(of: given) { return [place] }
    let places = entry.matrix.combinations.indices.filter { place in
      zip(values, entry.matrix.combinations[place].axes).allSatisfy { wanted, axis in
        guard let wanted else { return true }
        return wanted == axis.value || !ValueText.isLiteral(axis.value) && wanted.stringValue == ValueText.label(axis.value)
      }
    }
    if !places.isEmpty { return places }
    let text = "\(entry.entry.name)[\(values.map { $0.map(ValueText.label) ?? "*" }.joined(separator: ","))]"
    throw Diagnostic(.error, PlanningText.noInstance(text), at: location, suggestion: NearestName.find(text, among: entry.names))
  }

  /// The value an item stands for; nil for any.
  private func value(_ item: Reference.Item, _ scope: Scope, _ location: SourceLocation) throws(Diagnostic) -> JSONValue? {
    switch item {
    case .any: return nil
    case .value(let value): return value
    case .template(let template):
      if template.whole != nil { return try scope.value(template, at: location) }
      return ReferenceParser.value(try scope.text(template, at: location))
    }
  }
}

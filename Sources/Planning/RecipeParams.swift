import Diagnostics
import JSONValues
import Manifests

/// The params of a recipe: the manifest's, over them the profile's, over them those of `--set`. A param may refer to others.
struct RecipeParams {
  private let manifest: Manifest
  /// In the manifest's order; names that only a profile gives come last.
  private var nodes: [(name: String, value: Expression, location: SourceLocation)] = []
  private var values: [ByteString: JSONValue] = [:]
  private var pending: [String] = []

  /// The final values; nil when one of them cannot be had, for then everything that names it would seem wrong as well.
  static func resolve(_ manifest: Manifest, _ options: RecipeOptions, _ findings: inout Findings) -> JSONObject? {
    var params = RecipeParams(manifest: manifest)
    for member in manifest.params { params.put(member.key, Expression(member.value, &findings), member.value.location) }
    params.applyProfile(options.profile, &findings)
    for text in options.sets { params.apply(set: text, &findings) }
    return params.checked(&findings)
  }

  /// The final values for a manifest that another uses: the manifest's own, over them those given. Profiles and `--set` speak of the
  /// outermost manifest alone.
  static func resolve(
    _ manifest: Manifest, given: [(name: String, value: JSONValue, location: SourceLocation)], _ findings: inout Findings
  ) -> JSONObject? {
    var params = RecipeParams(manifest: manifest)
    for member in manifest.params { params.put(member.key, Expression(member.value, &findings), member.value.location) }
    params.applyProfile(nil, &findings)
    for param in given { params.put(param.name, .constant(param.value), param.location) }
    return params.checked(&findings)
  }

  private init(manifest: Manifest) { self.manifest = manifest }

  private mutating func put(_ name: String, _ value: Expression, _ location: SourceLocation) {
    if let place = nodes.firstIndex(where: { $0.name.hasSameBytes(as: name) }) {
      nodes[place] = (name, value, location)
    } else {
      nodes.append((name, value, location))
    }
  }

  // MARK: - Profile

  private mutating func applyProfile(_ name: String?, _ findings: inout Findings) {
    for profile in manifest.profiles { check(profile, &findings) }
    guard let name else { return }
    guard let profile = manifest.profiles.first(where: { $0.name.value.hasSameBytes(as: name) }) else {
      let known = manifest.profiles.map(\.name.value)
      return findings.error(
        PlanningText.unknownProfile(name), at: Self.argument("--profile \(name)"), suggestion: NearestName.find(name, among: known))
    }
    for member in profile.params { put(member.key, Expression(member.value, &findings), member.value.location) }
  }

  /// A profile may set only what is a param of the manifest.
  private func check(_ profile: Profile, _ findings: inout Findings) {
    let known = manifest.params.map(\.key)
    for member in profile.params where !known.contains(where: { $0.hasSameBytes(as: member.key) }) {
      findings.error(PlanningText.unknownParam(member.key), at: member.keyLocation, suggestion: NearestName.find(member.key, among: known))
    }
  }

  // MARK: - --set

  private mutating func apply(set text: String, _ findings: inout Findings) {
    let location = Self.argument("--set \(text)")
    let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = halves[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard halves.count == 2, path.allSatisfy(Name.isValid) else { return findings.error(PlanningText.badSet(text), at: location) }
    guard let value = value(of: String(halves[1]), location, &findings) else { return }
    let known = nodes.map(\.name)
    let isLong = path.count > 1 && path[0] == "params" && !known.contains("params")
    let names = isLong ? Array(path.dropFirst()) : path
    guard let place = nodes.firstIndex(where: { $0.name.hasSameBytes(as: names[0]) }) else {
      return findings.error(PlanningText.unknownParam(names[0]), at: location, suggestion: NearestName.find(names[0], among: known))
    }
    if names.count == 1 {
      nodes[place] = (names[0], value, location)
    } else if let changed = setting(nodes[place].value, names.dropFirst(), value) {
      nodes[place] = (names[0], changed, location)
    } else {
      findings.error(PlanningText.paramIsNoMapping(names.dropLast().joined(separator: ".")), at: location)
    }
  }

  /// The value as YAML reads it; nothing after `=` is the empty string.
  private func value(of text: String, _ location: SourceLocation, _ findings: inout Findings) -> Expression? {
    if text.isEmpty { return .constant(.string("")) }
    let source = SourceFile(kind: .argument, path: location.source.path, text: text)
    let (node, parsed) = YAMLParser.parse(source)
    findings.add(contentsOf: parsed)
    guard let node, !parsed.hasErrors else { return nil }
    return Expression(node, &findings)
  }

  /// A record with one field, however deep, replaced; nil when there is no record there.
  private func setting(_ value: Expression, _ path: ArraySlice<String>, _ new: Expression) -> Expression? {
    guard let field = path.first else { return new }
    var members: [(key: String, value: Expression)]
    switch value {
    case .record(let given): members = given
    case .constant(.object(let object)): members = object.members.map { ($0.key, .constant($0.value)) }
    default: return nil
    }
    guard let place = members.firstIndex(where: { $0.key.hasSameBytes(as: field) }) else {
      guard path.count == 1 else { return nil }
      return .record(members + [(field, new)])
    }
    guard let changed = setting(members[place].value, path.dropFirst(), new) else { return nil }
    members[place].value = changed
    return .record(members)
  }

  private static func argument(_ text: String) -> SourceLocation {
    SourceLocation(source: SourceFile(kind: .argument, path: text, bytes: []), line: 1, column: 1)
  }

  // MARK: - Values

  private mutating func checked(_ findings: inout Findings) -> JSONObject? {
    var own = Findings()
    let values = evaluate(&own)
    findings.add(contentsOf: own)
    return own.hasErrors ? nil : values
  }

  private mutating func evaluate(_ findings: inout Findings) -> JSONObject {
    for node in nodes { _ = value(of: node.name, &findings) }
    return JSONObject(nodes.compactMap { node in values[ByteString(node.name)].map { (node.name, $0) } })
  }

  /// The value of a param, after those it refers to.
  private mutating func value(of name: String, _ findings: inout Findings) -> JSONValue? {
    if let value = values[ByteString(name)] { return value }
    guard let node = nodes.first(where: { $0.name.hasSameBytes(as: name) }) else { return nil }
    if let start = pending.firstIndex(where: { $0.hasSameBytes(as: name) }) {
      findings.error(PlanningText.cyclicParam(Array(pending[start...]) + [name]), at: node.location)
      values[ByteString(name)] = .null
      return .null
    }
    pending.append(name)
    defer { pending.removeLast() }
    let before = findings.all.count
    for reference in node.value.references { _ = value(of: reference, &findings) }
    guard findings.all.count == before else {
      values[ByteString(name)] = .null
      return .null
    }
    let scope = Scope(params: JSONObject(nodes.compactMap { other in values[ByteString(other.name)].map { (other.name, $0) } }))
    do {
      values[ByteString(name)] = try node.value.evaluate(scope)
    } catch {
      findings.add(error)
      values[ByteString(name)] = .null
    }
    return values[ByteString(name)]
  }
}

extension Expression {
  /// First names of the `${…}` in it; of `${params.a}` the second as well.
  var references: [String] {
    switch self {
    case .constant: []
    case .list(let elements): elements.flatMap(\.references)
    case .record(let members): members.flatMap(\.value.references)
    case .template(let template, _):
      template.pieces.flatMap { piece -> [String] in
        guard case .placeholder(let path) = piece else { return [] }
        return path[0] == "params" && path.count > 1 ? [path[0], path[1]] : [path[0]]
      }
    }
  }
}

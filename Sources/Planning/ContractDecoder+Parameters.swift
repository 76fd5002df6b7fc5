import Diagnostics
import JSONValues
import Manifests

extension ContractDecoder {
  mutating func parameters(_ node: Node?, _ what: String) -> [ParameterDeclaration] {
    named(node, what).compactMap { parameter($0) }
  }

  private mutating func parameter(_ member: Node.Member) -> ParameterDeclaration? {
    let what = "parameter '\(member.key)'"
    guard var reader = MappingReader(member.value, what, &findings) else { return nil }
    let type = type(&reader, what)
    let initial = reader.takeMember("default")
    let affects = affects(reader.takeMember("affects"), isNullable: initial?.value.isNull ?? false)
    let names = reader.take("names")
    let doc = reader.string("doc", &findings)?.value
    reader.finish(&findings)
    guard let type else { return nil }
    if let names, names.scalar?.value != .string("variable") || type.name != "string" {
      findings.error(PlanningText.names, at: names.location)
    }
    return ParameterDeclaration(
      name: member.key, type: type, initial: initialValue(initial, member.key, type), affects: affects, namesVariable: names != nil,
      doc: doc,
      location: member.keyLocation)
  }

  private mutating func affects(_ member: Node.Member?, isNullable: Bool) -> ParameterDeclaration.Effect {
    switch member?.value.scalar?.value {
    case .string("speed"): return .speed
    case .string("bytes_when_set"):
      if let member, !isNullable { findings.error(PlanningText.setNeedsNull, at: member.value.location) }
      return .bytesWhenSet
    default:
      if let member { findings.error(PlanningText.affects, at: member.value.location) }
      return .bytes
    }
  }

  private mutating func initialValue(_ member: Node.Member?, _ name: String, _ type: ParameterType) -> ParameterDeclaration.Default {
    guard let member else { return .required }
    guard let value = Expression(member.value, &findings).constant else { return .required }
    if value.isNull { return .value(.null) }
    do {
      var check = ParameterCheck("the default of \(name)")
      return .value(try check.complete(value, type))
    } catch {
      findings.add(error.diagnostic(in: member.value))
      return .value(value)
    }
  }

  // MARK: - Types

  /// Takes `type` and what belongs to it; keys of other types are an error.
  private mutating func type(_ reader: inout MappingReader, _ what: String) -> ParameterType? {
    guard let name = reader.string("type", &findings) else {
      if reader.take("type") == nil { findings.error(ManifestText.missing("type", in: what), at: reader.location) }
      return nil
    }
    let bounds = bounds(&reader)
    let (of, fields) = (reader.takeMember("of"), reader.takeMember("fields"))
    refuse(bounds.members.map { ($0.key, $0) }, unless: ["number", "integer", "list"], name.value)
    refuse([("of", of)], unless: ["choice", "list"], name.value)
    refuse([("fields", fields)], unless: ["record"], name.value)
    switch name.value {
    case "number": return .number(bounds.bounds)
    case "integer": return .integer(bounds.bounds)
    case "string": return .string
    case "boolean": return .boolean
    case "choice": return choice(of?.value, reader.location)
    case "list": return list(of?.value, bounds.bounds, reader.location, what)
    case "record": return .record(fields.map { parameters($0.value, "'fields' of \(what)") })
    default:
      let near = NearestName.find(name.value, among: ["number", "integer", "string", "boolean", "choice", "list", "record"])
      findings.error(PlanningText.unknownParameterType(name.value), at: name.location, suggestion: near)
      return nil
    }
  }

  private mutating func refuse(_ members: [(key: String, member: Node.Member?)], unless types: [String], _ type: String) {
    guard !types.contains(type), ParameterType.names.contains(type) else { return }
    for case (let key, let member?) in members { findings.error(PlanningText.notForType(key, type), at: member.keyLocation) }
  }

  private mutating func choice(_ node: Node?, _ location: SourceLocation) -> ParameterType? {
    guard let node, let elements = node.elements, !elements.isEmpty, elements.allSatisfy({ $0.scalar != nil }) else {
      findings.error(PlanningText.choiceNeedsValues, at: node?.location ?? location)
      return nil
    }
    return .choice(elements.compactMap { Expression($0, &findings).constant })
  }

  /// `of: number`, or `of: {type: choice, of: […]}`.
  private mutating func list(_ node: Node?, _ count: ParameterType.Bounds, _ location: SourceLocation, _ what: String) -> ParameterType? {
    guard let node else {
      findings.error(PlanningText.listNeedsType, at: location)
      return nil
    }
    let name = Node.Member(key: "type", keyLocation: node.location, value: node)
    let spelled = node.scalar == nil ? node : Node(content: .mapping([name]), location: node.location)
    guard var reader = MappingReader(spelled, "'of' of \(what)", &findings) else { return nil }
    let type = type(&reader, "'of' of \(what)")
    _ = reader.string("doc", &findings)
    reader.finish(&findings)
    return type.map { .list(of: $0, count: count) }
  }

  private mutating func bounds(_ reader: inout MappingReader) -> (bounds: ParameterType.Bounds, members: [Node.Member]) {
    var members: [Node.Member] = []
    var values: [Double?] = []
    for key in ["min", "max", "above", "below"] {
      let member = reader.takeMember(key)
      values.append(member.flatMap { bound($0) })
      if let member { members.append(member) }
    }
    let bounds = ParameterType.Bounds(min: values[0], max: values[1], above: values[2], below: values[3])
    if bounds.isEmpty, let last = members.last { findings.error(PlanningText.emptyBounds(), at: last.value.location) }
    return (bounds, members)
  }

  private mutating func bound(_ member: Node.Member) -> Double? {
    switch member.value.scalar?.value {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    default:
      findings.error(ManifestText.expected("a number", for: "'\(member.key)'", found: member.value), at: member.value.location)
      return nil
    }
  }
}

extension ParameterType {
  static let names = ["number", "integer", "string", "boolean", "choice", "list", "record"]
}

extension ParameterType.Bounds {
  /// Whether no value keeps all of them.
  var isEmpty: Bool {
    let (low, high) = (Swift.max(min ?? -.infinity, above ?? -.infinity), Swift.min(max ?? .infinity, below ?? .infinity))
    return low > high || low == high && (above == low || below == high)
  }
}

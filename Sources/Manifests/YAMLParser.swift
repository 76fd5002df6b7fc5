import Diagnostics
import JSONValues

/// Builds located nodes from YAML text: one document, anchors and merges resolved, limits kept, duplicate keys reported. It knows
/// nothing of manifests.
package struct YAMLParser {
  private let events: YAMLEvents
  private let limits: YAMLLimits
  private let source: SourceFile
  private var anchors: [ByteString: Anchor] = [:]
  private var open: [ByteString: SourceLocation] = [:]
  private var nodes = 0
  private var findings = Findings()

  private struct Anchor {
    let node: Node
    let size: Int
  }

  /// The document, and what is wrong with it. No node when the text cannot be read as YAML at all, or is empty.
  package static func parse(_ source: SourceFile, limits: YAMLLimits = YAMLLimits()) -> (node: Node?, findings: Findings) {
    var findings = Findings()
    if let refusal = YAMLScreen.refusal(source, limits) {
      findings.add(refusal)
      return (nil, findings)
    }
    var parser = YAMLParser(source, limits)
    do {
      let node = try parser.document()
      return (node, parser.findings)
    } catch {
      findings = parser.findings
      findings.add(error)
      return (nil, findings)
    }
  }

  private init(_ source: SourceFile, _ limits: YAMLLimits) {
    events = YAMLEvents(source)
    self.limits = limits
    self.source = source
  }

  private mutating func document() throws(Diagnostic) -> Node {
    _ = try events.next()
    let (first, start) = try events.next()
    if case .streamEnd = first { throw Diagnostic(.error, YAMLText.empty, at: start) }
    let (event, location) = try events.next()
    let node = try node(event, location, depth: 0)
    _ = try events.next()
    let (last, end) = try events.next()
    guard case .streamEnd = last else { throw Diagnostic(.error, YAMLText.severalDocuments, at: end) }
    return node
  }

  private mutating func node(_ event: YAMLEvents.Event, _ location: SourceLocation, depth: Int) throws(Diagnostic) -> Node {
    guard depth <= limits.depth else { throw Diagnostic(.error, YAMLText.tooDeep(limits.depth), at: location) }
    try count(1, at: location)
    let before = nodes - 1
    switch event {
    case .alias(let name): return try alias(name, location)
    case .scalar(let scalar, let anchor, let tag):
      let node = Node(content: .scalar(tagged(scalar, tag, location)), location: location)
      remember(anchor, node, size: 1)
      return node
    case .sequenceStart(let anchor, let tag):
      check(tag, isOneOf: ["tag:yaml.org,2002:seq", "!"], location)
      begin(anchor, location)
      let node = Node(content: .sequence(try elements(depth)), location: location)
      remember(anchor, node, size: nodes - before)
      return node
    case .mappingStart(let anchor, let tag):
      check(tag, isOneOf: ["tag:yaml.org,2002:map", "!"], location)
      begin(anchor, location)
      let node = Node(content: .mapping(try members(depth)), location: location)
      remember(anchor, node, size: nodes - before)
      return node
    default: throw Diagnostic(.error, YAMLText.empty, at: location)
    }
  }

  private mutating func elements(_ depth: Int) throws(Diagnostic) -> [Node] {
    var elements: [Node] = []
    while true {
      let (event, location) = try events.next()
      if case .sequenceEnd = event { return elements }
      elements.append(try node(event, location, depth: depth + 1))
    }
  }

  private mutating func members(_ depth: Int) throws(Diagnostic) -> [Node.Member] {
    var builder = MappingBuilder()
    while true {
      let (event, location) = try events.next()
      if case .mappingEnd = event { return builder.finish() }
      let key = try node(event, location, depth: depth + 1)
      let (valueEvent, valueLocation) = try events.next()
      let value = try node(valueEvent, valueLocation, depth: depth + 1)
      guard let scalar = key.scalar, scalar.value != .null else {
        findings.error(YAMLText.keyIsNoScalar, at: key.location)
        continue
      }
      if scalar.style == .plain, scalar.text == "<<" {
        builder.merge(value, at: key.location, &findings)
      } else {
        builder.add(Node.Member(key: scalar.text, keyLocation: key.location, value: value), &findings)
      }
    }
  }

  // MARK: - Anchors

  private mutating func alias(_ name: String, _ location: SourceLocation) throws(Diagnostic) -> Node {
    let key = ByteString(name)
    guard let anchor = anchors[key] else {
      if let start = open[key] {
        throw Diagnostic(.error, YAMLText.cyclicAlias(name), at: location, notes: [.init(YAMLText.anchored, at: start)])
      }
      let known = NearestName.find(name, among: anchors.keys.map(\.text).sorted())
      throw Diagnostic(.error, YAMLText.undefinedAlias(name), at: location, suggestion: known)
    }
    try count(anchor.size - 1, at: location)
    return anchor.node
  }

  private mutating func begin(_ anchor: String?, _ location: SourceLocation) {
    guard let anchor else { return }
    anchors[ByteString(anchor)] = nil
    open[ByteString(anchor)] = location
  }

  private mutating func remember(_ anchor: String?, _ node: Node, size: Int) {
    guard let anchor else { return }
    open[ByteString(anchor)] = nil
    anchors[ByteString(anchor)] = Anchor(node: node, size: size)
  }

  private mutating func count(_ more: Int, at location: SourceLocation) throws(Diagnostic) {
    nodes += more
    guard nodes <= limits.nodes else { throw Diagnostic(.error, YAMLText.tooManyNodes(limits.nodes), at: location) }
  }

  // MARK: - Tags

  private mutating func tagged(_ scalar: Scalar, _ tag: String?, _ location: SourceLocation) -> Scalar {
    guard let tag else { return scalar }
    let plain = CoreSchema.value(of: scalar.text)
    let value: Scalar.Value?
    switch (tag, plain) {
    case ("!", _), ("tag:yaml.org,2002:str", _): value = .string(scalar.text)
    case ("tag:yaml.org,2002:int", .integer), ("tag:yaml.org,2002:bool", .bool), ("tag:yaml.org,2002:null", .null): value = plain
    case ("tag:yaml.org,2002:float", .number): value = plain
    case ("tag:yaml.org,2002:float", .integer(let integer)): value = .number(Double(integer))
    case ("tag:yaml.org,2002:int", _), ("tag:yaml.org,2002:bool", _), ("tag:yaml.org,2002:null", _), ("tag:yaml.org,2002:float", _):
      findings.error(YAMLText.tagDoesNotFit(shorthand(tag), scalar.description), at: location)
      value = nil
    default:
      findings.error(YAMLText.unknownTag(shorthand(tag)), at: location)
      value = nil
    }
    return value.map { Scalar(text: scalar.text, style: scalar.style, value: $0) } ?? scalar
  }

  private mutating func check(_ tag: String?, isOneOf known: [String], _ location: SourceLocation) {
    guard let tag, !known.contains(tag) else { return }
    findings.error(YAMLText.unknownTag(shorthand(tag)), at: location)
  }

  private func shorthand(_ tag: String) -> String {
    let core = "tag:yaml.org,2002:"
    return tag.hasPrefix(core) ? "!!" + tag.dropFirst(core.count) : tag
  }
}

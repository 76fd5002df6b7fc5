import Diagnostics

/// Warns where PyYAML (YAML 1.1) would read a scalar as something else: many tools around a recipe read the same file through it.
package enum YAMLDifferences {
  package static func warnings(_ source: SourceFile) -> [Diagnostic] {
    guard let node = YAMLParser.parse(source).node else { return [] }
    var findings = Findings()
    var visited: Set<Place> = []
    visit(node, &visited, &findings)
    return findings.sorted
  }

  private struct Place: Hashable {
    let line: Int32
    let column: Int32
  }

  /// Looks at each place of the text once, however many aliases lead there.
  private static func visit(_ node: Node, _ visited: inout Set<Place>, _ findings: inout Findings) {
    switch node.content {
    case .scalar(let scalar): check(scalar, node.location, &findings)
    case .sequence(let elements):
      guard visited.insert(Place(line: node.location.line, column: node.location.column)).inserted else { return }
      for element in elements { visit(element, &visited, &findings) }
    case .mapping(let members):
      guard visited.insert(Place(line: -node.location.line, column: node.location.column)).inserted else { return }
      for member in members {
        let isPlain = member.keyLocation.length == member.key.unicodeScalars.count
        check(Scalar(text: member.key, style: isPlain ? .plain : .string), member.keyLocation, &findings)
        visit(member.value, &visited, &findings)
      }
    }
  }

  private static func check(_ scalar: Scalar, _ location: SourceLocation, _ findings: inout Findings) {
    guard scalar.style == .plain else { return }
    let reading = PyYAMLReading(of: scalar.text)
    guard !reading.agrees(with: scalar.value) else { return }
    findings.warning(YAMLText.readsDifferently(scalar.text, ours: scalar.kind, theirs: reading.description), at: location)
  }
}

extension Scalar {
  fileprivate var kind: String {
    switch value {
    case .null: "null"
    case .bool(let value): "the boolean \(value)"
    case .integer(let value): "the integer \(value)"
    case .number(let value): "the number \(value)"
    case .unrepresentable: "a number"
    case .string: "a string"
    }
  }
}

import Diagnostics

/// Takes the members of a mapping by name and reports the ones nobody asked for. It does not know what they mean.
package struct MappingReader {
  /// How a message calls the mapping: `a stage`, `resources`.
  private let what: String
  private let members: [Node.Member]
  private var known: [String] = []
  private var taken: [Bool]
  package let location: SourceLocation

  /// Nil, and an error, when the node is no mapping.
  package init?(_ node: Node, _ what: String, _ findings: inout Findings) {
    guard let members = node.members else {
      findings.error(ManifestText.expected("a mapping", for: what, found: node), at: node.location)
      return nil
    }
    self.members = members
    self.what = what
    taken = Array(repeating: false, count: members.count)
    known.reserveCapacity(16)
    location = node.location
  }

  /// The value of a key; nil when it is not there.
  package mutating func take(_ key: String) -> Node? { takeMember(key)?.value }

  package mutating func takeMember(_ key: String) -> Node.Member? {
    known.append(key)
    guard let place = members.firstIndex(where: { $0.key.hasSameBytes(as: key) }) else { return nil }
    taken[place] = true
    return members[place]
  }

  /// Leaves nothing to report: the mapping is wrong as a whole, and that has been said.
  package mutating func takeAll() { for place in taken.indices { taken[place] = true } }

  /// An error for each member that was not taken; call it last.
  package func finish(_ findings: inout Findings) {
    for (place, member) in members.enumerated() where !taken[place] {
      let near = NearestName.find(member.key, among: known)
      findings.error(ManifestText.unknownKey(member.key, of: what), at: member.keyLocation, suggestion: near)
    }
  }

  // MARK: - Typed values

  /// A string; an error when it is anything else.
  package mutating func string(_ key: String, _ findings: inout Findings) -> Located<String>? {
    guard let node = take(key) else { return nil }
    guard case .string(let text)? = node.scalar?.value else {
      findings.error(ManifestText.expected("a string", for: "'\(key)'", found: node), at: node.location)
      return nil
    }
    return Located(text, at: node.location)
  }

  package mutating func boolean(_ key: String, _ findings: inout Findings) -> Bool? {
    guard let node = take(key) else { return nil }
    guard case .bool(let value)? = node.scalar?.value else {
      findings.error(ManifestText.expected("true or false", for: "'\(key)'", found: node), at: node.location)
      return nil
    }
    return value
  }

  /// The words `on` and `off`, which are strings in YAML 1.2.
  package mutating func onOrOff(_ key: String, _ findings: inout Findings) -> Located<String>? {
    guard let node = take(key) else { return nil }
    guard case .string(let text)? = node.scalar?.value, ["on", "off"].contains(text) else {
      findings.error(ManifestText.expected("on or off", for: "'\(key)'", found: node), at: node.location)
      return nil
    }
    return Located(text, at: node.location)
  }

  package mutating func integer(_ key: String, atLeast least: Int, _ findings: inout Findings) -> Located<Int>? {
    guard let node = take(key) else { return nil }
    guard case .integer(let value)? = node.scalar?.value, value >= least else {
      findings.error(ManifestText.expected("an integer of at least \(least)", for: "'\(key)'", found: node), at: node.location)
      return nil
    }
    return Located(value, at: node.location)
  }

  /// A list of strings, each with its place.
  package mutating func strings(_ key: String, _ findings: inout Findings) -> [Located<String>]? {
    guard let node = take(key) else { return nil }
    return node.strings(for: "'\(key)'", &findings)
  }
}

extension Node {
  /// The strings of a list; an error when it is no list, or an element is no string.
  package func strings(for what: String, _ findings: inout Findings) -> [Located<String>]? {
    guard let elements else {
      findings.error(ManifestText.expected("a list of strings", for: what, found: self), at: location)
      return nil
    }
    return elements.compactMap { element in
      guard case .string(let text)? = element.scalar?.value else {
        findings.error(ManifestText.expected("a string", for: "an element of \(what)", found: element), at: element.location)
        return nil
      }
      return Located(text, at: element.location)
    }
  }
}

import Diagnostics
import JSONValues

/// Puts the members of a mapping together: no key twice, and what `<<` merges in stands behind the keys given directly.
struct MappingBuilder {
  private var members: [Node.Member] = []
  private var merged: [Node.Member] = []
  /// Places of keys; made only when there are many, for most mappings have few.
  private var places: [ByteString: Int] = [:]

  mutating func add(_ member: Node.Member, _ findings: inout Findings) {
    if let place = place(of: member.key) {
      let note = Diagnostic.Note(YAMLText.firstGiven, at: members[place].keyLocation)
      findings.error(YAMLText.duplicateKey(member.key), at: member.keyLocation, notes: [note])
      return
    }
    members.append(member)
    if members.count == Self.many {
      for (place, member) in members.enumerated() { places[ByteString(member.key)] = place }
    } else if members.count > Self.many {
      places[ByteString(member.key)] = members.count - 1
    }
  }

  /// Takes over the members of a mapping, or of several, of which the first to have a key gives it.
  mutating func merge(_ value: Node, at location: SourceLocation, _ findings: inout Findings) {
    switch value.content {
    case .mapping(let members): merged += members
    case .sequence(let elements) where elements.allSatisfy({ $0.members != nil }):
      for element in elements { merged += element.members ?? [] }
    default: findings.error(YAMLText.mergeNeedsMapping, at: value.location)
    }
  }

  mutating func finish() -> [Node.Member] {
    var ignored = Findings()
    for member in merged where place(of: member.key) == nil { add(member, &ignored) }
    return members
  }

  private static let many = 16

  private func place(of key: String) -> Int? {
    members.count < Self.many ? members.firstIndex { $0.key.hasSameBytes(as: key) } : places[ByteString(key)]
  }
}

/// The members of a JSON object in the order they were written.
///
/// Look-up is a linear search over bytes: objects here are small. For a vocabulary, walk `members` once and build a table.
package struct JSONObject: Sendable {
  package private(set) var members: [(key: String, value: JSONValue)]

  package init(_ members: [(String, JSONValue)] = []) {
    self.members = members.map { (key: $0.0, value: $0.1) }
  }

  package var count: Int { members.count }
  package var isEmpty: Bool { members.isEmpty }
  package var keys: [String] { members.map(\.key) }

  package subscript(key: String) -> JSONValue? {
    members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  /// Replaces the member of that name in its place, or appends it; nil removes it.
  package mutating func set(_ key: String, _ value: JSONValue?) {
    let index = members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    switch (index, value) {
    case (let index?, let value?): members[index].value = value
    case (let index?, nil): members.remove(at: index)
    case (nil, let value?): members.append((key: key, value: value))
    case (nil, nil): break
    }
  }

  /// Adds a member without looking whether the name is there already.
  package mutating func append(_ key: String, _ value: JSONValue) {
    members.append((key: key, value: value))
  }
}

extension JSONObject: Equatable {
  /// Equal when the same names hold equal values, in whatever order.
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    guard left.count == right.count else { return false }
    return left.members.allSatisfy { member in right[member.key] == member.value }
  }
}

/// A string whose equality and hash are those of its UTF-8 bytes, not of its canonical form.
package struct ByteString: Hashable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (left: ByteString, right: ByteString) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  package func hash(into hasher: inout Hasher) {
    var copy = text
    copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

import Diagnostics

/// A YAML value that knows where it stands. It does not know what it means to a manifest or a contract.
package struct Node: Sendable {
  package enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Member])
  }

  /// One `key: value` of a mapping. Keys are scalars, taken by their text.
  package struct Member: Sendable {
    package let key: String
    package let keyLocation: SourceLocation
    package let value: Node

    package init(key: String, keyLocation: SourceLocation, value: Node) {
      self.key = key
      self.keyLocation = keyLocation
      self.value = value
    }
  }

  package let content: Content
  package let location: SourceLocation

  package init(content: Content, location: SourceLocation) {
    self.content = content
    self.location = location
  }
}

extension Node {
  package var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }

  package var elements: [Node]? { if case .sequence(let elements) = content { elements } else { nil } }

  package var members: [Member]? { if case .mapping(let members) = content { members } else { nil } }

  /// The value of a key of this mapping.
  package subscript(key: String) -> Node? { members?.first { $0.key.hasSameBytes(as: key) }?.value }

  package var isNull: Bool { scalar?.value == .null }

  /// What a reader calls it: `the string 'x'`, `the number 1e-5`, `a list`, `a mapping`, `nothing`.
  package var description: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar(let scalar): scalar.description
    }
  }
}

/// A value and where it was written.
package struct Located<Value: Sendable>: Sendable {
  package let value: Value
  package let location: SourceLocation

  package init(_ value: Value, at location: SourceLocation) { (self.value, self.location) = (value, location) }
}

extension String {
  /// Equal byte for byte: Swift's `==` takes canonically equivalent strings for equal.
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}

import JSONValues

// Records are read by asking for members; what is missing is nil, and null where it is written again.

extension JSONValue {
  var strings: [String] { (arrayValue ?? []).compactMap(\.stringValue) }

  /// Null and what is no number become nil, in their places.
  var numbers: [Double?] { (arrayValue ?? []).map(\.numberValue) }
}

extension Double? {
  var json: JSONValue { map { .number($0) } ?? .null }
}

extension Int? {
  var json: JSONValue { map { .integer($0) } ?? .null }
}

extension String? {
  var json: JSONValue { map { .string($0) } ?? .null }
}

extension Bool? {
  var json: JSONValue { map { .bool($0) } ?? .null }
}

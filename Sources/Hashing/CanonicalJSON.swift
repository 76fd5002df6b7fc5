import JSONValues

/// The one encoding that is hashed: RFC 8785 (JSON Canonicalization Scheme). Members in the order of their names' UTF-16 code
/// units, no spaces, ECMAScript's numbers, the fewest escapes.
///
/// One step beyond the RFC, whose numbers are all doubles: an integer is written with all its digits, so two 64-bit seeds beyond
/// 2^53 never encode alike. Up to 2^53 the two readings agree. A number that JSON cannot spell (NaN, infinity) becomes `null`;
/// whoever makes the value refuses those earlier, with a location.
package enum CanonicalJSON {
  package static func bytes(_ value: JSONValue) -> [UInt8] {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return bytes
  }

  package static func text(_ value: JSONValue) -> String { String(decoding: bytes(value), as: UTF8.self) }

  package static func digest(_ value: JSONValue) -> Digest { Digest(hashing: bytes(value)) }

  package static func append(_ value: JSONValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): append(integer: value, to: &bytes)
    case .number(let value): append(number: value, to: &bytes)
    case .string(let value): JSONText.append(quoted: value, to: &bytes)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(element, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object): append(object, to: &bytes)
    }
  }

  package static func append(_ object: JSONObject, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "{"))
    for (index, place) in order(object).enumerated() {
      let member = object.members[place]
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONText.append(quoted: member.key, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(member.value, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Whether name `left` stands before name `right`: by UTF-16 code units, which is not the order of UTF-8 bytes beyond U+FFFF.
  package static func precedes(_ left: String, _ right: String) -> Bool { left.utf16.lexicographicallyPrecedes(right.utf16) }

  /// The places of an object's members in the order in which they are written.
  private static func order(_ object: JSONObject) -> [Int] {
    let places = Array(object.members.indices)
    let members = object.members
    let isSorted = zip(members, members.dropFirst()).allSatisfy { precedes($0.key, $1.key) }
    return isSorted ? places : places.sorted { precedes(members[$0].key, members[$1].key) }
  }

  private static func append(integer value: Int, to bytes: inout [UInt8]) {
    var text = String(value)
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  private static func append(number value: Double, to bytes: inout [UInt8]) {
    if let integer = Int(exactly: value), integer.magnitude <= 1 << 53 {
      append(integer: integer, to: &bytes)
    } else {
      var text = JSONText.number(value)
      text.withUTF8 { bytes.append(contentsOf: $0) }
    }
  }
}

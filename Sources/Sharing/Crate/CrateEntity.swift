import JSONValues

/// One entity of a crate's graph, and references to others.
struct CrateEntity {
  private(set) var object: JSONObject

  init(_ id: String, _ types: String..., name: String? = nil) {
    object = JSONObject([("@id", .string(id)), ("@type", types.count == 1 ? .string(types[0]) : .array(types.map(JSONValue.string)))])
    if let name { object.set("name", .string(name)) }
  }

  var id: String { object["@id"]?.stringValue ?? "" }

  subscript(key: String) -> JSONValue? {
    get { object[key] }
    set { object.set(key, newValue) }
  }

  static func reference(_ id: String) -> JSONValue { ["@id": .string(id)] }

  /// Nil for none, so that no member is made of it; one stands by itself.
  static func references(_ ids: [String]) -> JSONValue? {
    ids.isEmpty ? nil : ids.count == 1 ? reference(ids[0]) : .array(ids.map(reference))
  }

  /// A text as a part of an identifier.
  static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      let isPlain = byte < 0x80 && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "-._~/".utf8.contains(byte))
      return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}

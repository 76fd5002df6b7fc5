import JSONValues

/// A place in a tokenizer file: a value and its path, read with errors that name the path.
struct JSONPlace {
  let value: JSONValue
  let path: String

  init(_ value: JSONValue, path: String = "") {
    self.value = value
    self.path = path
  }

  func fault(_ message: String) -> TokenizerError { TokenizerError(path: path, message: message) }

  private func mismatch(_ expected: String) -> TokenizerError { fault("expected \(expected), found \(value.kindName)") }

  var isNull: Bool { value.isNull }

  /// The member of that name, null when it is left out.
  func optional(_ key: String) throws(TokenizerError) -> JSONPlace {
    JSONPlace(try object()[key] ?? .null, path: path.isEmpty ? key : path + "." + key)
  }

  func required(_ key: String) throws(TokenizerError) -> JSONPlace {
    guard try object()[key] != nil else { throw fault("'\(key)' is missing") }
    return try optional(key)
  }

  func object() throws(TokenizerError) -> JSONObject {
    guard let object = value.objectValue else { throw mismatch("an object") }
    return object
  }

  func array() throws(TokenizerError) -> [JSONPlace] {
    guard let array = value.arrayValue else { throw mismatch("a list") }
    return array.enumerated().map { JSONPlace($1, path: "\(path)[\($0)]") }
  }

  func string() throws(TokenizerError) -> String {
    guard let string = value.stringValue else { throw mismatch("a string") }
    return string
  }

  func bool() throws(TokenizerError) -> Bool {
    guard let bool = value.boolValue else { throw mismatch("a boolean") }
    return bool
  }

  /// A boolean that may be left out or null.
  func bool(orElse absent: Bool) throws(TokenizerError) -> Bool { isNull ? absent : try bool() }

  /// A token id: at least 0, and small enough to index a table with.
  func tokenID() throws(TokenizerError) -> Int32 {
    guard let integer = value.integerValue else { throw mismatch("a token id") }
    guard (0..<TokenizerDefinition.idLimit).contains(integer) else {
      throw fault("token id \(integer) is out of range: ids are 0 to \(TokenizerDefinition.idLimit - 1)")
    }
    return Int32(integer)
  }
}

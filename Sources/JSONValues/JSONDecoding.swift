/// What is wrong with a value that should decode into a type, and where in it: `tasks[2].difficulty`.
package struct JSONDecodingError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let message: String

  package init(path: String, message: String) {
    self.path = path
    self.message = message
  }

  package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// How a type's properties are spelt in JSON.
package enum JSONKeySpelling: Sendable {
  case asInSwift
  /// `learningRate` is `learning_rate`.
  case snakeCase

  fileprivate func key(_ name: String) -> String {
    guard self == .snakeCase else { return name }
    return name.reduce(into: "") { key, character in
      if character.isUppercase { key += "_" + character.lowercased() } else { key.append(character) }
    }
  }
}

extension JSONValue {
  /// Decodes a `Decodable` type from this value.
  package func decode<T: Decodable>(_ type: T.Type = T.self, keys: JSONKeySpelling = .asInSwift) throws -> T {
    try decodeRecordingKeys(type, keys: keys).value
  }

  /// Decodes, and says which keys of this object the type asked for: the ones it did not are unknown to it.
  package func decodeRecordingKeys<T: Decodable>(
    _ type: T.Type = T.self, keys: JSONKeySpelling = .asInSwift
  ) throws -> (value: T, keys: Set<String>) {
    let record = KeyRecord(keys)
    let value = try ValueDecoder(value: self, codingPath: [], record: record).unwrap(type)
    return (value, record.keys)
  }
}

/// The top-level keys asked for during one decoding.
private final class KeyRecord {
  let spelling: JSONKeySpelling
  var keys: Set<String> = []

  init(_ spelling: JSONKeySpelling) { self.spelling = spelling }
}

private struct PathKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
  init(intValue: Int) { (stringValue, self.intValue) = (String(intValue), intValue) }
}

private struct ValueDecoder: Decoder, SingleValueDecodingContainer {
  let value: JSONValue
  let codingPath: [any CodingKey]
  let record: KeyRecord
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let object = value.objectValue else { throw mismatch("an object") }
    return KeyedDecodingContainer(ObjectContainer(object: object, codingPath: codingPath, record: record))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let array = value.arrayValue else { throw mismatch("a list") }
    return ArrayContainer(array: array, codingPath: codingPath, record: record)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { value.isNull }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try unwrap(type) }

  func unwrap<T: Decodable>(_ type: T.Type) throws -> T {
    if let plain = try plain(type) { return plain }
    do {
      return try T(from: self)
    } catch let error as DecodingError {
      throw located(error)
    }
  }

  /// The value as one of the types that JSON itself has; nil when `type` is another.
  private func plain<T>(_ type: T.Type) throws -> T? {
    switch type {
    case is Bool.Type: return try required(value.boolValue, "a boolean") as? T
    case is String.Type: return try required(value.stringValue, "a string") as? T
    case is Double.Type: return try required(value.numberValue, "a number") as? T
    case is Float.Type: return try required(value.numberValue.map(Float.init), "a number") as? T
    case let type as any FixedWidthInteger.Type: return try integer(type) as? T
    case is JSONValue.Type: return value as? T
    case is JSONObject.Type: return try required(value.objectValue, "an object") as? T
    default: return nil
    }
  }

  private func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
    let bounds =
      I.bitWidth == Int.bitWidth ? (I.isSigned ? "an integer" : "an integer of at least 0") : "an integer from \(I.min) to \(I.max)"
    guard let found = value.integerValue else { throw mismatch(bounds) }
    guard let integer = I(exactly: found) else {
      throw JSONDecodingError(path: codingPath.text, message: "expected \(bounds), found \(found)")
    }
    return integer
  }

  private func required<V>(_ value: V?, _ expected: String) throws -> V {
    guard let value else { throw mismatch(expected) }
    return value
  }

  private func mismatch(_ expected: String) -> JSONDecodingError {
    JSONDecodingError(path: codingPath.text, message: "expected \(expected), found \(value.kindName)")
  }

  private func located(_ error: DecodingError) -> JSONDecodingError {
    switch error {
    case .dataCorrupted(let context), .valueNotFound(_, let context), .typeMismatch(_, let context):
      let found = value.stringValue.map { "'\($0)' is not one of its values" }
      return JSONDecodingError(path: codingPath.text, message: found ?? context.debugDescription)
    case .keyNotFound(let key, _): return JSONDecodingError(path: codingPath.text, message: "'\(key.stringValue)' is missing")
    @unknown default: return JSONDecodingError(path: codingPath.text, message: "\(error)")
    }
  }
}

private struct ObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: JSONObject
  let codingPath: [any CodingKey]
  let record: KeyRecord

  var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool {
    let name = record.spelling.key(key.stringValue)
    if codingPath.isEmpty { record.keys.insert(name) }
    return object[name] != nil
  }

  func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).value.isNull }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try decoder(key).unwrap(type) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try decoder(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try decoder(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { ValueDecoder(value: .object(object), codingPath: codingPath, record: record) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

  private func decoder(_ key: Key) throws -> ValueDecoder {
    let name = record.spelling.key(key.stringValue)
    guard contains(key), let value = object[name] else {
      throw JSONDecodingError(path: codingPath.text, message: "'\(name)' is missing")
    }
    return ValueDecoder(value: value, codingPath: codingPath + [key], record: record)
  }
}

private struct ArrayContainer: UnkeyedDecodingContainer {
  let array: [JSONValue]
  let codingPath: [any CodingKey]
  let record: KeyRecord
  var currentIndex = 0

  var count: Int? { array.count }
  var isAtEnd: Bool { currentIndex == array.count }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, array[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().unwrap(type) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }

  private mutating func next() throws -> ValueDecoder {
    guard !isAtEnd else { throw JSONDecodingError(path: codingPath.text, message: "the list has only \(array.count) elements") }
    defer { currentIndex += 1 }
    return ValueDecoder(value: array[currentIndex], codingPath: codingPath + [PathKey(intValue: currentIndex)], record: record)
  }
}

extension [any CodingKey] {
  fileprivate var text: String {
    reduce(into: "") { path, key in
      if let index = key.intValue { path += "[\(index)]" } else { path += (path.isEmpty ? "" : ".") + key.stringValue }
    }
  }
}

extension JSONValue: Decodable {
  /// Only `ValueDecoder` decodes this type, and it hands the value over itself.
  package init(from decoder: any Decoder) throws {
    throw JSONDecodingError(path: decoder.codingPath.text, message: "a JSON value decodes only from a JSON value")
  }
}

extension JSONObject: Decodable {
  package init(from decoder: any Decoder) throws {
    throw JSONDecodingError(path: decoder.codingPath.text, message: "a JSON object decodes only from a JSON value")
  }
}

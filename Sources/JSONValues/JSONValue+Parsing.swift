extension JSONValue {
  /// Parses one JSON document (RFC 8259): UTF-8, no duplicate keys, nothing after it but white space, at most `maximumDepth` deep, and no
  /// more values than 1 GB of memory holds.
  package init(parsing bytes: [UInt8], maximumDepth: Int = 128) throws(JSONError) {
    let result = bytes.withUnsafeBufferPointer { Self.parse($0, maximumDepth) }
    self = try result.get()
  }

  package init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 128) throws(JSONError) {
    try self.init(parsing: Array(bytes), maximumDepth: maximumDepth)
  }

  package init(parsing bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int = 128) throws(JSONError) {
    self = try Self.parse(bytes, maximumDepth).get()
  }

  package static func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int) -> Result<JSONValue, JSONError> {
    var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
    do throws(JSONError) { return .success(try parser.document()) } catch { return .failure(error) }
  }
}

/// A recursive-descent parser over bytes; its depth is bounded, so a hostile text cannot exhaust the stack, and so is the room that its values
/// take: two bytes of text can become fifty of memory.
private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  let maximumDepth: Int
  var position = 0
  var depth = 0
  /// Room taken by values so far, in parts of at most 50 bytes, an array's room to grow included.
  private var room = 0

  private static let mostRoom = 1 << 24

  init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw failure("text after the end of the document") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    guard position < bytes.count else { throw failure("the text ends where a value should stand") }
    try take(room: 1)
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("expected a value")
    }
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    try enter()
    position += 1
    var object = JSONObject()
    var seen: Set<ByteString> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return leave(.object(object)) }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw failure("expected a key in double quotes") }
      let start = position
      let key = try string()
      // A few keys are compared one by one, and from the ninth on by their hashes.
      if object.count == 8 { for member in object.members { seen.insert(ByteString(member.key)) } }
      guard object.count < 8 ? object[key] == nil : seen.insert(ByteString(key)).inserted else {
        position = start
        throw failure("duplicate key \"\(key)\"")
      }
      try take(room: 4)
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("expected ':' after a key") }
      object.append(key, try value())
      skipSpace()
      if take(UInt8(ascii: "}")) { return leave(.object(object)) }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or '}' in an object") }
    }
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    try enter()
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return leave(.array(elements)) }
    while true {
      elements.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return leave(.array(elements)) }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or ']' in a list") }
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { throw failure("expected a value") }
    for index in 0..<count where bytes[position + index] != text.utf8Start[index] { throw failure("expected a value") }
    position += count
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var integral = true
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if position < bytes.count, isDigit(bytes[position]) { throw failure("a number may not begin with 0") }
    } else if !digits() {
      throw failure("expected a digit")
    }
    if take(UInt8(ascii: ".")) {
      integral = false
      guard digits() else { throw failure("expected a digit after the decimal point") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      integral = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() else { throw failure("expected a digit in the exponent") }
    }
    let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    if integral, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      position = start
      throw failure("number \(text) is out of range")
    }
    return .number(value)
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let slice = UnsafeBufferPointer(rebasing: bytes[start..<position])
        guard let text = String(validating: slice, as: UTF8.self) else { throw failure("the string is not valid UTF-8") }
        if slice.count > 15 { try take(room: 1) }
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      if byte < 0x20 { throw failure("a control character stands in a string") }
      position += 1
    }
    throw failure("the text ends inside a string")
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var buffer = Array(UnsafeBufferPointer(rebasing: bytes[start..<position]))
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: buffer, as: UTF8.self) else { throw failure("the string is not valid UTF-8") }
        if buffer.count > 15 { try take(room: 1) }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &buffer)
      case 0..<0x20:
        throw failure("a control character stands in a string")
      default:
        buffer.append(byte)
        position += 1
      }
    }
    throw failure("the text ends inside a string")
  }

  private mutating func escape(into buffer: inout [UInt8]) throws(JSONError) {
    guard position < bytes.count else { throw failure("the text ends inside a string") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
    case UInt8(ascii: "b"): buffer.append(8)
    case UInt8(ascii: "f"): buffer.append(12)
    case UInt8(ascii: "n"): buffer.append(10)
    case UInt8(ascii: "r"): buffer.append(13)
    case UInt8(ascii: "t"): buffer.append(9)
    case UInt8(ascii: "u"): buffer.append(contentsOf: String(try unicodeEscape()).utf8)
    default: throw failure("unknown escape in a string")
    }
  }

  /// `\uXXXX`, pairs of surrogates joined; a lone surrogate becomes U+FFFD, as no Swift string can hold it.
  private mutating func unicodeEscape() throws(JSONError) -> Character {
    let first = try hexadecimal()
    if (0xD800..<0xDC00).contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    {
      let back = position
      position += 2
      let second = try hexadecimal()
      if (0xDC00..<0xE000).contains(second) {
        return Character(Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}")
      }
      position = back
    }
    return Character(Unicode.Scalar(first) ?? "\u{FFFD}")
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("expected four hexadecimal digits") }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }

  // MARK: - Bytes

  private mutating func enter() throws(JSONError) {
    depth += 1
    guard depth <= maximumDepth else { throw failure("nested more than \(maximumDepth) deep") }
    try take(room: 1)
  }

  private mutating func take(room more: Int) throws(JSONError) {
    room += more
    guard room <= Self.mostRoom else { throw failure("more values than are read into memory (\(Self.mostRoom))") }
  }

  private mutating func leave(_ value: JSONValue) -> JSONValue {
    depth -= 1
    return value
  }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x0A || bytes[position] == 0x0D || bytes[position] == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func digits() -> Bool {
    let start = position
    while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    return position > start
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private func failure(_ message: String) -> JSONError {
    var line = 1
    var lineStart = 0
    for index in 0..<min(position, bytes.count) where bytes[index] == 0x0A {
      line += 1
      lineStart = index + 1
    }
    return JSONError(message: message, line: line, column: position - lineStart + 1, byteOffset: position)
  }
}

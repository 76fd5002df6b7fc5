import JSONValues

/// Reads the typed values at the head of a GGUF file one after the other, with every length checked against what is left of the file.
/// Knows nothing of what the values mean.
struct GGUFCursor {
  let file: PositionedFile
  /// In bytes from the start of the file.
  private(set) var position = 0
  private var window: [UInt8] = []
  private var windowStart = 0

  private static let windowSize = 1 << 20
  /// Elements of arrays so far, strings twice, and each 32 bytes of a text: each takes up to 50 bytes of memory, however few of the file, of
  /// which there may be nothing on the disk.
  private var elements = 0

  private static let mostElements = 1 << 24
  private static let longestText = 1 << 26
  private static let deepestArray = 4

  init(file: PositionedFile) { self.file = file }

  var remaining: Int { file.size - position }

  // MARK: - Plain values

  mutating func integer<T: FixedWidthInteger>(_ what: String, as type: T.Type = T.self) throws(ModelError) -> T {
    let start = try take(MemoryLayout<T>.size, what)
    return window.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: T.self)) }
  }

  /// A u64 that says how many things follow, each of at least `leastSize` bytes.
  mutating func count(_ what: String, leastSize: Int) throws(ModelError) -> Int {
    let count: UInt64 = try integer(what)
    guard count <= UInt64(remaining / leastSize) else {
      throw failure("\(what) is \(count), but only \(remaining) bytes follow: truncated or corrupt")
    }
    return Int(count)
  }

  mutating func string(_ what: String) throws(ModelError) -> String {
    let count = try count("the length of \(what)", leastSize: 1)
    guard count <= Self.longestText else { throw failure("\(what) has \(count) bytes; at most \(Self.longestText) are read") }
    elements += count / 32
    guard elements <= Self.mostElements else { throw failure("\(what) is beyond what is read of texts and lists") }
    let start = try take(count, what)
    guard let text = String(validating: window[start..<start + count], as: UTF8.self) else { throw failure("\(what) is not valid UTF-8") }
    return text
  }

  // MARK: - Metadata values

  /// A value of the type that `type` numbers; `what` names it in errors.
  mutating func value(type: UInt32, _ what: String, depth: Int = 0) throws(ModelError) -> JSONValue {
    switch type {
    case 0: return .integer(Int(try integer(what, as: UInt8.self)))
    case 1: return .integer(Int(try integer(what, as: Int8.self)))
    case 2: return .integer(Int(try integer(what, as: UInt16.self)))
    case 3: return .integer(Int(try integer(what, as: Int16.self)))
    case 4: return .integer(Int(try integer(what, as: UInt32.self)))
    case 5: return .integer(Int(try integer(what, as: Int32.self)))
    case 6: return .number(Self.shortest(Float(bitPattern: try integer(what))))
    case 7: return .bool(try boolean(what))
    case 8: return .string(try string(what))
    case 9: return try array(what, depth: depth + 1)
    case 10: return Self.unsigned(try integer(what))
    case 11: return .integer(Int(try integer(what, as: Int64.self)))
    case 12: return .number(Double(bitPattern: try integer(what)))
    default: throw failure("\(what) has the unknown value type \(type)")
    }
  }

  private mutating func boolean(_ what: String) throws(ModelError) -> Bool {
    let byte: UInt8 = try integer(what)
    guard byte <= 1 else { throw failure("\(what) must be 0 or 1 to be a boolean, not \(byte)") }
    return byte == 1
  }

  private mutating func array(_ what: String, depth: Int) throws(ModelError) -> JSONValue {
    guard depth <= Self.deepestArray else { throw failure("\(what) is nested more than \(Self.deepestArray) deep") }
    let type: UInt32 = try integer(what)
    guard let least = Self.leastSizes[type] else { throw failure("\(what) has elements of the unknown value type \(type)") }
    let count = try count("the length of \(what)", leastSize: least)
    elements += type >= 8 && type <= 9 ? 2 * count : count
    guard elements <= Self.mostElements else { throw failure("\(what) has \(count) elements; at most \(Self.mostElements) are read") }
    var values: [JSONValue] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try value(type: type, what, depth: depth)) }
    return .array(values)
  }

  /// Bytes that a value of each type takes at least.
  private static let leastSizes: [UInt32: Int] = [0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 9: 12, 10: 8, 11: 8, 12: 8]

  /// The double with the fewest digits that is this float: 1e-5 and not 9.999999747378752e-06, which is what the number was before it was
  /// stored as a float.
  private static func shortest(_ value: Float) -> Double { Double(value.description) ?? Double(value) }

  private static func unsigned(_ value: UInt64) -> JSONValue { Int(exactly: value).map { .integer($0) } ?? .number(Double(value)) }

  // MARK: - Bytes

  /// Moves past `count` bytes; the place in `window` where they stand.
  private mutating func take(_ count: Int, _ what: String) throws(ModelError) -> Int {
    guard count <= remaining else { throw failure("the file ends inside \(what)") }
    if position < windowStart || position + count > windowStart + window.count {
      window = try file.bytes(at: position, count: min(max(count, Self.windowSize), remaining))
      windowStart = position
    }
    defer { position += count }
    return position - windowStart
  }

  func failure(_ message: String) -> ModelError { ModelError("\(message) (at byte \(position))", file: file.path) }
}

/// Reads plain scalars as the core schema of YAML 1.2 does (section 10.3.2): `no` and `on` are strings, `1e-5` is a number, `010` is ten.
package enum CoreSchema {
  package static func value(of text: String) -> Scalar.Value {
    var text = text
    return text.withUTF8 { value($0) } ?? .string(text)
  }

  private static func value(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Value? {
    guard let first = bytes.first else { return .null }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): return number(bytes)
    case UInt8(ascii: "~"): return bytes.count == 1 ? .null : nil
    case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
      return word(bytes)
    default: return nil
    }
  }

  private static func word(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Value? {
    guard bytes.count <= 5 else { return nil }
    return switch String(decoding: bytes, as: UTF8.self) {
    case "null", "Null", "NULL": .null
    case "true", "True", "TRUE": .bool(true)
    case "false", "False", "FALSE": .bool(false)
    default: nil
    }
  }

  // MARK: - Numbers

  private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Value? {
    if bytes.count > 2, bytes[0] == UInt8(ascii: "0") {
      if bytes[1] == UInt8(ascii: "o") { return radix(bytes, 8) }
      if bytes[1] == UInt8(ascii: "x") { return radix(bytes, 16) }
    }
    var shape = NumberShape(bytes)
    guard shape.isNumber() else { return infinity(bytes) }
    if shape.isInteger { return Int(ascii: bytes).map { .integer($0) } ?? .unrepresentable }
    guard let value = Double(String(decoding: bytes, as: UTF8.self).droppingPlus), value.isFinite else { return .unrepresentable }
    return .number(value)
  }

  private static func radix(_ bytes: UnsafeBufferPointer<UInt8>, _ radix: Int) -> Scalar.Value? {
    let digits = String(decoding: bytes.dropFirst(2), as: UTF8.self)
    guard digits.utf8.allSatisfy({ isDigit($0, radix) }) else { return nil }
    return Int(digits, radix: radix).map { .integer($0) } ?? .unrepresentable
  }

  private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "7"): true
    case UInt8(ascii: "8")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): radix == 16
    default: false
    }
  }

  private static func infinity(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Value? {
    guard bytes.count <= 5 else { return nil }
    return switch String(decoding: bytes, as: UTF8.self).droppingPlus.drop(while: { $0 == "-" }) {
    case ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN": .unrepresentable
    default: nil
    }
  }
}

/// Whether bytes are `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
private struct NumberShape {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private(set) var isInteger = true

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func isNumber() -> Bool {
    skip(UInt8(ascii: "+"), UInt8(ascii: "-"))
    let whole = digits()
    if skip(UInt8(ascii: "."), UInt8(ascii: ".")) {
      isInteger = false
      guard digits() + whole > 0 else { return false }
    } else if whole == 0 {
      return false
    }
    if skip(UInt8(ascii: "e"), UInt8(ascii: "E")) {
      isInteger = false
      skip(UInt8(ascii: "+"), UInt8(ascii: "-"))
      guard digits() > 0 else { return false }
    }
    return place == bytes.count
  }

  @discardableResult private mutating func skip(_ one: UInt8, _ other: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == one || bytes[place] == other else { return false }
    place += 1
    return true
  }

  private mutating func digits() -> Int {
    let start = place
    while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39 { place += 1 }
    return place - start
  }
}

extension String {
  fileprivate var droppingPlus: String { utf8.first == UInt8(ascii: "+") ? String(dropFirst()) : self }
}

extension Int {
  /// Decimal digits after an optional sign; nil when they do not fit.
  fileprivate init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}

import Foundation
import JSONValues

/// Reads the metadata of a GGUF file, as far as the tests of a real one need it; the engine's own reader is another module's.
struct GGUFMetadata {
  private let bytes: Data
  private var offset = 0
  private(set) var members: JSONObject = JSONObject()

  init(path: String) throws {
    bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    _ = integer(UInt32.self)
    _ = integer(UInt32.self)
    _ = integer(UInt64.self)
    for _ in 0..<integer(UInt64.self) {
      let key = string()
      members.append(key, value(integer(UInt32.self)))
    }
  }

  private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T {
    defer { offset += MemoryLayout<T>.size }
    return bytes[offset..<offset + MemoryLayout<T>.size].reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  private mutating func string() -> String {
    let count = Int(integer(UInt64.self))
    defer { offset += count }
    return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
  }

  private mutating func value(_ type: UInt32) -> JSONValue {
    switch type {
    case 0: return .integer(Int(integer(UInt8.self)))
    case 1: return .integer(Int(integer(Int8.self)))
    case 2: return .integer(Int(integer(UInt16.self)))
    case 3: return .integer(Int(integer(Int16.self)))
    case 4: return .integer(Int(integer(UInt32.self)))
    case 5: return .integer(Int(integer(Int32.self)))
    case 6: return .number(Double(Float(bitPattern: integer(UInt32.self))))
    case 7: return .bool(integer(UInt8.self) != 0)
    case 8: return .string(string())
    case 9:
      let element = integer(UInt32.self)
      return .array((0..<integer(UInt64.self)).map { _ in value(element) })
    case 10, 11: return .integer(Int(truncatingIfNeeded: integer(UInt64.self)))
    default: return .number(Double(bitPattern: integer(UInt64.self)))
    }
  }
}

import Foundation
import JSONValues

/// A safetensors file of flat integer arrays: u64 header length, JSON header padded to 8, data. Just what a table of tokens needs; weights
/// have their own reader.
struct ArrayFile {
  struct Entry {
    let name: String
    /// As safetensors spells it: I64, I32, U8.
    let type: String
    let count: Int
    let bytes: [UInt8]
  }

  private(set) var arrays: [Entry]

  init(arrays: [Entry]) { self.arrays = arrays }

  func encoded() -> [UInt8] {
    var header = JSONObject([("__metadata__", ["format": "pt"])])
    var position = 0
    for array in arrays {
      let shape: [JSONValue] = [.integer(array.count)]
      let range: [JSONValue] = [.integer(position), .integer(position + array.bytes.count)]
      header.append(
        array.name, .object(JSONObject([("dtype", .string(array.type)), ("shape", .array(shape)), ("data_offsets", .array(range))])))
      position += array.bytes.count
    }
    var text = JSONValue.object(header).encodedBytes()
    text += repeatElement(0x20, count: (8 - text.count % 8) % 8)
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    return arrays.reduce(into: length + text) { $0 += $1.bytes }
  }

  init(bytes: [UInt8]) throws(DatasetError) {
    guard bytes.count >= 8 else { throw DatasetError("the file has only \(bytes.count) bytes; it is truncated") }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
      throw DatasetError("the header claims \(length) bytes, more than there are")
    }
    let start = 8 + Int(length)
    let header: JSONValue
    do { header = try JSONValue(parsing: Array(bytes[8..<start])) } catch {
      throw DatasetError("the header is not valid JSON: \(error.message)")
    }
    guard let members = header.objectValue?.members else { throw DatasetError("the header is not an object") }
    arrays = []
    var taken = 0
    for (name, entry) in members where name != "__metadata__" {
      guard let type = entry["dtype"]?.stringValue, let count = entry["shape"]?[0]?.integerValue,
        let first = entry["data_offsets"]?[0]?.integerValue,
        let last = entry["data_offsets"]?[1]?.integerValue, first >= 0, first <= last, last <= bytes.count - start
      else { throw DatasetError("the entry of '\(name)' is damaged, or the data is truncated") }
      // Arrays that share bytes would take memory out of proportion to the file.
      taken += last - first
      guard taken <= bytes.count - start else { throw DatasetError("'\(name)' overlaps another array") }
      arrays.append(Entry(name: name, type: type, count: count, bytes: Array(bytes[start + first..<start + last])))
    }
    guard taken == bytes.count - start else { throw DatasetError("\(bytes.count - start - taken) bytes belong to no array") }
  }

  func integers<T: FixedWidthInteger>(_ name: String, _ type: String, as: T.Type) throws(DatasetError) -> [T] {
    guard let array = arrays.first(where: { $0.name == name }) else { throw DatasetError("'\(name)' is missing") }
    guard array.type == type else { throw DatasetError("'\(name)' must be \(type), it is \(array.type)") }
    let (size, overflow) = array.count.multipliedReportingOverflow(by: MemoryLayout<T>.size)
    guard !overflow, array.bytes.count == size else {
      throw DatasetError("'\(name)' has \(array.bytes.count) bytes for \(array.count) values of \(type)")
    }
    return array.bytes.withUnsafeBytes { bytes in
      (0..<array.count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self) }
    }
  }
}

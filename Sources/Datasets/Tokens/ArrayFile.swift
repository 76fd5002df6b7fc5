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

  static func encoded(_ arrays: [Entry]) -> [UInt8] {
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

  // MARK: - Reading

  /// Where an array lies in the file.
  private struct Place {
    let name: String
    let type: String
    let count: Int
    let range: Range<Int>
  }

  /// Gives bytes of the file; fewer where it ends.
  typealias Read = (Range<Int>) throws(DatasetError) -> [UInt8]

  private let read: Read
  private var places: [Place] = []

  private static let piece = 1 << 20

  /// - Parameter size: of the whole file, in bytes.
  init(size: Int, read: @escaping Read) throws(DatasetError) {
    self.read = read
    guard size >= 8 else { throw DatasetError("the file has only \(size) bytes; it is truncated") }
    let length = try read(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000, Int(length) <= size - 8 else {
      throw DatasetError("the header claims \(length) bytes, more than there are")
    }
    let start = 8 + Int(length)
    let text = try read(8..<start)
    let header: JSONValue
    do { header = try JSONValue(parsing: text) } catch { throw DatasetError("the header is not valid JSON: \(error.message)") }
    guard let members = header.objectValue?.members else { throw DatasetError("the header is not an object") }
    var taken = 0
    for (name, entry) in members where name != "__metadata__" {
      guard let type = entry["dtype"]?.stringValue, let count = entry["shape"]?[0]?.integerValue,
        let first = entry["data_offsets"]?[0]?.integerValue,
        let last = entry["data_offsets"]?[1]?.integerValue, first >= 0, first <= last, last <= size - start
      else { throw DatasetError("the entry of '\(name)' is damaged, or the data is truncated") }
      // Arrays that share bytes would take memory out of proportion to the file.
      taken += last - first
      guard taken <= size - start else { throw DatasetError("'\(name)' overlaps another array") }
      places.append(Place(name: name, type: type, count: count, range: start + first..<start + last))
    }
    guard taken == size - start else { throw DatasetError("\(size - start - taken) bytes belong to no array") }
  }

  /// An array's values, read piece by piece: the file is never in memory beside them.
  func integers<T: FixedWidthInteger>(_ name: String, _ type: String, as: T.Type) throws(DatasetError) -> [T] {
    guard let place = places.first(where: { $0.name == name }) else { throw DatasetError("'\(name)' is missing") }
    guard place.type == type else { throw DatasetError("'\(name)' must be \(type), it is \(place.type)") }
    let width = MemoryLayout<T>.size
    let (size, overflow) = place.count.multipliedReportingOverflow(by: width)
    guard !overflow, place.range.count == size else {
      throw DatasetError("'\(name)' has \(place.range.count) bytes for \(place.count) values of \(type)")
    }
    var values: [T] = []
    values.reserveCapacity(place.count)
    for start in stride(from: place.range.lowerBound, to: place.range.upperBound, by: Self.piece) {
      let range = start..<min(start + Self.piece, place.range.upperBound)
      let bytes = try read(range)
      guard bytes.count == range.count else { throw DatasetError("the file ends inside '\(name)'") }
      bytes.withUnsafeBytes { bytes in
        for at in stride(from: 0, to: bytes.count, by: width) { values.append(bytes.loadUnaligned(fromByteOffset: at, as: T.self)) }
      }
    }
    return values
  }
}

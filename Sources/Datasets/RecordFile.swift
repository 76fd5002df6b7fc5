import Foundation
import JSONValues

/// A JSONL file of records, one an own line; blank lines are passed over.
package struct RecordFile: Sendable {
  package let path: String
  /// What errors call the file; the path where left out.
  package let name: String
  package let mapping: FieldMapping

  package init(_ path: String, name: String? = nil, mapping: FieldMapping = .none) {
    self.path = path
    self.name = name ?? path
    self.mapping = mapping
  }

  /// Hands every record to `body` with its line; holds one line in memory at a time. Errors carry file and line, those of `body` too.
  package func read(_ body: (Record, Int) throws(DatasetError) -> Void) throws(DatasetError) {
    try readRows { row, line throws(DatasetError) in try body(try Record(row: row, mapping: mapping), line) }
  }

  /// The rows as they stand, without a look at their form.
  package func readRows(_ body: (JSONValue, Int) throws(DatasetError) -> Void) throws(DatasetError) {
    var lines = try LineReader(path: path, name: name)
    while let bytes = try lines.next() {
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      do throws(DatasetError) { try body(try Self.parse(bytes), lines.line) } catch { throw error.located(file: name, line: lines.line) }
    }
  }

  package func records() throws(DatasetError) -> [Record] {
    var records: [Record] = []
    try read { record, _ in records.append(record) }
    return records
  }

  private static func parse(_ bytes: ArraySlice<UInt8>) throws(DatasetError) -> JSONValue {
    do {
      return try JSONValue(parsing: Array(bytes))
    } catch { throw DatasetError("not valid JSON at column \(error.column): \(error.message)") }
  }

  /// One record a line, members in their order, each line ended: equal records give equal bytes.
  package static func write(_ records: some Sequence<Record>, to path: String) throws(DatasetError) {
    try write(rows: records.lazy.map(\.json), to: path)
  }

  package static func write(rows: some Sequence<JSONValue>, to path: String) throws(DatasetError) {
    var bytes: [UInt8] = []
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
      throw DatasetError("cannot be written", file: path)
    }
    do {
      for row in rows {
        bytes += row.encodedBytes()
        bytes.append(0x0A)
        guard bytes.count >= 1 << 20 else { continue }
        try handle.write(contentsOf: bytes)
        bytes.removeAll(keepingCapacity: true)
      }
      try handle.write(contentsOf: bytes)
      try handle.close()
    } catch { throw DatasetError("cannot be written: \(error.localizedDescription)", file: path) }
  }
}

import Foundation
import JSONValues

/// A `tokens` artifact is a directory: `tokens.safetensors` (`offsets` I64, `ids` I32, `trained` U8) and `statistics.json`.
extension TokenizedRecords {
  package static let fileName = "tokens.safetensors"
  package static let statisticsName = "statistics.json"

  package func write(to directory: String, statistics: TokenStatistics) throws(DatasetError) {
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try Data(encoded()).write(to: URL(fileURLWithPath: directory + "/" + Self.fileName))
      let text = statistics.json.encoded(pretty: true) + "\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/" + Self.statisticsName))
    } catch { throw DatasetError("cannot be written: \(error.localizedDescription)", file: directory) }
  }

  package init(directory: String) throws(DatasetError) {
    let path = directory + "/" + Self.fileName
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let file = FileHandle(forReadingAtPath: path) else {
      throw DatasetError("no such file: this is not a tokens directory", file: path)
    }
    do {
      try self.init(
        ArrayFile(size: Int(status.st_size)) { range throws(DatasetError) in
          do {
            try file.seek(toOffset: UInt64(range.lowerBound))
            return [UInt8](try file.read(upToCount: range.count) ?? Data())
          } catch { throw DatasetError("cannot be read: \(error.localizedDescription)") }
        })
    } catch { throw error.located(file: path) }
  }

  /// The bytes of the safetensors file, in the reference writer's order: wider types first.
  package func encoded() -> [UInt8] {
    ArrayFile.encoded([
      .init(name: "offsets", type: "I64", count: offsets.count, bytes: offsets.withUnsafeBytes { Array($0) }),
      .init(name: "ids", type: "I32", count: ids.count, bytes: ids.withUnsafeBytes { Array($0) }),
      .init(name: "trained", type: "U8", count: trained.count, bytes: trained),
    ])
  }

  package init(bytes: [UInt8]) throws(DatasetError) {
    try self.init(ArrayFile(size: bytes.count) { range throws(DatasetError) in Array(bytes[range.clamped(to: bytes.indices)]) })
  }

  private init(_ file: ArrayFile) throws(DatasetError) {
    try self.init(
      ids: try file.integers("ids", "I32", as: Int32.self), trained: try file.integers("trained", "U8", as: UInt8.self),
      offsets: try file.integers("offsets", "I64", as: Int.self))
  }
}

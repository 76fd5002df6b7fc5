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
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DatasetError("no such file: this is not a tokens directory", file: path)
    }
    do { self = try TokenizedRecords(bytes: [UInt8](data)) } catch { throw error.located(file: path) }
  }

  /// The bytes of the safetensors file, in the reference writer's order: wider types first.
  package func encoded() -> [UInt8] {
    let file = ArrayFile(arrays: [
      .init(name: "offsets", type: "I64", count: offsets.count, bytes: offsets.withUnsafeBytes { Array($0) }),
      .init(name: "ids", type: "I32", count: ids.count, bytes: ids.withUnsafeBytes { Array($0) }),
      .init(name: "trained", type: "U8", count: trained.count, bytes: trained),
    ])
    return file.encoded()
  }

  package init(bytes: [UInt8]) throws(DatasetError) {
    let file = try ArrayFile(bytes: bytes)
    try self.init(
      ids: try file.integers("ids", "I32", as: Int32.self), trained: try file.integers("trained", "U8", as: UInt8.self),
      offsets: try file.integers("offsets", "I64", as: Int64.self).map { Int($0) })
  }
}

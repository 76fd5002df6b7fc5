import Merging
import Modeling
import StageInterface

/// How a merging stage stores the weights.
struct StorageParameters: Decodable, Sendable {
  let outDtype: String?
  let maxShardSize: String

  func storage() throws -> MergedModel.Storage {
    let type = ElementType.floats.first { $0.torchName == outDtype }
    return MergedModel.Storage(type: type, shardLimit: try ShardSize.bytes(maxShardSize))
  }
}

/// `max_shard_size` as Hugging Face writes it: "5GB", "500MB", "2GiB"; bytes where no unit is given; "none".
enum ShardSize {
  private static let units: [(String, Int)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("", 1),
  ]

  /// nil where there is no limit: "none".
  static func bytes(_ text: String) throws -> Int? {
    if text == "none" { return nil }
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }), let number = Int(text.dropLast(unit.count)), number > 0,
      case (let bytes, let overflow) = number.multipliedReportingOverflow(by: factor), !overflow
    else {
      throw StageFailure("parameter max_shard_size: '\(text)' is no size; write 5GB, 500MB, 2GiB or none")
    }
    return bytes
  }
}

import Foundation
import JSONValues
import StageInterface

/// The metrics of every step of a training run, kept beside its checkpoint so that a resumed run hands over the whole curve.
///
/// One JSON array a line while the run goes on; in the end one JSON object of columns. It knows nothing of the checkpoint: a line may be
/// there twice, or beyond the step that the run goes on from; the last one of a step counts.
final class StepLog {
  private let path: String
  private let handle: FileHandle
  private var names: [String] = []
  /// The values of each step in the order of `names`.
  private var rows: [Int: [Double]] = [:]

  init(_ path: String) throws {
    self.path = path
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    guard let handle = FileHandle(forUpdatingAtPath: path) else { throw StageFailure("cannot be written", file: path) }
    self.handle = handle
    let bytes = [UInt8](try handle.readToEnd() ?? Data())
    // A line that a crash cut off is not JSON, and its step is done again.
    for line in bytes.split(separator: 0x0A) {
      guard let row = try? JSONValue(parsing: Array(line)), let step = row[0]?.integerValue else { continue }
      rows[step] = (row[1]?.arrayValue ?? []).map { $0.numberValue ?? .nan }
    }
    if let last = bytes.last, last != 0x0A { try handle.write(contentsOf: [0x0A]) }
  }

  /// `metrics` have the same names at every step; NaN stands for what could not be measured, and is written as null.
  func append(step: Int, _ metrics: [(name: String, value: Double)]) {
    names = metrics.map(\.name)
    let values = metrics.map(\.value)
    rows[step] = values
    let line = JSONValue.array([.integer(step), .array(values.map(Self.json))])
    try? handle.write(contentsOf: line.encodedBytes() + [0x0A])
  }

  func synchronize() { try? handle.synchronize() }

  /// Writes `{"step": [1, …], "loss": […], …}` and what else there is to say of the run.
  func write(steps: Int, _ others: [(String, JSONValue)] = [], to output: String) throws {
    let kept = try (0..<steps).map { $0 + 1 }.map { step throws -> [Double] in
      guard let row = rows[step], row.count == names.count else {
        throw StageFailure("the metrics of step \(step) are lost; run the stage anew with --rerun", file: path)
      }
      return row
    }
    var columns = JSONObject([("step", .array((0..<steps).map { .integer($0 + 1) }))])
    for (index, name) in names.enumerated() { columns.append(name, .array(kept.map { Self.json($0[index]) })) }
    for (name, value) in others { columns.append(name, value) }
    try Data(JSONValue.object(columns).encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: output))
  }

  private static func json(_ value: Double) -> JSONValue { value.isNaN ? .null : .number(value) }
}

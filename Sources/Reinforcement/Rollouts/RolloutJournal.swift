import Datasets
import Foundation
import JSONValues
import Kernels

/// Rollouts as they end, in a file that outlives a crash: a generation that was stopped samples only what is missing. A rollout depends on
/// its own number alone, so what is sampled later is what would have been sampled at first.
package final class RolloutJournal {
  private let path: String
  private let handle: FileHandle
  private var known: [Rollout?]
  /// The kernels that sampled them, in the order in which they came to it.
  package private(set) var kernels: [String] = []

  /// - Parameter prompts: how many there are; the file belongs to them and to nothing else.
  package init(_ path: String, prompts: Int) throws(DatasetError) {
    let exists = FileManager.default.fileExists(atPath: path) || FileManager.default.createFile(atPath: path, contents: nil)
    guard exists, let handle = FileHandle(forUpdatingAtPath: path) else { throw DatasetError("cannot be written", file: path) }
    self.path = path
    self.handle = handle
    known = [Rollout?](repeating: nil, count: prompts)
    try read()
  }

  package subscript(prompt: Int) -> Rollout? { known[prompt] }

  package func append(_ prompt: Int, _ rollout: Rollout) throws(DatasetError) {
    known[prompt] = rollout
    note(CPU.kernelName)
    try write(JSONValue.array([.integer(prompt), rollout.json, .string(CPU.kernelName)]).encodedBytes() + [0x0A])
  }

  package func synchronize() throws(DatasetError) {
    do { try handle.synchronize() } catch { throw failed(error) }
  }

  /// All of them, in the order of the prompts.
  package func rollouts() -> [Rollout] { known.compactMap { $0 } }

  /// A line that a crash cut off is not JSON, or no rollout: it is sampled again.
  private func read() throws(DatasetError) {
    let bytes: [UInt8]
    do { bytes = [UInt8](try handle.readToEnd() ?? Data()) } catch { throw failed(error) }
    for line in bytes.split(separator: 0x0A) {
      guard let row = try? JSONValue(parsing: Array(line)), let prompt = row[0]?.integerValue, known.indices.contains(prompt),
        let json = row[1], let rollout = try? Rollout(json: json)
      else { continue }
      known[prompt] = rollout
      if let kernel = row[2]?.stringValue { note(kernel) }
    }
    if let last = bytes.last, last != 0x0A { try write([0x0A]) }
  }

  private func note(_ kernel: String) { if !kernels.contains(kernel) { kernels.append(kernel) } }

  private func write(_ bytes: [UInt8]) throws(DatasetError) {
    do { try handle.write(contentsOf: bytes) } catch { throw failed(error) }
  }

  private func failed(_ error: any Error) -> DatasetError { DatasetError("cannot be written: \(error.localizedDescription)", file: path) }
}

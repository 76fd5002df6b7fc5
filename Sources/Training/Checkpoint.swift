import JSONValues
import Kernels
import Modeling

/// Everything a stopped run needs to end with the bytes of an uninterrupted one: parameters, moments, and counters, in one file that
/// appears whole or not at all. Layout: the header's length (u64, little-endian), the header (JSON), then the parameters, first and second
/// moments as float32.
struct Checkpoint {
  static let format = "heirloom training checkpoint 1"

  /// Optimizer steps done; the position in the data follows from it.
  var step: Int
  /// Tokens seen.
  var tokens: Int
  /// Kernels of every part of the run so far.
  var kernels: [String]

  func write(
    to path: String, binding: TrainingBinding, _ parameters: ParameterArena, _ optimizer: Optimizer
  ) throws(TrainingError) {
    let header = headerBytes(binding, floats: parameters.count)
    let size = parameters.count * MemoryLayout<Float>.stride
    do throws(ModelError) {
      let file = try AtomicFile(path: path, size: header.count + 3 * size)
      try Self.write(header, file)
      for (index, part) in [parameters.pointer, optimizer.first.pointer, optimizer.second.pointer].enumerated() {
        try file.write(UnsafeRawBufferPointer(start: part, count: size), at: header.count + index * size)
      }
      try file.commit()
    } catch {
      throw .checkpointNotWritten(path: path, reason: error.message)
    }
  }

  /// Fills the parameters and moments from the file; refuses one of another run.
  static func read(
    _ path: String, binding: TrainingBinding, _ parameters: ParameterArena, _ optimizer: Optimizer
  ) throws(TrainingError) -> Checkpoint {
    do throws(ModelError) {
      let file = try PositionedFile(path: path)
      let (header, start) = try header(file)
      guard header["format"]?.stringValue == format else { throw ModelError("its format is not '\(format)'") }
      if let part = binding.difference(from: header["binding"]) { throw ModelError(differs + part) }
      let size = parameters.count * MemoryLayout<Float>.stride
      guard file.size == start + 3 * size, header["floats"]?.integerValue == parameters.count,
        let step = header["step"]?.integerValue, let tokens = header["tokens"]?.integerValue, step >= 0,
        let kernels = header["kernels"]?.arrayValue
      else { throw ModelError("its header does not fit its \(file.size) bytes") }
      for (index, part) in [parameters.pointer, optimizer.first.pointer, optimizer.second.pointer].enumerated() {
        try file.read(into: UnsafeMutableRawBufferPointer(start: part, count: size), at: start + index * size)
      }
      return Checkpoint(step: step, tokens: tokens, kernels: kernels.compactMap(\.stringValue))
    } catch {
      if error.message.hasPrefix(differs) {
        throw .foreignCheckpoint(path: path, part: String(error.message.dropFirst(differs.count)))
      }
      throw .damagedCheckpoint(path: path, reason: error.message)
    }
  }

  // MARK: - Header

  private static let differs = "differs: "

  private func headerBytes(_ binding: TrainingBinding, floats: Int) -> [UInt8] {
    let json = JSONValue.object(
      JSONObject([
        ("format", .string(Self.format)), ("step", .integer(step)), ("tokens", .integer(tokens)), ("floats", .integer(floats)),
        ("kernels", .array(kernels.map { .string($0) })), ("binding", binding.json),
      ]))
    var bytes = json.encodedBytes()
    // The floats begin on a page.
    bytes += [UInt8](repeating: 0x20, count: 4096 - (bytes.count + 8) % 4096)
    let count = UInt64(bytes.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + bytes
  }

  private static func write(_ bytes: [UInt8], _ file: AtomicFile) throws(ModelError) {
    var failure: ModelError?
    bytes.withUnsafeBytes { buffer in
      do throws(ModelError) { try file.write(buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private static func header(_ file: PositionedFile) throws(ModelError) -> (JSONValue, start: Int) {
    guard file.size >= 8 else { throw ModelError("it has \(file.size) bytes") }
    let count = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard count <= 1 << 24, Int(count) + 8 <= file.size else { throw ModelError("its header is longer than the file") }
    let bytes = try file.bytes(at: 8, count: Int(count))
    do {
      return (try JSONValue(parsing: bytes), 8 + Int(count))
    } catch {
      throw ModelError("its header is not JSON")
    }
  }
}

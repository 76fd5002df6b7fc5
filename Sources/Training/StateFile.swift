import Glibc
import JSONValues
import Kernels
import Modeling

/// A header and float buffers in one file that appears whole or not at all: what checkpoints are made of. Knows nothing of what the
/// buffers mean.
///
/// Layout: the header's length (u64, little-endian), the header (JSON) padded to a page, then the buffers as float32, one after the other.
package struct StateFile {
  /// Says what kind of state it is, with its version.
  package let format: String
  /// What the state belongs to: read back under another binding it is refused.
  package let binding: TrainingBinding
  package let path: String

  package init(_ path: String, format: String, binding: TrainingBinding) {
    self.path = path
    self.format = format
    self.binding = binding
  }

  /// - Parameter fields: what the header says beside format and binding.
  package func write(_ fields: JSONObject, _ buffers: [FloatBuffer]) throws(TrainingError) {
    let header = headerBytes(fields, buffers)
    do throws(ModelError) {
      let file = try AtomicFile(path: path, size: header.count + Self.size(buffers))
      var offset = try Self.write(header, file)
      for buffer in buffers {
        try file.write(UnsafeRawBufferPointer(buffer.elements), at: offset)
        offset += Self.size([buffer])
      }
      try file.commit()
    } catch {
      throw .checkpointNotWritten(path: path, reason: error.message)
    }
  }

  /// Fills the buffers, and answers the header.
  package func read(_ buffers: [FloatBuffer]) throws(TrainingError) -> JSONValue {
    do throws(ModelError) {
      let file = try PositionedFile(path: path)
      let (header, start) = try Self.header(file)
      guard header["format"]?.stringValue == format else { throw ModelError("its format is not '\(format)'") }
      if let part = binding.difference(from: header["binding"]) { throw ModelError(Self.differs + part) }
      guard file.size == start + Self.size(buffers), header["floats"]?.arrayValue?.map(\.integerValue) == buffers.map({ $0.count }) else {
        throw ModelError("its header does not fit its \(file.size) bytes")
      }
      var offset = start
      for buffer in buffers {
        try file.read(into: UnsafeMutableRawBufferPointer(buffer.elements), at: offset)
        offset += Self.size([buffer])
      }
      return header
    } catch {
      if error.message.hasPrefix(Self.differs) {
        throw .foreignCheckpoint(path: path, part: String(error.message.dropFirst(Self.differs.count)))
      }
      throw .damagedCheckpoint(path: path, reason: error.message)
    }
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  // MARK: - Bytes

  private static let differs = "differs: "

  private static func size(_ buffers: [FloatBuffer]) -> Int { buffers.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }

  private func headerBytes(_ fields: JSONObject, _ buffers: [FloatBuffer]) -> [UInt8] {
    var header = JSONObject([("format", .string(format)), ("floats", .array(buffers.map { .integer($0.count) }))])
    for member in fields.members { header.append(member.key, member.value) }
    header.append("binding", binding.json)
    var bytes = JSONValue.object(header).encodedBytes()
    // The floats begin on a page.
    bytes += [UInt8](repeating: 0x20, count: 4096 - (bytes.count + 8) % 4096)
    let count = UInt64(bytes.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + bytes
  }

  private static func write(_ bytes: [UInt8], _ file: AtomicFile) throws(ModelError) -> Int {
    var failure: ModelError?
    bytes.withUnsafeBytes { buffer in
      do throws(ModelError) { try file.write(buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes.count
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

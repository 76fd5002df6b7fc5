import JSONValues

/// A safetensors file opened for reading: its checked header, and its tensors as bytes or as Float. Knows nothing of models.
package final class SafetensorsFile: Sendable {
  package let header: SafetensorsHeader
  private let file: PositionedFile
  private let indexByName: [ByteString: Int]

  package init(path: String) throws(ModelError) {
    file = try PositionedFile(path: path)
    header = try SafetensorsHeader(reading: file)
    indexByName = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { (ByteString($1.name), $0) })
  }

  package var path: String { file.path }

  /// In the order of their data.
  package var tensors: [TensorRecord] { header.tensors }

  package subscript(name: String) -> TensorRecord? { indexByName[ByteString(name)].map { header.tensors[$0] } }

  /// Fills `buffer` with a tensor's bytes, from byte `start` of the tensor on.
  package func read(_ tensor: TensorRecord, from start: Int = 0, into buffer: UnsafeMutableRawBufferPointer) throws(ModelError) {
    precondition(start >= 0 && start + buffer.count <= tensor.range.count, "bytes outside of tensor '\(tensor.name)'")
    try file.read(into: buffer, at: header.dataStart + tensor.range.lowerBound + start)
  }

  package func bytes(of tensor: TensorRecord) throws(ModelError) -> [UInt8] {
    try file.bytes(at: header.dataStart + tensor.range.lowerBound, count: tensor.range.count)
  }

  /// Elements `elements` of a tensor of type F32, F16, BF16 or F64, as Float. Thread-safe.
  package func readFloats(_ tensor: TensorRecord, _ elements: Range<Int>, into target: UnsafeMutablePointer<Float>) throws(ModelError) {
    guard tensor.type.isFloat else {
      let floats = ElementType.floats.map(\.rawValue).joined(separator: ", ")
      throw ModelError("tensor '\(tensor.name)' has dtype \(tensor.type.rawValue); weights must be one of \(floats)", file: path)
    }
    let width = tensor.type.bits / 8
    if tensor.type == .f32 {
      return try read(
        tensor, from: elements.lowerBound * width, into: UnsafeMutableRawBufferPointer(start: target, count: elements.count * width))
    }
    let part = min(elements.count, Self.conversionPart)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(part * width, 1), alignment: 64)
    defer { scratch.deallocate() }
    guard let start = scratch.baseAddress else { return }
    for first in stride(from: elements.lowerBound, to: elements.upperBound, by: max(part, 1)) {
      let count = min(part, elements.upperBound - first)
      try read(tensor, from: first * width, into: UnsafeMutableRawBufferPointer(start: start, count: count * width))
      FloatConversion.load(start, tensor.type, count: count, to: target + (first - elements.lowerBound))
    }
  }

  package func floats(of tensor: TensorRecord) throws(ModelError) -> [Float] {
    var failure: ModelError?
    let values = [Float](unsafeUninitializedCapacity: tensor.count) { buffer, initialized in
      guard let start = buffer.baseAddress, tensor.count > 0 else { return }
      do throws(ModelError) {
        try readFloats(tensor, 0..<tensor.count, into: start)
        initialized = tensor.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// Elements converted at a time: small enough to stay in a core's cache.
  private static let conversionPart = 32 * 1024
}

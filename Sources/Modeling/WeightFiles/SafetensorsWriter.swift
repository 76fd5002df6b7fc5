import Kernels
import Synchronization

/// Writes a safetensors file with the bytes of the reference library: declare the tensors, write their data, finish. Nothing but the
/// part being written is in memory.
///
/// Data may come in any order and from several threads; `finish` refuses a file that is not whole.
package final class SafetensorsWriter: Sendable {
  /// In the order of their data, which is not that of the declarations.
  package let tensors: [TensorRecord]
  private let dataStart: Int
  private let file: AtomicFile
  private let written = Atomic<Int>(0)
  /// Room for converted values, kept and used again: fresh memory costs more than the conversion.
  private let idle = Mutex<[AlignedBuffer<UInt8>]>([])

  /// What the reference library's users write; transformers refuses a file without it.
  package static let pytorchFormat: [(key: String, value: String)] = [("format", "pt")]

  /// Names must differ; sizes must not overflow.
  package init(
    path: String, declaring declarations: [TensorDeclaration], metadata: [(key: String, value: String)] = pytorchFormat
  ) throws(ModelError) {
    let header = SafetensorsHeader(laying: declarations, metadata: metadata)
    tensors = header.tensors
    dataStart = header.dataStart
    guard dataStart - 8 <= SafetensorsHeader.largestLength else {
      throw ModelError(
        "would need a header of \(dataStart - 8) bytes; the format's limit is \(SafetensorsHeader.largestLength)", file: path)
    }
    file = try AtomicFile(path: path, size: dataStart + header.dataCount)
    var failure: ModelError?
    header.encoded.withUnsafeBytes { bytes in
      do throws(ModelError) { try file.write(bytes, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Stores raw bytes from byte `start` of a tensor on.
  package func write(_ bytes: UnsafeRawBufferPointer, to tensor: TensorRecord, from start: Int = 0) throws(ModelError) {
    precondition(start >= 0 && start + bytes.count <= tensor.range.count, "bytes outside of tensor '\(tensor.name)'")
    try file.write(bytes, at: dataStart + tensor.range.lowerBound + start)
    written.wrappingAdd(bytes.count, ordering: .relaxed)
  }

  /// Stores `count` values from element `start` of a tensor on, rounded to nearest even where its type is narrower than Float.
  package func write(
    _ values: UnsafePointer<Float>, count: Int, to tensor: TensorRecord, from start: Int = 0
  ) throws(ModelError) {
    let width = tensor.type.bits / 8
    if tensor.type == .f32 {
      return try write(UnsafeRawBufferPointer(start: values, count: count * width), to: tensor, from: start * width)
    }
    let buffer = idle.withLock { $0.popLast() } ?? AlignedBuffer(count: Self.conversionPart * MemoryLayout<Double>.stride)
    defer { idle.withLock { $0.append(buffer) } }
    let bytes = UnsafeMutableRawPointer(buffer.pointer)
    for first in stride(from: 0, to: count, by: Self.conversionPart) {
      let size = min(Self.conversionPart, count - first)
      FloatConversion.store(values + first, tensor.type, count: size, to: bytes)
      try write(UnsafeRawBufferPointer(start: bytes, count: size * width), to: tensor, from: (start + first) * width)
    }
  }

  /// Makes the file durable and gives it its name.
  package func finish() throws(ModelError) {
    let expected = tensors.last?.range.upperBound ?? 0
    let written = written.load(ordering: .acquiring)
    precondition(written == expected, "\(written) of \(expected) bytes of '\(file.path)' were written")
    try file.commit()
  }

  /// Elements converted and written at a time: the kernel takes 256 KB at once for two thirds of what it asks for 64 KB four times.
  private static let conversionPart = 128 * 1024
}

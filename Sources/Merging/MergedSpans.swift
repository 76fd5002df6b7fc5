import Kernels
import Modeling
import Synchronization

/// Combines spans of tensors and writes them: slices of a size that the caches like, in pieces of a size that the disk likes. From several
/// threads at once.
final class MergedSpans: Sendable {
  private let reader: SliceReader
  private let writer: ShardWriter
  private let idle = Mutex<[AlignedBuffer<UInt8>]>([])

  /// Elements that are written at once, a whole number of slices: 512 KB of bfloat16.
  private static let pieceSize = 4 * SliceReader.sliceSize

  init(reader: SliceReader, writer: ShardWriter) {
    self.reader = reader
    self.writer = writer
  }

  func write(_ span: Range<Int>, of place: ShardWriter.Place, _ combine: MergeMethod.Combine) throws(ModelError) {
    let width = place.tensor.type.bits / 8
    let piece = idle.withLock { $0.popLast() } ?? AlignedBuffer(count: Self.pieceSize * MemoryLayout<Double>.stride)
    defer { idle.withLock { $0.append(piece) } }
    let bytes = UnsafeMutableRawPointer(piece.pointer)
    var start = span.lowerBound
    for elements in TensorPasses.slices(span) {
      try reader.withSlice(place.tensor, elements) { slice throws(ModelError) in
        combine(slice)
        FloatConversion.store(slice.target, place.tensor.type, count: slice.count, to: bytes + (elements.lowerBound - start) * width)
      }
      guard elements.upperBound == span.upperBound || elements.upperBound - start == Self.pieceSize else { continue }
      let count = (elements.upperBound - start) * width
      try writer.write(UnsafeRawBufferPointer(start: bytes, count: count), to: place, from: start * width)
      start = elements.upperBound
    }
  }
}

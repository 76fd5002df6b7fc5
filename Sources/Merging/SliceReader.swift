import Kernels
import Modeling
import Synchronization

/// Reads slices of the tensors of several models into buffers that are kept and used again. Refuses values that are not finite.
final class SliceReader: Sendable {
  /// Base first. The names are what errors call the models.
  let sources: [(name: String, weights: WeightSource)]
  private let idle = Mutex<[FloatBuffer]>([])

  /// Elements of a slice: what is held of each model at a time fits a core's second-level cache, and a read is worth its call.
  static let sliceSize = 1 << 16

  init(_ sources: [(name: String, weights: WeightSource)]) { self.sources = sources }

  func withSlice(
    _ tensor: TensorRecord, _ elements: Range<Int>, _ body: (MergeSlice) throws(ModelError) -> Void
  ) throws(ModelError) {
    let buffer = idle.withLock { $0.popLast() } ?? FloatBuffer(count: Self.sliceSize * (sources.count + 1))
    defer { idle.withLock { $0.append(buffer) } }
    let parts = (0...sources.count).map { buffer.pointer + $0 * Self.sliceSize }
    for (source, values) in zip(sources, parts) { try Self.read(source.weights, tensor, elements, into: values) }
    try body(MergeSlice(tensor: tensor, elements: elements, sources: parts.dropLast(), target: parts[sources.count]))
  }

  private static func read(
    _ source: WeightSource, _ tensor: TensorRecord, _ elements: Range<Int>, into values: Floats
  ) throws(ModelError) {
    guard let place = source.location(of: tensor.name) else { return }
    try place.file.readFloats(place.tensor, elements, into: values)
    if let bad = FloatConversion.firstNonFinite(values, count: elements.count) {
      throw ModelError("tensor '\(tensor.name)' holds \(values[bad]) at element \(elements.lowerBound + bad)", file: place.file.path)
    }
  }
}

import Kernels
import Modeling

/// Combines the weights of several models into one safetensors file, slice by slice: memory does not depend on the size of the models.
///
/// Tensors that are not floating-point must be equal everywhere and are copied. Knows nothing of configurations and tokenizers.
package struct WeightMerge {
  /// Base first. The names are what errors call the models.
  package let sources: [(name: String, weights: WeightSource)]
  package let method: MergeMethod
  /// Of the result; nil: every tensor gets the widest type that it has in any model.
  package let type: ElementType?

  /// Elements a task holds of each model, 4 bytes each.
  private static let sliceSize = 1 << 18

  /// Refuses models whose tensors differ in name or shape.
  package init(_ sources: [(name: String, weights: WeightSource)], method: MergeMethod, type: ElementType? = nil) throws(ModelError) {
    precondition(!sources.isEmpty, "nothing to merge")
    self.sources = sources
    self.method = method
    self.type = type
    for other in sources.dropFirst() { try Self.compare(sources[0], other) }
  }

  package func write(to path: String, pool: ThreadPool) throws(ModelError) {
    let writer = try SafetensorsWriter(path: path, declaring: sources[0].weights.tensors.map(declaration))
    let slices = writer.tensors.flatMap { tensor in
      stride(from: 0, to: tensor.count, by: Self.sliceSize).map { (tensor: tensor, elements: $0..<min($0 + Self.sliceSize, tensor.count)) }
    }
    try pool.runThrowing(slices.count) { index throws(ModelError) in
      let (tensor, elements) = slices[index]
      if tensor.type.isFloat {
        try combine(tensor, elements, writer)
      } else if elements.lowerBound == 0 {
        try copyEqual(tensor, writer)
      }
    }
    try writer.finish()
  }

  // MARK: - Slices

  private func combine(_ tensor: TensorRecord, _ elements: Range<Int>, _ writer: SafetensorsWriter) throws(ModelError) {
    let count = elements.count
    let buffer = UnsafeMutablePointer<Float>.allocate(capacity: count * (sources.count + 1))
    defer { buffer.deallocate() }
    for (index, source) in sources.enumerated() {
      guard let place = source.weights.location(of: tensor.name) else { continue }
      let values = buffer + index * count
      try place.file.readFloats(place.tensor, elements, into: values)
      if let bad = FloatConversion.firstNonFinite(values, count: count) {
        throw ModelError("tensor '\(tensor.name)' holds \(values[bad]) at element \(elements.lowerBound + bad)", file: place.file.path)
      }
    }
    let target = buffer + sources.count * count
    method.combine(
      MergeSlice(
        tensor: tensor.name, elements: elements, sources: sources.indices.map { UnsafePointer(buffer + $0 * count) }, target: target))
    try writer.write(target, count: count, to: tensor, from: elements.lowerBound)
  }

  private func copyEqual(_ tensor: TensorRecord, _ writer: SafetensorsWriter) throws(ModelError) {
    var first: [UInt8]?
    for source in sources {
      guard let place = source.weights.location(of: tensor.name) else { continue }
      let bytes = try place.file.bytes(of: place.tensor)
      guard first == nil || first == bytes else {
        throw ModelError(
          "tensor '\(tensor.name)' of type \(tensor.type.rawValue) differs from that of \(sources[0].name), and cannot be averaged",
          file: place.file.path)
      }
      first = bytes
    }
    var failure: ModelError?
    (first ?? []).withUnsafeBytes { bytes in
      do throws(ModelError) { try writer.write(bytes, to: tensor) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  // MARK: - Checks

  private func declaration(_ tensor: TensorRecord) -> TensorDeclaration {
    guard tensor.type.isFloat else { return TensorDeclaration(name: tensor.name, type: tensor.type, shape: tensor.shape) }
    let types = sources.compactMap { $0.weights[tensor.name]?.type }
    return TensorDeclaration(name: tensor.name, type: type ?? Self.widest(types), shape: tensor.shape)
  }

  /// The narrowest float type that holds the values of all: F16 and BF16 together need F32.
  static func widest(_ types: [ElementType]) -> ElementType {
    if types.contains(.f64) { return .f64 }
    let halves = Set(types)
    return halves.count == 1 ? types[0] : .f32
  }

  private static func compare(
    _ base: (name: String, weights: WeightSource), _ other: (name: String, weights: WeightSource)
  ) throws(ModelError) {
    let place = other.weights.files[0].path
    for tensor in base.weights.tensors {
      guard let twin = other.weights[tensor.name] else {
        throw ModelError("lacks tensor '\(tensor.name)' \(tensor.shape), which \(base.name) has", file: place)
      }
      guard twin.shape == tensor.shape else {
        throw ModelError("tensor '\(tensor.name)' is \(twin.shape) in \(other.name) and \(tensor.shape) in \(base.name)", file: place)
      }
      guard twin.type.isFloat == tensor.type.isFloat, tensor.type.isFloat || twin.type == tensor.type else {
        throw ModelError(
          "tensor '\(tensor.name)' is \(twin.type.rawValue) in \(other.name) and \(tensor.type.rawValue) in \(base.name)", file: place)
      }
    }
    for tensor in other.weights.tensors where base.weights[tensor.name] == nil {
      throw ModelError("has tensor '\(tensor.name)' \(tensor.shape), which \(base.name) lacks", file: place)
    }
  }
}

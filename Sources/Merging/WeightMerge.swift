import Kernels
import Modeling

/// Combines the weights of several models into one, slice by slice: memory does not depend on the size of the models.
///
/// Tensors that are not floating-point must be equal everywhere and are copied. Knows nothing of configurations and tokenizers.
package struct WeightMerge {
  /// Base first. The names are what errors call the models.
  package let sources: [(name: String, weights: WeightSource)]
  package let method: MergeMethod
  /// Of the result; nil: every tensor gets the widest type that it has in any model.
  package let type: ElementType?

  /// Refuses models whose tensors differ in name or shape.
  package init(_ sources: [(name: String, weights: WeightSource)], method: MergeMethod, type: ElementType? = nil) throws(ModelError) {
    precondition(!sources.isEmpty, "nothing to merge")
    self.sources = sources
    self.method = method
    self.type = type
    for other in sources.dropFirst() { try Self.compare(sources[0], other) }
  }

  /// Writes the weight files into a directory that is there; `limit`: bytes of tensors in a shard, nil: one file.
  package func write(to directory: String, limit: Int? = nil, pool: ThreadPool) throws(ModelError) {
    let writer = try ShardWriter(directory: directory, declaring: sources[0].weights.tensors.map(declaration), limit: limit)
    let reader = SliceReader(sources)
    let floats = writer.places.filter { $0.tensor.type.isFloat }
    switch method.preparation {
    case .none(let combine): try write(floats, combine, reader, writer, pool)
    case .passes(let prepare): try write(floats, prepare, reader, writer, pool)
    }
    for place in writer.places where !place.tensor.type.isFloat { try copyEqual(place, writer) }
    try writer.finish()
  }

  // MARK: - Slices

  /// One function for all: every span of every tensor is a task.
  private func write(
    _ places: [ShardWriter.Place], _ combine: MergeMethod.Combine, _ reader: SliceReader, _ writer: ShardWriter, _ pool: ThreadPool
  ) throws(ModelError) {
    let output = MergedSpans(reader: reader, writer: writer)
    let tasks = places.flatMap { place in TensorPasses.spans(place.tensor.count).map { (place: place, span: $0) } }
    try pool.runThrowingApart(tasks.count) { index throws(ModelError) in
      try output.write(tasks[index].span, of: tasks[index].place, combine)
    }
  }

  /// Tensors too large for one thread's share of the work one after the other, each by all threads; the others at once, each by one: a pool
  /// that is busy runs what is asked of it on the caller.
  private func write(
    _ places: [ShardWriter.Place], _ prepare: @Sendable (TensorPasses) throws(ModelError) -> MergeMethod.Combine, _ reader: SliceReader,
    _ writer: ShardWriter, _ pool: ThreadPool
  ) throws(ModelError) {
    let output = MergedSpans(reader: reader, writer: writer)
    func merge(_ place: ShardWriter.Place) throws(ModelError) {
      let combine = try prepare(TensorPasses(tensor: place.tensor, reader: reader, pool: pool))
      let spans = TensorPasses.spans(place.tensor.count)
      try pool.runThrowing(spans.count) { index throws(ModelError) in try output.write(spans[index], of: place, combine) }
    }
    let share = places.reduce(0) { $0 + $1.tensor.count } / (4 * pool.threads)
    let largest = max(share, TensorPasses.spanSize)
    for place in places where place.tensor.count > largest { try merge(place) }
    let others = places.filter { $0.tensor.count <= largest }
    try pool.runThrowingApart(others.count) { index throws(ModelError) in try merge(others[index]) }
  }

  private func copyEqual(_ place: ShardWriter.Place, _ writer: ShardWriter) throws(ModelError) {
    let tensor = place.tensor
    var first: [UInt8]?
    for source in sources {
      guard let found = source.weights.location(of: tensor.name) else { continue }
      let bytes = try found.file.bytes(of: found.tensor)
      guard first == nil || first == bytes else {
        throw ModelError(
          "tensor '\(tensor.name)' of type \(tensor.type.rawValue) differs from that of \(sources[0].name), and cannot be averaged",
          file: found.file.path)
      }
      first = bytes
    }
    try writer.write(first ?? [], to: place)
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

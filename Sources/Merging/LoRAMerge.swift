import JSONValues
import Kernels
import Modeling
import Synchronization

/// A base model with low-rank adapters made part of its weights: W₀ + Σ_k f_k (W_k − W₀), where W_k is what adapter k alone makes of W₀
/// (W₀ + s·B·A; with magnitudes m ⊙ (W₀ + s·B·A)/‖W₀ + s·B·A‖, row by row) and f_k a factor, 1 where nothing else is asked for. So a factor
/// α is WiSE-FT on the adapter.
///
/// Everything is computed in float32 and rounded once to the type of the result. Weights go through memory in blocks of rows; the adapters
/// are held whole.
package struct LoRAMerge {
  /// Whose rounding is followed where the base is narrower than float32, or there are several adapters.
  package enum Rounding: String, Sendable {
    /// One rounding, of the sum.
    case once = "none"
    /// PEFT's `merge_and_unload()`: after each adapter.
    case peft
    /// PEFT's `merge_and_unload(safe_merge=True)`: each adapter's s·B·A, and the weights after it.
    case peftSafe = "peft-safe"
  }

  package struct Term: Sendable {
    package let adapter: Adapter
    /// f_k
    package let factor: Double

    package init(_ adapter: Adapter, factor: Double = 1) { (self.adapter, self.factor) = (adapter, factor) }
  }

  private let base: MergedModel
  private let terms: [Term]
  private let rounding: Rounding
  /// By the name of the weight: the terms that change it, and their modules.
  private let changes: [ByteString: [Change]]

  private typealias Change = (module: Adapter.Module, factor: Float)

  /// `base`: a model directory. The adapters were loaded for its configuration.
  package init(base directory: String, _ terms: [Term], rounding: Rounding = .once) throws(ModelError) {
    base = try MergedModel([.init("the base", directory)])
    self.terms = terms
    self.rounding = rounding
    var changes: [ByteString: [Change]] = [:]
    for term in terms {
      for module in term.adapter.modules {
        let name = module.linear.weightName
        let shape = [module.linear.outputs, module.linear.inputs]
        guard let tensor = base.weights[0][name] else {
          throw ModelError("lacks tensor '\(name)', which the adapter changes", file: base.weights[0].files[0].path)
        }
        guard tensor.shape == shape, tensor.type.isFloat else {
          throw ModelError(
            "tensor '\(name)' is \(tensor.type.rawValue) \(tensor.shape); the adapter asks for \(shape)",
            file: base.weights[0].files[0].path)
        }
        changes[ByteString(name), default: []].append((module, Float(term.factor)))
      }
    }
    self.changes = changes
  }

  /// `directory` is created where it is missing. Factors of 0 give the base's weight files, byte for byte.
  package func write(_ storage: MergedModel.Storage = .init(), to directory: String, pool: ThreadPool) throws(ModelError) -> MergeReport {
    if terms.allSatisfy({ $0.factor == 0 }) {
      try base.copy(0, to: directory)
      return MergeReport()
    }
    try MergedModel.create(directory)
    let weights = base.weights[0]
    let declarations = weights.tensors.map { tensor in
      TensorDeclaration(name: tensor.name, type: tensor.type.isFloat ? storage.type ?? tensor.type : tensor.type, shape: tensor.shape)
    }
    let writer = try ShardWriter(directory: directory, declaring: declarations, limit: storage.shardLimit)
    let report = Mutex(MergeReport())
    let blocks = writer.places.flatMap { place in Self.blocks(place.tensor).map { (place: place, rows: $0) } }
    try pool.runThrowing(blocks.count) { index throws(ModelError) in
      let (place, rows) = blocks[index]
      guard let found = weights.location(of: place.tensor.name) else { return }
      guard found.tensor.type.isFloat else { return try writer.write(found.file.bytes(of: found.tensor), to: place) }
      let part = try merged(place.tensor, found, rows, pool) { values, count, start throws(ModelError) in
        try writer.write(values, count: count, to: place, from: start)
      }
      if let part { report.withLock { $0.add(part) } }
    }
    try writer.finish()
    try base.writeConfiguration(to: directory)
    return report.withLock { $0 }
  }

  /// What the weights become, for people: `W = W0 + 2·B1·A1 + 0.5·(m2·(W0 + 4·B2·A2)/‖W0 + 4·B2·A2‖ − W0)`. A scale that differs among an
  /// adapter's modules is written s.
  package static func formula(_ terms: [Term]) -> String {
    let parts = terms.enumerated().map { index, term in
      let k = index + 1
      let scales = Set(term.adapter.modules.map(\.scale))
      let scale = scales.count == 1 ? Double(scales.first ?? 1) : nil
      let product = "·B\(k)·A\(k)"
      guard term.adapter.settings.isWeightDecomposed else {
        let factor = scale.map { number($0 * term.factor) } ?? (term.factor == 1 ? "s\(k)" : "\(number(term.factor))·s\(k)")
        return " + " + factor + product
      }
      let adapted = "W0 + " + (scale.map(number) ?? "s\(k)") + product
      return " + \(number(term.factor))·(m\(k)·(\(adapted))/‖\(adapted)‖ − W0)"
    }
    return "W = W0" + parts.joined()
  }

  private static func number(_ value: Double) -> String { JSONValue.number(value).encoded() }

  // MARK: - Rows

  /// Blocks of rows, a vector being one row; what is no matrix of floats is one block.
  private static func blocks(_ tensor: TensorRecord) -> [Range<Int>] {
    let rows = rowCount(tensor)
    guard tensor.type.isFloat, tensor.count > 0 else { return [0..<rows] }
    let block = max(1, blockSize / max(1, tensor.count / rows))
    return stride(from: 0, to: rows, by: block).map { $0..<min($0 + block, rows) }
  }

  private static func rowCount(_ tensor: TensorRecord) -> Int { tensor.shape.count > 1 ? max(1, tensor.shape[0]) : 1 }

  /// Elements that a task holds, three times over.
  private static let blockSize = 1 << 20

  private func merged(
    _ tensor: TensorRecord, _ found: (file: SafetensorsFile, tensor: TensorRecord), _ rows: Range<Int>, _ pool: ThreadPool,
    _ write: (UnsafePointer<Float>, Int, Int) throws(ModelError) -> Void
  ) throws(ModelError) -> MergeReport? {
    let width = tensor.count / Self.rowCount(tensor)
    let elements = rows.lowerBound * width..<rows.upperBound * width
    let changes = changes[ByteString(tensor.name)] ?? []
    let buffer = FloatBuffer(count: elements.count * (changes.isEmpty ? 1 : 3))
    defer { withExtendedLifetime(buffer) {} }
    let values = buffer.pointer
    try found.file.readFloats(found.tensor, elements, into: values)
    if let bad = FloatConversion.firstNonFinite(values, count: elements.count) {
      throw ModelError("tensor '\(tensor.name)' holds \(values[bad]) at element \(elements.lowerBound + bad)", file: found.file.path)
    }
    guard !changes.isEmpty else {
      try write(values, elements.count, elements.lowerBound)
      return nil
    }
    let original = values + elements.count
    original.update(from: values, count: elements.count)
    let delta = original + elements.count
    for change in changes { apply(change, to: values, original, rows, delta, found.tensor.type, pool) }
    if let bad = FloatConversion.firstNonFinite(values, count: elements.count) {
      throw ModelError(
        "tensor '\(tensor.name)' becomes \(values[bad]) at element \(elements.lowerBound + bad) with the adapter in it",
        file: found.file.path)
    }
    try write(values, elements.count, elements.lowerBound)
    return MergeReport(tensor, from: elements.lowerBound, original, values, elements.count)
  }

  /// Adds one adapter to `values`; `original`: W₀, `delta`: scratch.
  private func apply(
    _ change: Change, to values: Floats, _ original: Floats, _ rows: Range<Int>, _ delta: Floats, _ type: ElementType, _ pool: ThreadPool
  ) {
    let (module, factor) = change
    let width = module.linear.inputs
    let count = rows.count * width
    gemm(
      pool, m: rows.count, n: width, k: module.rank, a: module.b + rows.lowerBound * module.rank, lda: module.rank, transA: .no,
      b: module.a, ldb: width, transB: .no, c: delta, ldc: width, accumulate: false)
    for i in 0..<count { delta[i] *= module.scale }
    if let magnitude = module.magnitude {
      for row in 0..<rows.count {
        let place = row * width
        decompose(
          delta + place, original + place, values + place, magnitude[rows.lowerBound + row], width,
          asPEFT: rounding != .once && factor == 1)
      }
    } else if rounding == .peftSafe {
      FloatConversion.round(delta, to: type, count: count)
    }
    for i in 0..<count { values[i] += factor * delta[i] }
    if rounding != .once { FloatConversion.round(values, to: type, count: count) }
  }

  /// δ of one row becomes m (W₀ + δ)/‖W₀ + δ‖ − W₀. As PEFT has it, for a factor of 1, the row itself, W, becomes m (W + δ)/‖W₀ + δ‖, in float32 and by its
  /// steps, and δ becomes 0: other adapters may have changed W, and the norm is of W₀.
  private func decompose(_ delta: Floats, _ original: Floats, _ values: Floats, _ magnitude: Float, _ width: Int, asPEFT: Bool) {
    var squares = 0.0
    for i in 0..<width {
      let sum = Double(original[i] + delta[i])
      squares += sum * sum
    }
    let norm = squares.squareRoot()
    if !asPEFT {
      let gain = Double(magnitude) / norm
      for i in 0..<width { delta[i] = Float(gain * Double(original[i] + delta[i]) - Double(original[i])) }
    } else {
      let gain = magnitude / Float(norm)
      for i in 0..<width {
        values[i] = gain * (values[i] + delta[i])
        delta[i] = 0
      }
    }
  }
}

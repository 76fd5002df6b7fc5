import Kernels
import Modeling
import Synchronization

/// How far a model's weights have moved from another's: ‖θ − θ₀‖₂, in all and by parts, and how many of them moved at all. Goes through the
/// files slice by slice.
package struct WeightDrift: Sendable {
  /// Sums over some weights.
  package struct Sums: Sendable, Equatable {
    package private(set) var weights = 0
    /// θ ≠ θ₀
    package private(set) var changed = 0
    /// Σ (θ − θ₀)²
    package private(set) var squaredChange = 0.0
    /// Σ θ₀²
    package private(set) var squaredBase = 0.0
    /// max |θ − θ₀|
    package private(set) var largest: Float = 0

    package init() {}

    /// ‖θ − θ₀‖₂
    package var distance: Double { squaredChange.squareRoot() }
    /// ‖θ − θ₀‖₂ / ‖θ₀‖₂; 0 where both are.
    package var relative: Double { squaredBase > 0 ? (squaredChange / squaredBase).squareRoot() : 0 }
    package var changedShare: Double { weights > 0 ? Double(changed) / Double(weights) : 0 }

    package mutating func add(_ other: Sums) {
      weights += other.weights
      changed += other.changed
      squaredChange += other.squaredChange
      squaredBase += other.squaredBase
      largest = max(largest, other.largest)
    }

    /// In double, four partial sums.
    mutating func add(_ base: Floats, _ model: Floats, _ count: Int) {
      var (change, square) = (SIMD4<Double>(), SIMD4<Double>())
      for i in stride(from: 0, to: count & ~3, by: 4) {
        for j in 0..<4 {
          let (old, difference) = (Double(base[i + j]), Double(model[i + j]) - Double(base[i + j]))
          change[j] += difference * difference
          square[j] += old * old
        }
      }
      for i in (count & ~3)..<count {
        let (old, difference) = (Double(base[i]), Double(model[i]) - Double(base[i]))
        change[0] += difference * difference
        square[0] += old * old
      }
      for i in 0..<count {
        changed += model[i] != base[i] ? 1 : 0
        largest = max(largest, abs(model[i] - base[i]))
      }
      weights += count
      squaredChange += change.sum()
      squaredBase += square.sum()
    }
  }

  /// Of every floating-point tensor, in the order of their names' bytes.
  package let tensors: [(name: String, sums: Sums)]

  /// `models`: two, the base first.
  package init(_ models: MergedModel, pool: ThreadPool) throws(ModelError) {
    precondition(models.sources.count == 2, "\(models.sources.count) models to compare")
    let reader = SliceReader(zip(models.sources, models.weights).map { ($0.name, $1) })
    let floats = models.weights[0].tensors.filter(\.type.isFloat)
    let spans = floats.enumerated().flatMap { index, tensor in TensorPasses.spans(tensor.count).map { (tensor: index, span: $0) } }
    let found = Mutex<[Sums]>(Array(repeating: Sums(), count: spans.count))
    try pool.runThrowing(spans.count) { index throws(ModelError) in
      var sums = Sums()
      for elements in TensorPasses.slices(spans[index].span) {
        try reader.withSlice(floats[spans[index].tensor], elements) { slice throws(ModelError) in
          sums.add(slice.sources[0], slice.sources[1], slice.count)
        }
      }
      found.withLock { [sums] in $0[index] = sums }
    }
    var totals = [Sums](repeating: Sums(), count: floats.count)
    for (span, sums) in zip(spans, found.withLock { $0 }) { totals[span.tensor].add(sums) }
    tensors = zip(floats, totals).map { ($0.name, $1) }
  }

  package var all: Sums { sums { _ in true } }

  package func sums(where isIncluded: (String) -> Bool) -> Sums {
    tensors.reduce(into: Sums()) { if isIncluded($1.name) { $0.add($1.sums) } }
  }

  // MARK: - Parts

  /// What a tensor of a Transformer is part of, in the order of a forward pass.
  package enum Part: String, Sendable, CaseIterable {
    case embedding
    case attention
    case mlp
    case norm
    case head

    package init?(tensor name: String) {
      let marks: [(String, Part)] = [
        ("norm", .norm), (".self_attn.", .attention), (".mlp.", .mlp), ("embed_tokens", .embedding), ("lm_head", .head),
      ]
      guard let mark = marks.first(where: { name.contains($0.0) }) else { return nil }
      self = mark.1
    }
  }

  /// The block that a tensor belongs to.
  package static func layer(ofTensor name: String) -> Int? {
    let prefix = "model.layers."
    return name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
  }
}

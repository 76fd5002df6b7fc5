import Kernels
import Modeling

/// What of a model trains: the last of its adapters, or else some of its own tensors; with gradients of nothing else. Knows nothing of
/// optimizers and losses.
///
/// `@unchecked Sendable`: belongs to the loop that trains.
package final class TrainableParameters: @unchecked Sendable {
  /// What is trained, in place: the model's weights, or the adapter's.
  package let arena: ParameterArena
  /// Laid out as the tensors of `arena` that train, one after the other; all of them give its own layout.
  package let gradients: ParameterArena
  package let parts: [TrainedPart]
  private let weights: ModelWeights
  private let adapter: Adapter?

  /// `trains` picks among the model's own tensors; under adapters all of these are frozen.
  package init(_ weights: ModelWeights, trains: (ParameterLayout.Entry) -> Bool = { _ in true }) {
    let adapter = weights.adapters.adapters.last
    self.weights = weights
    self.adapter = adapter
    arena = adapter?.arena ?? weights.arena
    let layout = adapter == nil ? arena.layout.selecting(trains) : arena.layout
    gradients = ParameterArena(layout)
    parts = TrainedPart.all(arena, gradients)
  }

  /// Parameters that train.
  package var count: Int { gradients.layout.parameterCount }

  /// The model's own weights train, some or all of them.
  package var trainsBase: Bool { adapter == nil }

  /// Below this layer nothing trains.
  package var lowestLayer: Int { weights.lowestLayer(training: gradients) }

  /// What is derived from the parameters, after they have changed.
  package func settle(_ pool: ThreadPool) { adapter?.refresh(weights.arena, pool) }

  /// ‖g‖₂ over what trains.
  package func gradientNorm(_ pool: ThreadPool) -> Double {
    parts.reduce(0) { $0 + GradientNorm.sumOfSquares(pool, count: $1.count, gradients: $1.gradients) }.squareRoot()
  }

  /// ‖θ‖₂ over what trains.
  package func norm(_ pool: ThreadPool) -> Double {
    parts.reduce(0) { $0 + GradientNorm.sumOfSquares(pool, count: $1.count, gradients: $1.parameters) }.squareRoot()
  }

  /// Where a part's numbers lie in whatever is laid out as the gradients.
  func place(of part: TrainedPart) -> Int { part.gradients - gradients.pointer }

  // MARK: - Checkpoints

  /// The parameters that train, laid out as the gradients; the arena itself where everything does.
  package func stored() -> FloatBuffer {
    guard gradients.layout != arena.layout else { return arena.buffer }
    let copy = FloatBuffer(count: gradients.count)
    for part in parts { (copy.pointer + place(of: part)).update(from: part.parameters, count: part.count) }
    return copy
  }

  /// What `stored` gave, filled from a file.
  package func restore(_ stored: FloatBuffer, _ pool: ThreadPool) {
    if stored !== arena.buffer {
      for part in parts { part.parameters.update(from: stored.pointer + place(of: part), count: part.count) }
    }
    settle(pool)
  }

  /// For a checkpoint's binding.
  package var identity: String {
    let ranges = parts.map { "\($0.offset)..<\($0.offset + $0.count)\($0.isDecayed ? "d" : "")" }.joined(separator: " ")
    return adapter.map { "\($0.settings) \(ranges)" } ?? ranges
  }
}

import Kernels

/// Adapters made part of the weights: once, in float32.
extension Adapter {
  /// Adds this adapter to every weight of `base` that it adapts.
  package func merge(into base: ParameterArena, _ pool: ThreadPool) {
    for module in modules {
      module.merge(into: base.view(module.linear.weightName), rows: 0..<module.linear.outputs, pool)
    }
  }
}

extension Adapter.Module {
  /// `weights` (rows.count, inputs) hold rows `rows` of W₀, and become W₀ + (s·B)·A, or m ⊙ (W₀ + (s·B)·A)/‖W₀ + (s·B)·A‖. A row's bits do
  /// not depend on which others are merged with it.
  package func merge(into weights: Floats, rows: Range<Int>, _ pool: ThreadPool) {
    let scaled = FloatBuffer(count: rows.count * rank)
    for i in 0..<scaled.count { scaled.pointer[i] = scale * b[rows.lowerBound * rank + i] }
    withExtendedLifetime(scaled) {
      gemm(
        pool, m: rows.count, n: linear.inputs, k: rank, a: scaled.pointer, lda: rank, transA: .no, b: a, ldb: linear.inputs, transB: .no,
        c: weights, ldc: linear.inputs, accumulate: true)
    }
    guard let magnitude else { return }
    let inputs = linear.inputs
    pool.run((rows.count + Self.rowsPerTask - 1) / Self.rowsPerTask) { task in
      for row in task * Self.rowsPerTask..<min(rows.count, (task + 1) * Self.rowsPerTask) {
        let values = weights + row * inputs
        var squares = 0.0
        for i in 0..<inputs { squares += Double(values[i]) * Double(values[i]) }
        let gain = Float(Double(magnitude[rows.lowerBound + row]) / squares.squareRoot())
        for i in 0..<inputs { values[i] *= gain }
      }
    }
  }

  private static let rowsPerTask = 64
}

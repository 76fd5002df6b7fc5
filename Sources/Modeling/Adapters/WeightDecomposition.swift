import Kernels

/// DoRA's elementwise passes over a product z = x·W₀ᵀ + s·(x·Aᵀ)·Bᵀ (rows, width): y = g ⊙ z, column by column.
struct WeightDecomposition {
  /// Columns, and their gains; nil where no adapter is, and z stays as it is.
  private let columns: [(range: Range<Int>, module: Adapter.Module?)]
  private let width: Int

  init(_ product: LowRankProduct, width: Int) {
    var columns: [(range: Range<Int>, module: Adapter.Module?)] = []
    var next = 0
    for part in product.parts {
      if next < part.columns.lowerBound { columns.append((next..<part.columns.lowerBound, nil)) }
      columns.append((part.columns, part.module))
      next = part.columns.upperBound
    }
    if next < width { columns.append((next..<width, nil)) }
    self.columns = columns
    self.width = width
  }

  /// y = g ⊙ z, or y += g ⊙ z. `y` may be `z` where nothing is added to. Rows of y are `ldy` floats apart.
  func forward(_ pool: ThreadPool, rows: Int, z: Floats, y: Floats, ldy: Int, accumulate: Bool) {
    pool.run((rows + Self.rowsPerTask - 1) / Self.rowsPerTask) { task in
      for row in task * Self.rowsPerTask..<min(rows, (task + 1) * Self.rowsPerTask) {
        let (source, target) = (z + row * width, y + row * ldy)
        for (range, module) in columns {
          // A gain of 1 for columns without one.
          let gain = module?.gain.map { $0 - range.lowerBound }
          if accumulate {
            for i in range { target[i] += (gain?[i] ?? 1) * source[i] }
          } else {
            for i in range { target[i] = (gain?[i] ?? 1) * source[i] }
          }
        }
      }
    }
  }

  /// dm += Σ_rows dy ⊙ z / ‖W₀ + s·B·A‖, rows in order. `gradients`: of each adapted module, in order.
  func backward(_ pool: ThreadPool, rows: Int, dy: Floats, z: Floats, gradients: [Floats]) {
    let adapted = columns.compactMap { column in column.module.map { (column.range, $0) } }
    for ((range, module), dm) in zip(adapted, gradients) {
      guard let inverse = module.inverseNorm else { continue }
      pool.run((range.count + Self.columnsPerTask - 1) / Self.columnsPerTask) { task in
        for row in 0..<rows {
          let (slope, value) = (dy + row * width + range.lowerBound, z + row * width + range.lowerBound)
          for i in task * Self.columnsPerTask..<min(range.count, (task + 1) * Self.columnsPerTask) {
            dm[i] += slope[i] * value[i] * inverse[i]
          }
        }
      }
    }
  }

  /// Rows of z that `backward` is given at a time.
  static let blockRows = 256

  private static let rowsPerTask = 32
  private static let columnsPerTask = 64
}

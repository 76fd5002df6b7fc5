/// RMSNorm over rows: y = x·s·γ with s = 1/√(mean(x²) + ε). Shapes: x, y (rows, width), γ (width).
package enum RMSNorm {
  static let rowsPerTask = 32

  /// Floats of scratch that `backward` wants for its partial sums.
  package static func scratchCount(rows: Int, width: Int) -> Int { RowPartition(rows: rows, rowsPerTask: rowsPerTask).tasks * width }

  /// `copy` receives x, so that the product that follows can accumulate onto the residual there; it may be x itself, or nil.
  package static func forward(
    _ pool: ThreadPool, rows: Int, width: Int, x: Floats, gamma: Floats, epsilon: Float, y: Floats, copy: Floats?
  ) {
    pool.run(RowPartition(rows: rows, rowsPerTask: rowsPerTask)) { _, range in
      for row in range {
        let source = x + row * width
        normalizeRow(source, gamma, epsilon, y + row * width, width)
        if let copy, copy != x { (copy + row * width).update(from: source, count: width) }
      }
    }
  }

  /// The rows `indices` of x, normalised: y (indices.count, width).
  package static func forwardGathered(
    _ pool: ThreadPool, indices: UnsafePointer<Int32>, rows: Int, width: Int, x: Floats, gamma: Floats, epsilon: Float, y: Floats
  ) {
    pool.run(RowPartition(rows: rows, rowsPerTask: rowsPerTask)) { _, range in
      for row in range { normalizeRow(x + Int(indices[row]) * width, gamma, epsilon, y + row * width, width) }
    }
  }

  /// dx += s·γ·dy − x·s³/width · Σ(γ·dy·x);  dγ += Σ_rows dy·x·s.  `dy` is overwritten with y, which the weight gradient of the product
  /// that follows wants. `indices`: rows of x and dx that the rows of dy belong to, where the slopes of rows named several times add up in
  /// order; nil for all rows in order. `dgamma` nil: frozen.
  package static func backward(
    _ pool: ThreadPool, rows: Int, width: Int, x: Floats, gamma: Floats, epsilon: Float, dy: Floats, dx: Floats, dgamma: Floats?,
    scratch: Floats, indices: UnsafePointer<Int32>? = nil
  ) {
    let partition = RowPartition(rows: rows, rowsPerTask: rowsPerTask)
    let repeats = indices.flatMap { RepeatedRows($0, count: rows) }
    pool.run(partition) { task, range in
      let partial = scratch + task * width
      partial.update(repeating: 0, count: width)
      func add(_ row: Int) {
        let position = indices.map { Int($0[row]) } ?? row
        backwardRow(x + position * width, gamma, epsilon, dy + row * width, dx + position * width, partial, width)
      }
      if let repeats {
        for row in range { repeats.forEach(from: row, add) }
      } else {
        for row in range { add(row) }
      }
    }
    guard let dgamma else { return }
    for task in 0..<partition.tasks {
      let partial = scratch + task * width
      for i in 0..<width { dgamma[i] += partial[i] }
    }
  }

  // MARK: - Rows

  @inline(__always)
  static func inverseDeviation(_ x: Floats, _ epsilon: Float, _ width: Int) -> Float {
    1 / (rowSumOfSquares(x, width) / Float(width) + epsilon).squareRoot()
  }

  @inline(__always)
  static func normalizeRow(_ x: Floats, _ gamma: Floats, _ epsilon: Float, _ y: Floats, _ width: Int) {
    let s = inverseDeviation(x, epsilon, width)
    for i in 0..<width { y[i] = (x[i] * s) * gamma[i] }
  }

  @inline(__always)
  static func backwardRow(_ x: Floats, _ gamma: Floats, _ epsilon: Float, _ dy: Floats, _ dx: Floats, _ dgamma: Floats, _ width: Int) {
    let s = inverseDeviation(x, epsilon, width)
    let pull = s * s * s / Float(width) * rowTripleDot(gamma, dy, x, width)
    for i in 0..<width {
      let normal = x[i] * s
      let slope = dy[i]
      dgamma[i] += slope * normal
      dx[i] += s * (gamma[i] * slope) - x[i] * pull
      dy[i] = normal * gamma[i]
    }
  }
}

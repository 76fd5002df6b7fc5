/// SwiGLU: h = silu(g)·u with silu(g) = g·σ(g). Shapes: gu (rows, 2·width) with g in the left half and u in the right; h (rows, width).
package enum SwiGLU {
  static let rowsPerTask = 16

  package static func forward(_ pool: ThreadPool, rows: Int, width: Int, gu: Floats, h: Floats) {
    pool.run(RowPartition(rows: rows, rowsPerTask: rowsPerTask)) { _, range in
      for row in range { forwardRow(gu + row * 2 * width, h + row * width, width) }
    }
  }

  /// With σ = σ(g): du = dh·g·σ;  dg = dh·u·σ·(1 + g·(1 − σ)). `gu` is overwritten with (dg, du) and `dh` with h, which the weight
  /// gradient of the down product wants.
  package static func backward(_ pool: ThreadPool, rows: Int, width: Int, gu: Floats, dh: Floats) {
    pool.run(RowPartition(rows: rows, rowsPerTask: rowsPerTask)) { _, range in
      for row in range { backwardRow(gu + row * 2 * width, dh + row * width, width) }
    }
  }

  @inline(__always)
  private static func forwardRow(_ gu: Floats, _ h: Floats, _ width: Int) {
    let u = gu + width
    for i in 0..<width {
      let g = gu[i]
      h[i] = g * VectorMath.sigmoid(g) * u[i]
    }
  }

  @inline(__always)
  private static func backwardRow(_ gu: Floats, _ dh: Floats, _ width: Int) {
    let right = gu + width
    for i in 0..<width {
      let g = gu[i]
      let u = right[i]
      let slope = dh[i]
      let sigmoid = VectorMath.sigmoid(g)
      let silu = g * sigmoid
      dh[i] = silu * u
      right[i] = slope * silu
      gu[i] = slope * u * (sigmoid * (1 + g * (1 - sigmoid)))
    }
  }
}

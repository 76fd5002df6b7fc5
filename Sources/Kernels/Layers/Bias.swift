/// A bias added by a linear layer: the rows are filled with it and the product accumulates onto them. Shapes: y (rows, width), b (width).
package enum Bias {
  package static func forward(_ pool: ThreadPool, rows: Int, width: Int, bias: Floats, y: Floats) {
    pool.run(RowPartition(rows: rows, rowsPerTask: 32)) { _, range in
      for row in range { (y + row * width).update(from: bias, count: width) }
    }
  }

  /// db += Σ_rows dy, rows in order; rows of dy are `lddy` floats apart.
  package static func backward(_ pool: ThreadPool, rows: Int, width: Int, dbias: Floats, dy: Floats, lddy: Int) {
    pool.run(RowPartition(rows: width, rowsPerTask: 64)) { _, columns in
      for row in 0..<rows {
        let source = dy + row * lddy
        for i in columns { dbias[i] += source[i] }
      }
    }
  }
}

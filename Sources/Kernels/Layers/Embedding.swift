/// Token embedding: y[row] = E[token[row]]. Shapes: E (vocabulary, width), y (rows, width).
package enum Embedding {
  /// Columns a task of the scatter owns; each task walks all rows in order, so equal tokens add up in row order.
  static let columnsPerTask = 64

  package static func forward(_ pool: ThreadPool, rows: Int, width: Int, tokens: UnsafePointer<Int32>, table: Floats, y: Floats) {
    pool.run(RowPartition(rows: rows, rowsPerTask: 32)) { _, range in
      for row in range { (y + row * width).update(from: table + Int(tokens[row]) * width, count: width) }
    }
  }

  /// dE[token[row]] += dy[row].
  package static func backward(_ pool: ThreadPool, rows: Int, width: Int, tokens: UnsafePointer<Int32>, dtable: Floats, dy: Floats) {
    pool.run(RowPartition(rows: width, rowsPerTask: columnsPerTask)) { _, columns in
      for row in 0..<rows {
        let target = dtable + Int(tokens[row]) * width
        let source = dy + row * width
        for i in columns { target[i] += source[i] }
      }
    }
  }
}

/// Sums of squared gradients, one parameter at a time: what a diagonal Fisher is made of.
package enum SquareSum {
  private static let floatsPerTask = 1 << 16

  /// sums += g²; g = 0. Both (count).
  package static func add(_ pool: ThreadPool, count: Int, gradients: Floats, to sums: Floats) {
    pool.run(RowPartition(rows: count, rowsPerTask: floatsPerTask)) { _, range in
      let (g, s) = (gradients + range.lowerBound, sums + range.lowerBound)
      for i in 0..<range.count {
        s[i] += g[i] * g[i]
        g[i] = 0
      }
    }
  }

  /// sums = factor·sums + more·decay. All (count).
  package static func blend(_ pool: ThreadPool, count: Int, _ sums: Floats, factor: Float, more: UnsafePointer<Float>?, decay: Float) {
    pool.run(RowPartition(rows: count, rowsPerTask: floatsPerTask)) { _, range in
      if let more {
        for i in range { sums[i] = sums[i] * factor + more[i] * decay }
      } else {
        for i in range { sums[i] *= factor }
      }
    }
  }
}

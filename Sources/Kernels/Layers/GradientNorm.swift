/// The sum of a gradient's squares: summed in blocks of fixed size, blocks added in order in Double.
package enum GradientNorm {
  private static let floatsPerTask = 1 << 14

  package static func sumOfSquares(_ pool: ThreadPool, count: Int, gradients: Floats) -> Double {
    let partition = RowPartition(rows: count, rowsPerTask: floatsPerTask)
    let partials = [Double](unsafeUninitializedCapacity: partition.tasks) { buffer, initialized in
      let base = buffer.baseAddress
      pool.run(partition) { task, range in
        base?[task] = Double(rowSumOfSquares(gradients + range.lowerBound, range.count))
      }
      initialized = partition.tasks
    }
    return partials.reduce(0, +)
  }
}

/// Penalties that hold parameters p to an anchor a, with their gradients, in one pass over memory. All shapes are (count). Sums are taken
/// eight lanes at a time in blocks of fixed size, blocks added in order in Double: no bit depends on the number of threads.
package enum AnchorPenalty {
  private static let floatsPerTask = 1 << 14

  /// Σ (p − a)²;  g += 2·scale·(p − a).
  package static func squared(
    _ pool: ThreadPool, count: Int, parameters: UnsafePointer<Float>, anchor: UnsafePointer<Float>, gradients: Floats, scale: Float
  ) -> Double {
    let factor = 2 * scale
    return sum(pool, count) { start, size in
      let (p, a, g) = (parameters + start, anchor + start, gradients + start)
      var total = SIMD8<Float>(repeating: 0)
      var i = 0
      while i + 8 <= size {
        let d = load8(p, i) - load8(a, i)
        store8(load8(g, i) + d * factor, g, i)
        total = total.addingProduct(d, d)
        i += 8
      }
      var rest = laneSum(total)
      while i < size {
        let d = p[i] - a[i]
        g[i] += d * factor
        rest += d * d
        i += 1
      }
      return rest
    }
  }

  /// Σ f·(p − a)²;  g += 2·scale·f·(p − a), with an importance f of each parameter.
  package static func weighted(
    _ pool: ThreadPool, count: Int, parameters: UnsafePointer<Float>, anchor: UnsafePointer<Float>, importance: UnsafePointer<Float>,
    gradients: Floats, scale: Float
  ) -> Double {
    let factor = 2 * scale
    return sum(pool, count) { start, size in
      let (p, a, f, g) = (parameters + start, anchor + start, importance + start, gradients + start)
      var total = SIMD8<Float>(repeating: 0)
      var i = 0
      while i + 8 <= size {
        let d = load8(p, i) - load8(a, i)
        let pull = load8(f, i) * d
        store8(load8(g, i) + pull * factor, g, i)
        total = total.addingProduct(pull, d)
        i += 8
      }
      var rest = laneSum(total)
      while i < size {
        let d = p[i] - a[i]
        let pull = f[i] * d
        g[i] += pull * factor
        rest += pull * d
        i += 1
      }
      return rest
    }
  }

  /// Σ |p − a| over the marked;  g += scale·sign(p − a) there, and nothing where p = a. `marks`: 1 or 0.
  package static func absolute(
    _ pool: ThreadPool, count: Int, parameters: UnsafePointer<Float>, anchor: UnsafePointer<Float>, marks: UnsafePointer<UInt8>,
    gradients: Floats, scale: Float
  ) -> Double {
    sum(pool, count) { start, size in
      let (p, a, m, g) = (parameters + start, anchor + start, marks + start, gradients + start)
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { buffer -> Float in
        guard let distances = buffer.baseAddress else { return 0 }
        for i in 0..<size {
          let d = m[i] != 0 ? p[i] - a[i] : 0
          g[i] += d > 0 ? scale : (d < 0 ? -scale : 0)
          distances[i] = d.magnitude
        }
        return rowSum(distances, size)
      }
    }
  }

  /// `part` gives the sum of one block: its start and size.
  private static func sum(_ pool: ThreadPool, _ count: Int, _ part: (_ start: Int, _ size: Int) -> Float) -> Double {
    let partition = RowPartition(rows: count, rowsPerTask: floatsPerTask)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: partition.tasks) { partials in
      guard let base = partials.baseAddress else { return 0 }
      pool.run(partition) { task, range in base[task] = Double(part(range.lowerBound, range.count)) }
      var total = 0.0
      for task in 0..<partition.tasks { total += base[task] }
      return total
    }
  }
}

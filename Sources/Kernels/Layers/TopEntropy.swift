/// The entropy of each row's likeliest tokens among themselves: q = p / Σ p over the `count` largest p, H = −Σ q log q in nats. What EAFT
/// weighs tokens by; it is at most log `count`.
package enum TopEntropy {
  /// - Parameters:
  ///   - exponentials: (rows, vocabulary): exp(x − max x), as `SoftmaxCrossEntropy.forward` leaves them; read.
  ///   - results: (rows)
  package static func forward(
    _ pool: ThreadPool, rows: Int, vocabulary: Int, count: Int, exponentials: UnsafePointer<Float>, results: Floats
  ) {
    let kept = min(count, vocabulary)
    pool.run(RowPartition(rows: rows, rowsPerTask: max(1, 32768 / max(1, vocabulary)))) { _, range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: kept) { buffer in
        guard let top = buffer.baseAddress else { return }
        for row in range {
          select(exponentials + row * vocabulary, vocabulary, top, kept)
          results[row] = entropy(top, kept)
        }
      }
    }
  }

  /// The `kept` largest of a row, in falling order.
  private static func select(_ row: UnsafePointer<Float>, _ count: Int, _ top: Floats, _ kept: Int) {
    top.update(repeating: -1, count: kept)
    var i = 0
    while i + 8 <= count {
      // Nearly every group of eight is below all that is kept.
      if any(load8(row, i) .> top[kept - 1]) {
        for lane in i..<i + 8 { insert(row[lane], top, kept) }
      }
      i += 8
    }
    while i < count {
      insert(row[i], top, kept)
      i += 1
    }
  }

  @inline(__always)
  private static func insert(_ value: Float, _ top: Floats, _ kept: Int) {
    guard value > top[kept - 1] else { return }
    var place = kept - 1
    while place > 0, top[place - 1] < value {
      top[place] = top[place - 1]
      place -= 1
    }
    top[place] = value
  }

  /// log Z − Σ e log e / Z, Z = Σ e: the exponentials' logarithms are the centred logits.
  private static func entropy(_ top: Floats, _ kept: Int) -> Float {
    var sum: Float = 0
    var moment: Float = 0
    for i in 0..<kept where top[i] > 0 {
      sum += top[i]
      moment += top[i] * VectorMath.log(top[i])
    }
    return max(0, VectorMath.log(sum) - moment / sum)
  }
}

/// What the head says of each target under p = softmax(logits / temperature): log p of the target token, the entropy of the whole
/// distribution (nats), and whether the target is the likeliest token (ties to the first). Shapes: logits (rows, vocabulary), targets and
/// results (rows).
package enum SoftmaxCrossEntropy {
  private static let block = 1024

  package struct Results {
    package let logProbabilities: Floats
    package let entropies: Floats
    /// 1 where the target is the argmax, else 0.
    package let correct: Floats

    package init(logProbabilities: Floats, entropies: Floats, correct: Floats) {
      self.logProbabilities = logProbabilities
      self.entropies = entropies
      self.correct = correct
    }
  }

  private static func partition(_ rows: Int, _ vocabulary: Int) -> RowPartition {
    RowPartition(rows: rows, rowsPerTask: max(1, 32768 / max(1, vocabulary)))
  }

  /// With x = logits / temperature: log p_t = x_t − m − log Z, Z = Σ exp(x − m), m = max x;  H = log Z − Σ exp(x − m)(x − m)/Z. The
  /// logits are overwritten with exp(x − m), and `normalizers` receives Z: what `backward` wants.
  package static func forward(
    _ pool: ThreadPool, rows: Int, vocabulary: Int, logits: Floats, targets: UnsafePointer<Int32>, results: Results, normalizers: Floats,
    temperature: Float = 1
  ) {
    precondition(temperature > 0, "temperature \(temperature)")
    let inverse = Float(1 / Double(temperature))
    pool.run(partition(rows, vocabulary)) { _, range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: block) { scratch in
        guard let products = scratch.baseAddress else { return }
        for row in range {
          let x = logits + row * vocabulary
          let target = Int(targets[row])
          if temperature != 1 {
            for i in 0..<vocabulary { x[i] *= inverse }
          }
          let largest = rowMaximum(x, vocabulary)
          let centred = x[target] - largest
          results.correct[row] = centred == 0 && isFirst(x, target) ? 1 : 0
          let (sum, moment) = exponentiate(x, vocabulary, largest, products)
          let logSum = VectorMath.log(sum)
          results.logProbabilities[row] = centred - logSum
          results.entropies[row] = max(0, logSum - moment / sum)
          normalizers[row] = sum
        }
      }
    }
  }

  /// d log p_t / d logit_j = ([j = t] − p_j) / temperature. `logits` hold exp(x − m) and become d loss / d logits, given slopes =
  /// d loss / d log p_t (rows).
  package static func backward(
    _ pool: ThreadPool, rows: Int, vocabulary: Int, logits: Floats, targets: UnsafePointer<Int32>, slopes: UnsafePointer<Float>,
    normalizers: Floats, temperature: Float = 1
  ) {
    let inverse = Float(1 / Double(temperature))
    pool.run(partition(rows, vocabulary)) { _, range in
      for row in range {
        let x = logits + row * vocabulary
        let slope = slopes[row] * inverse
        let factor = -slope / normalizers[row]
        for i in 0..<vocabulary { x[i] *= factor }
        x[Int(targets[row])] += slope
      }
    }
  }

  /// One row of logits becomes exp(x − max x); returns the row's sum and the first index of its largest element. The bits of `forward`.
  package static func exponentiate(_ x: Floats, count: Int) -> (sum: Float, first: Int) {
    let largest = rowMaximum(x, count)
    var first = 0
    while x[first] < largest { first += 1 }
    let sum = withUnsafeTemporaryAllocation(of: Float.self, capacity: block) { scratch -> Float in
      guard let products = scratch.baseAddress else { return 0 }
      return exponentiate(x, count, largest, products).sum
    }
    return (sum, first)
  }

  // MARK: - Rows

  /// Σ e and Σ e·(x − m), block by block in order, with e = exp(x − m) left in x.
  @inline(__always)
  private static func exponentiate(_ x: Floats, _ count: Int, _ largest: Float, _ products: Floats) -> (sum: Float, moment: Float) {
    var sum: Float = 0
    var moment: Float = 0
    var start = 0
    while start < count {
      let size = min(block, count - start)
      let part = x + start
      for i in 0..<size {
        let centred = part[i] - largest
        let e = VectorMath.exp(centred)
        part[i] = e
        products[i] = e * centred
      }
      sum += rowSum(part, size)
      moment += rowSum(products, size)
      start += size
    }
    return (sum, moment)
  }

  private static func isFirst(_ x: Floats, _ index: Int) -> Bool {
    let value = x[index]
    for i in 0..<index where x[i] == value { return false }
    return true
  }
}

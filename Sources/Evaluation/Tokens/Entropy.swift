import Kernels

/// The entropy of a softmax.
package enum Entropy {
  /// `logits`: at most 0, one of them 0; overwritten. H = log Σ eˣ − Σ x eˣ / Σ eˣ, sums in double.
  package static func of(_ logits: Floats, _ count: Int) -> Float {
    let part = 256
    var (sum, moment) = (0.0, 0.0)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { buffer in
      guard let powers = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: part) {
        let size = min(part, count - start)
        VectorMath.exp(logits + start, out: powers, count: size)
        for i in 0..<size {
          sum += Double(powers[i])
          moment += Double(powers[i]) * Double(logits[start + i])
        }
      }
    }
    return Float(max(0, VectorMath.log(sum) - moment / sum))
  }
}

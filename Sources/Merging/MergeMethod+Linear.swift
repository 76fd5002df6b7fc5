extension MergeMethod {
  /// Σ_k w_k θ_k, each element rounded to float32 once: products and sum are taken in double, so equal values with weights that add up
  /// to 1 stay what they are.
  package static func linear(weights: [Double]) -> MergeMethod {
    MergeMethod(name: "linear") { slice in
      precondition(slice.sources.count == weights.count, "\(weights.count) weights for \(slice.sources.count) models")
      if weights.count == 2 { return combineTwo(slice, weights[0], weights[1]) }
      DoubleChunk.each(slice.count) { sums, part in
        for i in 0..<part.count { sums[i] = 0 }
        for (source, weight) in zip(slice.sources, weights) {
          let values = source + part.lowerBound
          for i in 0..<part.count { sums[i] += weight * Double(values[i]) }
        }
        let target = slice.target + part.lowerBound
        for i in 0..<part.count { target[i] = Float(sums[i]) }
      }
    }
  }

  /// The common case, in a loop that vectorises.
  private static func combineTwo(_ slice: MergeSlice, _ first: Double, _ second: Double) {
    let (a, b, target) = (slice.sources[0], slice.sources[1], slice.target)
    for i in 0..<slice.count { target[i] = Float(first * Double(a[i]) + second * Double(b[i])) }
  }
}

/// Room on the stack for sums in double, a part of a slice at a time.
enum DoubleChunk {
  private static let size = 1024

  static func each(_ count: Int, _ body: (UnsafeMutablePointer<Double>, Range<Int>) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: size) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: size) { body(sums, start..<min(start + size, count)) }
    }
  }
}

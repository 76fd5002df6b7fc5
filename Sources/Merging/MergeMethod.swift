/// A way to combine the values of several models: a name and one function over rows of the tensors. Knows nothing of files.
///
/// The engine calls the function for one slice of one tensor after another, from several threads at once: what it does for an element may
/// depend on that element of every model, its place, and the tensor's name, and on nothing else.
package struct MergeMethod: Sendable {
  /// As mergekit names it.
  package let name: String
  package let combine: @Sendable (MergeSlice) -> Void

  package init(name: String, combine: @escaping @Sendable (MergeSlice) -> Void) {
    self.name = name
    self.combine = combine
  }
}

/// The same elements of one tensor of every model, as float32, and the place for the result.
package struct MergeSlice {
  package let tensor: String
  /// Elements of the tensor, row-major.
  package let elements: Range<Int>
  /// One pointer a model, base first.
  package let sources: [UnsafePointer<Float>]
  package let target: UnsafeMutablePointer<Float>

  package var count: Int { elements.count }
}

extension MergeMethod {
  /// Σ_k w_k θ_k, each element rounded to float32 once: products and sum are taken in double, so equal values with weights that add up
  /// to 1 stay what they are.
  package static func linear(weights: [Double]) -> MergeMethod {
    MergeMethod(name: "linear") { slice in
      precondition(slice.sources.count == weights.count, "\(weights.count) weights for \(slice.sources.count) models")
      if weights.count == 2 { return combineTwo(slice, weights[0], weights[1]) }
      for i in 0..<slice.count {
        var sum = 0.0
        for (source, weight) in zip(slice.sources, weights) { sum += weight * Double(source[i]) }
        slice.target[i] = Float(sum)
      }
    }
  }

  /// The common case, in a loop that vectorises.
  private static func combineTwo(_ slice: MergeSlice, _ first: Double, _ second: Double) {
    let (a, b, target) = (slice.sources[0], slice.sources[1], slice.target)
    for i in 0..<slice.count { target[i] = Float(first * Double(a[i]) + second * Double(b[i])) }
  }
}

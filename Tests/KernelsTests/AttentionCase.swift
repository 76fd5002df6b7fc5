import Kernels
import Testing

/// Shapes of attention, and sequences that share what comes first.
struct AttentionCase: CustomTestStringConvertible, Sendable {
  let heads: Int, keyValueHeads: Int, dimension: Int
  /// The length of what is shared, then how many positions of its own each sequence behind it has.
  let groups: [[Int]]

  var testDescription: String { "\(heads)/\(keyValueHeads) heads of \(dimension), groups \(groups)" }
  var shape: AttentionShape {
    .init(heads: heads, keyValueHeads: keyValueHeads, headDimension: dimension, scale: 1 / Float(dimension).squareRoot())
  }

  init(_ heads: Int, _ keyValueHeads: Int, _ dimension: Int, _ groups: [[Int]]) {
    (self.heads, self.keyValueHeads, self.dimension, self.groups) = (heads, keyValueHeads, dimension, groups)
  }
}

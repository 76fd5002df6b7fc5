import Kernels

/// A run of adjacent parameters that train, with their gradients: where terms and the optimizer work. Knows nothing of names and shapes.
///
/// `@unchecked Sendable`: views into memory that the loop owns.
package struct TrainedPart: @unchecked Sendable {
  /// In floats from the start of the arena that is trained; what is laid out as that arena (an anchor, a Fisher) has its part there.
  package let offset: Int
  package let count: Int
  /// Weight decay applies.
  package let isDecayed: Bool
  /// (count)
  package let parameters: Floats
  /// (count)
  package let gradients: Floats

  package init(offset: Int, count: Int, isDecayed: Bool, parameters: Floats, gradients: Floats) {
    self.offset = offset
    self.count = count
    self.isDecayed = isDecayed
    self.parameters = parameters
    self.gradients = gradients
  }
}

import Kernels
import Modeling

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

extension TrainedPart {
  /// The tensors of `arena` that `gradients` has a place for; adjacent ones with one decay are one part.
  package static func all(_ arena: ParameterArena, _ gradients: ParameterArena) -> [TrainedPart] {
    var ranges: [(range: Range<Int>, place: Int, isDecayed: Bool)] = []
    var previous = -1
    for (index, entry) in arena.layout.entries.enumerated() {
      guard let place = gradients.layout[entry.name]?.offset else { continue }
      if previous == index - 1, let last = ranges.last, last.isDecayed == entry.isDecayed {
        ranges[ranges.count - 1].range = last.range.lowerBound..<entry.range.upperBound
      } else {
        ranges.append((entry.range, place, entry.isDecayed))
      }
      previous = index
    }
    return ranges.map { range, place, isDecayed in
      TrainedPart(
        offset: range.lowerBound, count: range.count, isDecayed: isDecayed, parameters: arena.pointer + range.lowerBound,
        gradients: gradients.pointer + place)
    }
  }
}

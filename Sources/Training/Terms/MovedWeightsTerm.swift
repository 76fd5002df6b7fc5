import Kernels
import Modeling

/// CPO: λ · mean |θ − θ_ref| over the weights that past tasks moved most: the union of each task's share of largest |θ_after − θ_before|.
package struct MovedWeightsTerm: ParameterTerm {
  package let name = "cpo"
  package let identity: String
  private let lambda: Double
  private let reference: ParameterArena
  private let moved: MovedWeights

  /// `reference`: θ_ref, laid out as what is trained.
  package init(lambda: Double, reference: ParameterArena, _ moved: MovedWeights) {
    self.lambda = lambda
    self.reference = reference
    self.moved = moved
    identity = "cpo \(lambda), \(moved.count) weights"
  }

  package func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double {
    let marked = parts.reduce(0) { $0 + moved.count(in: $1.offset..<$1.offset + $1.count) }
    guard marked > 0 else { return 0 }
    let factor = lambda / Double(marked)
    return factor
      * parts.reduce(0) { sum, part in
        sum
          + AnchorPenalty.absolute(
            pool, count: part.count, parameters: part.parameters, anchor: reference.pointer + part.offset,
            marks: moved.marks.pointer + part.offset, gradients: part.gradients, scale: Float(factor))
      }
  }
}

/// A mark on each weight that some past task moved far: a byte a weight.
///
/// `@unchecked Sendable`: tasks are added before it is shared.
package final class MovedWeights: @unchecked Sendable {
  let marks: AlignedBuffer<UInt8>
  private let layout: ParameterLayout
  /// Marks of each entry of the layout.
  private var counts: [Int]

  package init(_ layout: ParameterLayout) {
    self.layout = layout
    marks = AlignedBuffer<UInt8>(count: layout.count)
    counts = [Int](repeating: 0, count: layout.entries.count)
  }

  package var count: Int { counts.reduce(0, +) }

  /// Marks the `share` of all weights that moved farthest, rounded down; among equal ones those that come first. What did not move is
  /// never marked.
  package func add(before: ParameterArena, after: ParameterArena, share: Double) {
    precondition(before.layout == layout && after.layout == layout, "a task of another layout")
    let wanted = Int(share * Double(layout.parameterCount))
    func distance(_ i: Int) -> UInt32 { (after.pointer[i] - before.pointer[i]).magnitude.bitPattern }
    // Bits of floats that are not negative are ordered as the floats are: the bound is found in two halves.
    let (high, above) = Self.bound(wanted) { count in for i in 0..<layout.count { count(distance(i) >> 16) } }
    let (low, more) = Self.bound(wanted - above) { count in
      for i in 0..<layout.count where distance(i) >> 16 == high { count(distance(i) & 0xFFFF) }
    }
    let bound = high << 16 | low
    var ties = wanted - above - more
    for (index, entry) in layout.entries.enumerated() {
      for i in entry.range where marks.pointer[i] == 0 || distance(i) == bound {
        let bits = distance(i)
        guard bits > 0, bits >= bound else { continue }
        if bits == bound {
          guard ties > 0 else { continue }
          ties -= 1
          if marks.pointer[i] != 0 { continue }
        }
        marks.pointer[i] = 1
        counts[index] += 1
      }
    }
  }

  func count(in range: Range<Int>) -> Int {
    zip(layout.entries, counts).reduce(0) { $0 + (range.contains($1.0.offset) ? $1.1 : 0) }
  }

  /// The largest 16-bit value that `wanted` values reach or exceed, and how many exceed it; more than all where none are wanted.
  private static func bound(_ wanted: Int, _ each: ((UInt32) -> Void) -> Void) -> (value: UInt32, above: Int) {
    var histogram = [Int](repeating: 0, count: 1 << 16)
    each { histogram[Int($0)] += 1 }
    var above = 0
    for value in (0..<1 << 16).reversed() {
      if above + histogram[value] >= wanted { return (UInt32(value), above) }
      above += histogram[value]
    }
    return (0, above)
  }
}

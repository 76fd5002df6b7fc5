import Kernels
import Modeling

/// Which elements of a tensor are the k of largest magnitude, found exactly and without holding them: float32 magnitudes order as their bit
/// patterns do, so two histograms, of the upper and of the lower 16 bits, give the k-th one.
///
/// k = max(1, ⌊density · n⌋), none for a density of 0, all for 1, as in mergekit. Of equal magnitudes at the threshold those that come first
/// in the tensor stay, until there are k; mergekit leaves the choice to a sort that is not stable.
struct MagnitudeThreshold: Sendable {
  private enum Rule: Sendable {
    case all
    case none
    /// At and above this bit pattern; of those equal to it only the first `equals`, where it is given. `before`: how many there are before
    /// each slice, and in all.
    case from(UInt32, equals: Int?, before: [Int])
  }

  private let rule: Rule

  /// Sets every other element of these differences to zero.
  func trim(_ values: Floats, _ elements: Range<Int>) {
    switch rule {
    case .all: return
    case .none: values.update(repeating: 0, count: elements.count)
    case .from(let least, nil, _): Self.keep(values, elements.count, from: least)
    case .from(let least, .some(let equals), let before):
      let slice = elements.lowerBound / SliceReader.sliceSize
      let room = equals - before[slice]
      // In all slices but one those equal to the threshold stay or go together.
      if room >= before[slice + 1] - before[slice] {
        Self.keep(values, elements.count, from: least)
      } else if room <= 0 {
        Self.keep(values, elements.count, from: least + 1)
      } else {
        Self.keep(values, elements.count, from: least, equals: room)
      }
    }
  }

  private static func keep(_ values: Floats, _ count: Int, from least: UInt32) {
    for i in 0..<count { values[i] = pattern(values[i]) >= least ? values[i] : 0 }
  }

  /// Of those equal to `least` only the first `equals`.
  private static func keep(_ values: Floats, _ count: Int, from least: UInt32, equals: Int) {
    var room = equals
    for i in 0..<count {
      let pattern = pattern(values[i])
      if pattern == least { room -= 1 }
      if pattern < least || pattern == least && room < 0 { values[i] = 0 }
    }
  }

  @inline(__always) private static func pattern(_ value: Float) -> UInt32 { value.bitPattern & 0x7FFF_FFFF }

  // MARK: - Search

  /// A threshold for the differences of each model, the first source being the base; `densities`: one a model.
  static func find(_ passes: TensorPasses, _ densities: [Double]) throws(ModelError) -> [MagnitudeThreshold] {
    let count = passes.tensor.count
    var searches = densities.map { Search(count: count, density: $0) }
    guard searches.contains(where: \.isOpen) else { return searches.map { MagnitudeThreshold(rule: $0.rule(before: [])) } }
    try narrow(&searches, passes, bins: 1 << 15) { pattern, _ in Int(pattern &>> 16) }
    try narrow(&searches, passes, bins: 1 << 16) { pattern, upper in pattern &>> 16 == upper ? Int(pattern & 0xFFFF) : nil }
    let before = try equalsBefore(searches, passes)
    return searches.indices.map { MagnitudeThreshold(rule: searches[$0].rule(before: before?[$0] ?? [])) }
  }

  /// The search for one model: how many elements are still to be found at or below the bins looked at, and the pattern as far as it is known.
  private struct Search: Sendable {
    let isOpen: Bool
    private let isFull: Bool
    var rank: Int
    var pattern: UInt32 = 0
    /// Elements equal to the threshold, all and those that stay.
    var equals = 0

    init(count: Int, density: Double) {
      isFull = density >= 1
      isOpen = density > 0 && density < 1 && count > 0
      rank = max(1, Int(density * Double(count)))
    }

    /// Goes down from the highest bin to the one that holds the element of this rank.
    mutating func narrow(_ histogram: [Int]) {
      guard isOpen else { return }
      var bin = histogram.count - 1
      while bin > 0, histogram[bin] < rank {
        rank -= histogram[bin]
        bin -= 1
      }
      equals = histogram[bin]
      pattern = pattern << 16 | UInt32(bin)
    }

    /// Not all elements equal to the threshold stay, and they are not zero, of which it does not matter.
    var splitsEquals: Bool { isOpen && equals > rank && pattern != 0 }

    func rule(before: [Int]) -> Rule {
      guard isOpen else { return isFull ? .all : .none }
      return .from(pattern, equals: splitsEquals ? rank : nil, before: before)
    }
  }

  private static func narrow(
    _ searches: inout [Search], _ passes: TensorPasses, bins: Int, bin: @Sendable (UInt32, UInt32) -> Int?
  ) throws(ModelError) {
    let known = searches
    let none = known.map { [Int](repeating: 0, count: $0.isOpen ? bins : 0) }
    let sums = try passes.tally(from: none, adding: addCounts) { counts, slice in
      TaskVectors.differences(slice)
      for (k, search) in known.enumerated() where search.isOpen {
        counts[k].withUnsafeMutableBufferPointer { counts in
          for i in 0..<slice.count {
            if let bin = bin(pattern(slice.sources[k + 1][i]), search.pattern) { counts[bin] &+= 1 }
          }
        }
      }
    }
    for k in searches.indices { searches[k].narrow(sums[k]) }
  }

  @Sendable private static func addCounts(_ sums: inout [[Int]], _ counts: [[Int]]) {
    for k in sums.indices { for bin in sums[k].indices { sums[k][bin] += counts[k][bin] } }
  }

  /// For each model, how many elements before each slice are equal to its threshold; nil where nobody asks.
  private static func equalsBefore(_ searches: [Search], _ passes: TensorPasses) throws(ModelError) -> [[Int]]? {
    guard searches.contains(where: \.splitsEquals) else { return nil }
    let spans = try passes.fold(from: searches.map { _ in [Int]() }) { counts, slice in
      TaskVectors.differences(slice)
      for (k, search) in searches.enumerated() where search.splitsEquals {
        var equals = 0
        for i in 0..<slice.count where pattern(slice.sources[k + 1][i]) == search.pattern { equals += 1 }
        counts[k].append(equals)
      }
    }
    return searches.indices.map { k in
      var before = [0]
      for count in spans.flatMap({ $0[k] }) { before.append((before.last ?? 0) + count) }
      return before
    }
  }
}

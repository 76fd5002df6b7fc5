/// Distributions over `Philox`: normal numbers, bounded integers and permutations.
extension Philox {
  /// A standard normal number, by Box and Muller's cosine in Double. One position each.
  package func normal(_ position: UInt64) -> Double {
    let words = block(position)
    // In (0, 1], so that the logarithm is finite.
    let radius = Double(((UInt64(words.y) << 32 | UInt64(words.x)) >> 11) + 1) * 0x1p-53
    let angle = (Double(words.z) * 0x1p-32 + Double(words.w) * 0x1p-64) * 2 * Double.pi
    return (-2 * VectorMath.log(radius)).squareRoot() * VectorMath.cos(angle)
  }

  /// Fills `out` with normal numbers of the given standard deviation, positions `first ..< first + count`.
  package func fillNormal(_ out: Floats, count: Int, standardDeviation: Double, first: UInt64 = 0) {
    for i in 0..<count { out[i] = Float(normal(first &+ UInt64(i)) * standardDeviation) }
  }

  /// Uniform in 0 ..< bound, each value equally likely. One position each: a 128-bit draw makes rejection unneeded up to a bias below 2⁻⁶⁴.
  package func integer(_ position: UInt64, below bound: Int) -> Int {
    precondition(bound > 0, "a random integer below \(bound)")
    return Int(bounded(position, UInt64(bound)))
  }

  /// floor(draw · bound / 2¹²⁸) for a 128-bit draw.
  private func bounded(_ position: UInt64, _ bound: UInt64) -> UInt64 {
    let words = block(position)
    let high = UInt64(words.y) << 32 | UInt64(words.x)
    let low = UInt64(words.w) << 32 | UInt64(words.z)
    let top = high.multipliedFullWidth(by: bound)
    let carry = top.low.addingReportingOverflow(low.multipliedFullWidth(by: bound).high)
    return top.high &+ (carry.overflow ? 1 : 0)
  }

  /// The numbers 0 ..< count in random order (Fisher and Yates, from the end; positions `first ..< first + count`).
  package func permutation(_ count: Int, first: UInt64 = 0) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order, first: first)
    return order
  }

  /// Shuffles in place: for i from the last element down to 1, swaps i with an integer below i + 1 drawn at position `first + i`.
  package func shuffle<Element>(_ elements: inout [Element], first: UInt64 = 0) {
    guard elements.count > 1 else { return }
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(i, integer(first &+ UInt64(i), below: i + 1))
    }
  }
}

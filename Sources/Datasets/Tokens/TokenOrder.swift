/// The order in which training sees records: a permutation for each pass, a function of (seed, pass) alone, so a resumed run goes on with the
/// record it would have had.
package enum TokenOrder {
  /// The records 0..<count of one pass.
  package static func pass(_ pass: Int, count: Int, seed: UInt64) -> [Int] {
    var random = CounterRandom(seed: seed, "data order", String(pass))
    return random.shuffled(Array(0..<count))
  }
}

/// Which of a list's row numbers are named again later: so that whoever comes to a number first works through all its places, and nobody
/// else writes to that row.
struct RepeatedRows {
  /// Of each place: the next one with the same number, −1 for none.
  private var next: [Int32]
  private var isFirst: [Bool]

  /// Nil when no number comes twice.
  init?(_ numbers: UnsafePointer<Int32>, count: Int) {
    // Ascending, as the rows of plain records are: nothing to look for.
    if !(1..<max(1, count)).contains(where: { numbers[$0] <= numbers[$0 - 1] }) { return nil }
    next = [Int32](repeating: -1, count: count)
    isFirst = [Bool](repeating: true, count: count)
    var last: [Int32: Int] = [:]
    for place in 0..<count {
      guard let before = last.updateValue(place, forKey: numbers[place]) else { continue }
      next[before] = Int32(place)
      isFirst[place] = false
    }
    if last.count == count { return nil }
  }

  /// All places with the number of `place`, in order, when it is the first of them; else none.
  @inline(__always)
  func forEach(from place: Int, _ body: (Int) -> Void) {
    guard isFirst[place] else { return }
    var place = place
    while place >= 0 {
      body(place)
      place = Int(next[place])
    }
  }
}

/// Finds the known name that somebody most likely meant. It does not know what the names stand for.
package enum NearestName {
  /// The candidate with the fewest edits (insertions, deletions, changes, swaps of neighbours), if they are at most about a third
  /// of the name's length (two of five letters, at most four) and leave something of it; letter case counts for nothing. The first of
  /// equally near ones.
  package static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(name.lowercased().unicodeScalars.prefix(longest))
    guard !wanted.isEmpty else { return nil }
    var bound = min((wanted.count + 1) / 3, 4)
    var best: String?
    for candidate in candidates where !candidate.isEmpty {
      let scalars = Array(candidate.lowercased().unicodeScalars.prefix(longest))
      guard abs(scalars.count - wanted.count) <= bound, let edits = distance(wanted, scalars, within: bound) else { continue }
      if edits < wanted.count, best == nil || edits < bound { (best, bound) = (candidate, edits) }
    }
    return best
  }

  private static let longest = 100

  /// The number of edits between two texts; nil when it is more than `bound`.
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar], within bound: Int) -> Int? {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, scalar) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var edits = min(last[column + 1] + 1, current[column] + 1, last[column] + (scalar == other ? 0 : 1))
        if row > 0, column > 0, scalar == right[column - 1], left[row - 1] == other { edits = min(edits, beforeLast[column - 1] + 1) }
        current.append(edits)
      }
      guard let least = current.min(), least <= bound else { return nil }
      (beforeLast, last) = (last, current)
    }
    return last[right.count] <= bound ? last[right.count] : nil
  }
}

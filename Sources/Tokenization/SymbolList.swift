/// A long word's tokens as a doubly linked list in flat arrays. A token that was merged into its left neighbour has the id -1.
struct SymbolList {
  private(set) var ids: [Int32]
  private var left: [Int32]
  private var right: [Int32]

  init(_ symbols: [Int32]) {
    ids = symbols
    left = (0..<symbols.count).map { Int32($0) - 1 }
    right = (0..<symbols.count).map { $0 + 1 < symbols.count ? Int32($0) + 1 : -1 }
  }

  /// The live token after the live token `at`; nil at the end, or when `at` is gone.
  func next(_ at: Int) -> Int? { ids[at] >= 0 && right[at] >= 0 ? Int(right[at]) : nil }

  func previous(_ at: Int) -> Int? { left[at] >= 0 ? Int(left[at]) : nil }

  /// Puts `id` in the place of the neighbours `at` and `next`.
  mutating func merge(_ at: Int, _ next: Int, into id: Int32) {
    ids[at] = id
    ids[next] = -1
    right[at] = right[next]
    if right[next] >= 0 { left[Int(right[next])] = Int32(at) }
  }

  func append(to result: inout [Int32]) {
    for id in ids where id >= 0 { result.append(id) }
  }
}

/// Merges waiting to be tried, least (rank, position) first.
struct MergeHeap {
  private struct Entry {
    /// Rank in the upper half, position in the lower.
    let order: UInt64
    let token: UInt32
  }

  private var entries: [Entry] = []

  /// Adds a merge as `MergeTable` packs it; `none` is nothing to add.
  mutating func push(_ merge: UInt64, at position: Int) {
    guard merge != MergeTable.none else { return }
    let entry = Entry(order: merge & 0xFFFF_FFFF_0000_0000 | UInt64(position), token: UInt32(truncatingIfNeeded: merge))
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if entries[parent].order <= entry.order { break }
      entries[child] = entries[parent]
      child = parent
    }
    entries[child] = entry
  }

  mutating func pop() -> (merge: UInt64, position: Int)? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty { sink(last) }
    return (top.order & 0xFFFF_FFFF_0000_0000 | UInt64(top.token), Int(top.order & 0xFFFF_FFFF))
  }

  /// Puts `entry` where it belongs, the root being free.
  private mutating func sink(_ entry: Entry) {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      if child >= entries.count { break }
      if child + 1 < entries.count, entries[child + 1].order < entries[child].order { child += 1 }
      if entry.order <= entries[child].order { break }
      entries[parent] = entries[child]
      parent = child
    }
    entries[parent] = entry
  }
}

/// Which pairs of tokens merge, at what rank, into what: a hash table with open addressing.
///
/// A value packs the rank (upper 32 bits) and the new token (lower 32 bits), so the smallest value is the merge to do first.
/// The memory is written while it is built and only read after.
final class MergeTable: @unchecked Sendable {
  static let none = UInt64.max

  private let keys: UnsafeMutablePointer<UInt64>
  private let values: UnsafeMutablePointer<UInt64>
  private let mask: Int
  private let shift: UInt64

  /// Room for `count` merges, at most half full.
  init(count: Int) {
    var bits = 4
    while 1 << bits < 2 * count { bits += 1 }
    mask = 1 << bits - 1
    shift = UInt64(64 - bits)
    keys = .allocate(capacity: mask + 1)
    values = .allocate(capacity: mask + 1)
    keys.initialize(repeating: Self.none, count: mask + 1)
    values.initialize(repeating: Self.none, count: mask + 1)
  }

  deinit {
    keys.deallocate()
    values.deallocate()
  }

  /// Adds a merge; a pair that is there already takes the new rank.
  func insert(_ left: Int32, _ right: Int32, rank: Int, into token: Int32) {
    let slot = slot(Self.key(left, right))
    keys[slot] = Self.key(left, right)
    values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
  }

  /// Rank and new token of a pair; `none` when it does not merge.
  @inline(__always)
  func find(_ left: Int32, _ right: Int32) -> UInt64 { values[slot(Self.key(left, right))] }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func slot(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != key, keys[slot] != Self.none { slot = (slot + 1) & mask }
    return slot
  }
}

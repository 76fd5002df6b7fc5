/// Remembers the ids of words of up to 15 bytes, so that a word seen before costs one look-up. One thread uses it at a time.
///
/// A word and its length fill two 64-bit numbers, which are its key. When full it starts again from empty: what it holds never
/// changes an answer.
final class WordCache {
  struct Key {
    var low: UInt64
    /// The length is in the top byte, so no key is zero.
    var high: UInt64
  }

  static let longestWord = 15
  private static let slots = 1 << 16
  private static let fullAt = slots / 2

  private let keys: UnsafeMutablePointer<Key>
  /// Where in `ids` the word's ids begin, times 16, plus how many there are.
  private let values: UnsafeMutablePointer<UInt32>
  private var ids: [Int32] = []
  private var count = 0

  init() {
    keys = .allocate(capacity: Self.slots)
    values = .allocate(capacity: Self.slots)
    keys.initialize(repeating: Key(low: 0, high: 0), count: Self.slots)
    values.initialize(repeating: 0, count: Self.slots)
  }

  deinit {
    keys.deallocate()
    values.deallocate()
  }

  /// The key of a word of 1 to 15 bytes.
  @inline(__always)
  static func key(_ word: UnsafeBufferPointer<UInt8>) -> Key {
    var key = Key(low: 0, high: UInt64(word.count) << 56)
    for index in 0..<min(word.count, 8) { key.low |= UInt64(word[index]) << UInt64(8 * index) }
    var index = 8
    while index < word.count {
      key.high |= UInt64(word[index]) << UInt64(8 * (index - 8))
      index += 1
    }
    return key
  }

  /// Appends the word's ids and returns true when it is known.
  @inline(__always)
  func append(_ key: Key, to result: inout [Int32]) -> Bool {
    let slot = slot(key)
    guard keys[slot].high != 0 else { return false }
    let start = Int(values[slot] >> 4)
    let length = Int(values[slot] & 15)
    if length == 1 {
      result.append(ids[start])
    } else {
      result.append(contentsOf: ids[start..<start + length])
    }
    return true
  }

  func remember(_ key: Key, _ wordIDs: ArraySlice<Int32>) {
    guard wordIDs.count <= 15 else { return }
    if count == Self.fullAt { clear() }
    let slot = slot(key)
    keys[slot] = key
    values[slot] = UInt32(ids.count) << 4 | UInt32(wordIDs.count)
    ids.append(contentsOf: wordIDs)
    count += 1
  }

  private func clear() {
    keys.update(repeating: Key(low: 0, high: 0), count: Self.slots)
    ids.removeAll(keepingCapacity: true)
    count = 0
  }

  @inline(__always)
  private func slot(_ key: Key) -> Int {
    let mixed = (key.low ^ key.high &* 0xC2B2_AE3D_27D4_EB4F) &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: mixed >> 48)
    while keys[slot].high != 0, keys[slot].low != key.low || keys[slot].high != key.high { slot = (slot + 1) & (Self.slots - 1) }
    return slot
  }
}

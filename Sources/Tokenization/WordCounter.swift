/// Counts words, given as bytes, in the order of their first coming: a hash table over one flat array of their bytes.
struct WordCounter: Sendable {
  private var bytes: [UInt8] = []
  /// Word `index` is `bytes[ends[index - 1]..<ends[index]]`.
  private var ends: [Int] = []
  private(set) var counts: [Int] = []
  private var hashes: [UInt64] = []
  /// Index of a word plus 1; 0 where there is none.
  private var slots = [Int32](repeating: 0, count: 1 << 12)

  var count: Int { counts.count }

  func word(_ index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

  mutating func add(_ word: UnsafeBufferPointer<UInt8>, times: Int = 1) {
    let hash = Self.hash(word)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if hashes[index] == hash, self.word(index).elementsEqual(word) {
        counts[index] += times
        return
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    bytes.append(contentsOf: word)
    ends.append(bytes.count)
    counts.append(times)
    hashes.append(hash)
    slots[slot] = Int32(counts.count)
    if 2 * counts.count > slots.count { grow() }
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(index) + 1
    }
  }

  /// FNV-1a with its bits mixed once more.
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return hash ^ hash >> 32
  }
}

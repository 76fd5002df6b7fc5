import JSONValues

/// Byte-level BPE: a word's bytes become tokens, and pairs of tokens merge in order of (rank, position) until none is left to merge.
///
/// It knows the ids of bytes and merges, not what precedes (splitting) or follows (special tokens).
struct BytePairModel: Sendable {
  /// -1 for a byte that is not in the vocabulary.
  private let byteIDs: [Int32]
  private let merges: MergeTable
  private let unknownID: Int32?
  private let fuseUnknown: Bool
  /// Whole words that win over the merges, by their bytes; empty unless the tokenizer asks for that.
  private let wholeWords: [[UInt8]: Int32]

  /// From ~50 symbols on a heap is faster than looking for the smallest rank each time.
  private static let longWord = 48

  init(_ definition: TokenizerDefinition, _ table: TokenTable) throws(TokenizerError) {
    byteIDs = ByteAlphabet.scalars.map { table.id(String($0)) ?? -1 }
    merges = MergeTable(count: definition.merges.count)
    for (rank, merge) in definition.merges.enumerated() {
      let path = "model.merges[\(rank)]"
      let left = try Self.part(merge.left, table, path)
      let right = try Self.part(merge.right, table, path)
      let whole = try Self.part(merge.left + merge.right, table, path)
      merges.insert(left, right, rank: rank, into: whole)
    }
    unknownID = try definition.unknownToken.map { token throws(TokenizerError) in
      try Self.part(token, table, "model.unk_token")
    }
    fuseUnknown = definition.fuseUnknown
    var wholeWords: [[UInt8]: Int32] = [:]
    if definition.ignoreMerges {
      for (token, id) in definition.vocabulary {
        if let bytes = ByteAlphabet.bytes(token) { wholeWords[bytes] = id }
      }
    }
    self.wholeWords = wholeWords
  }

  private static func part(_ token: String, _ table: TokenTable, _ path: String) throws(TokenizerError) -> Int32 {
    guard let id = table.id(token) else { throw TokenizerError(path: path, message: "'\(token)' is not in the vocabulary") }
    return id
  }

  /// Appends the ids of one word, through the scratch's cache.
  @inline(__always)
  func encode(_ word: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    guard word.count <= WordCache.longestWord else { return encodeUncached(word, scratch, into: &ids) }
    let key = WordCache.key(word)
    if scratch.cache.append(key, to: &ids) { return }
    let start = ids.count
    encodeUncached(word, scratch, into: &ids)
    scratch.cache.remember(key, ids[start...])
  }

  private func encodeUncached(_ word: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch, into ids: inout [Int32]) {
    if !wholeWords.isEmpty, let id = wholeWords[Array(word)] {
      ids.append(id)
      return
    }
    var symbols = symbols(word)
    if symbols.count <= Self.longWord {
      mergeShort(&symbols, scratch)
      ids.append(contentsOf: symbols)
    } else {
      mergeLong(symbols, into: &ids)
    }
  }

  /// A word's bytes as tokens.
  private func symbols(_ word: UnsafeBufferPointer<UInt8>) -> [Int32] {
    var symbols: [Int32] = []
    symbols.reserveCapacity(word.count)
    var lastWasUnknown = false
    for byte in word {
      let id = byteIDs[Int(byte)]
      if id >= 0 {
        symbols.append(id)
      } else if let unknownID, !(fuseUnknown && lastWasUnknown) {
        symbols.append(unknownID)
      }
      lastWasUnknown = id < 0
    }
    return symbols
  }

  // MARK: - Merging

  /// Looks for the smallest rank, merges, and again: quadratic, and the fastest for words as they are.
  private func mergeShort(_ symbols: inout [Int32], _ scratch: EncodingScratch) {
    var count = symbols.count
    guard count > 1 else { return }
    symbols.withUnsafeMutableBufferPointer { symbols in
      let found = scratch.ranks
      for index in 0..<count - 1 { found[index] = merges.find(symbols[index], symbols[index + 1]) }
      while count > 1 {
        var (best, at) = (MergeTable.none, 0)
        for index in 0..<count - 1 where found[index] < best { (best, at) = (found[index], index) }
        if best == MergeTable.none { break }
        symbols[at] = Int32(truncatingIfNeeded: best)
        count -= 1
        for index in stride(from: at + 1, to: count, by: 1) {
          symbols[index] = symbols[index + 1]
          found[index - 1] = found[index]
        }
        if at > 0 { found[at - 1] = merges.find(symbols[at - 1], symbols[at]) }
        if at + 1 < count { found[at] = merges.find(symbols[at], symbols[at + 1]) }
      }
    }
    symbols.removeLast(symbols.count - count)
  }

  /// A linked list of symbols and a heap of merges to try, stale ones dropped when they come up: n log n for a word of n bytes.
  private func mergeLong(_ symbols: [Int32], into ids: inout [Int32]) {
    var list = SymbolList(symbols)
    var heap = MergeHeap()
    for index in 0..<symbols.count - 1 { heap.push(merges.find(symbols[index], symbols[index + 1]), at: index) }
    while let (merge, at) = heap.pop() {
      guard let next = list.next(at), merges.find(list.ids[at], list.ids[next]) == merge else { continue }
      list.merge(at, next, into: Int32(truncatingIfNeeded: merge))
      if let previous = list.previous(at) { heap.push(merges.find(list.ids[previous], list.ids[at]), at: previous) }
      if let following = list.next(at) { heap.push(merges.find(list.ids[at], list.ids[following]), at: at) }
    }
    list.append(to: &ids)
  }
}

/// What one encoding needs besides the model: the cache, and room for the ranks of a short word's pairs.
final class EncodingScratch {
  let cache = WordCache()
  let ranks = UnsafeMutablePointer<UInt64>.allocate(capacity: 64)

  deinit { ranks.deallocate() }
}

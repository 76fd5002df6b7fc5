/// The words of the training texts as tokens, how often each pair of tokens stands in them, and in which words.
struct TrainingCorpus {
  /// All words' tokens in one array; word `w` is `tokens[starts[w]..<starts[w] + lengths[w]]` and shrinks as it is merged.
  private var tokens: [Int32] = []
  private var starts: [Int] = []
  private var lengths: [Int] = []
  private let frequencies: [Int]
  private var counts: [TokenPair: Int] = [:]
  /// Pairs that appeared since they were taken last, and the words in which they did, each once.
  private var new: [TokenPair: [Int32]] = [:]

  init(_ words: WordCounter, _ byteIDs: [Int32]) {
    frequencies = words.counts
    for word in 0..<words.count {
      starts.append(tokens.count)
      for byte in words.word(word) { tokens.append(byteIDs[Int(byte)]) }
      lengths.append(tokens.count - starts[word])
      for at in starts[word]..<max(starts[word], tokens.count - 1) {
        change(TokenPair(left: tokens[at], right: tokens[at + 1]), by: 1, in: Int32(word))
      }
    }
  }

  func count(_ pair: TokenPair) -> Int { counts[pair] ?? 0 }

  mutating func takeNewPairs() -> [TokenPair: [Int32]] {
    defer { new.removeAll(keepingCapacity: true) }
    return new
  }

  /// Puts `merged` for the pair, from left to right, in each of the words.
  mutating func merge(_ pair: TokenPair, into merged: Int32, in words: [Int32]) {
    for word in words {
      let start = starts[Int(word)]
      var (read, write) = (start, start)
      let end = start + lengths[Int(word)]
      while read < end {
        guard tokens[read] == pair.left, read + 1 < end, tokens[read + 1] == pair.right else {
          tokens[write] = tokens[read]
          (read, write) = (read + 1, write + 1)
          continue
        }
        if write > start {
          change(TokenPair(left: tokens[write - 1], right: pair.left), by: -1, in: word)
          change(TokenPair(left: tokens[write - 1], right: merged), by: 1, in: word)
        }
        if read + 2 < end {
          change(TokenPair(left: pair.right, right: tokens[read + 2]), by: -1, in: word)
          change(TokenPair(left: merged, right: tokens[read + 2]), by: 1, in: word)
        }
        tokens[write] = merged
        (read, write) = (read + 2, write + 1)
      }
      lengths[Int(word)] = write - start
    }
  }

  private mutating func change(_ pair: TokenPair, by sign: Int, in word: Int32) {
    counts[pair, default: 0] += sign * frequencies[Int(word)]
    if sign > 0, new[pair]?.last != word { new[pair, default: []].append(word) }
  }
}

/// Pairs waiting to be merged: the most frequent first, of those equally frequent the one with the smaller ids.
struct PairQueue {
  private struct Entry {
    let count: Int
    let pair: TokenPair
    /// Where in `positions` the words of the pair are.
    let list: Int

    func comes(before other: Entry) -> Bool { count != other.count ? count > other.count : pair < other.pair }
  }

  private var entries: [Entry] = []
  private var positions: [[Int32]] = []
  private var free: [Int] = []

  mutating func push(_ pair: TokenPair, _ count: Int, _ words: [Int32]) {
    let list: Int
    if let reused = free.popLast() {
      positions[reused] = words
      list = reused
    } else {
      positions.append(words)
      list = positions.count - 1
    }
    let entry = Entry(count: count, pair: pair, list: list)
    entries.append(entry)
    var child = entries.count - 1
    while child > 0, entry.comes(before: entries[(child - 1) / 2]) {
      entries[child] = entries[(child - 1) / 2]
      child = (child - 1) / 2
    }
    entries[child] = entry
  }

  mutating func pop() -> (pair: TokenPair, count: Int, words: [Int32])? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty { sink(last) }
    let words = positions[top.list]
    positions[top.list] = []
    free.append(top.list)
    return (top.pair, top.count, words)
  }

  private mutating func sink(_ entry: Entry) {
    var parent = 0
    while 2 * parent + 1 < entries.count {
      var child = 2 * parent + 1
      if child + 1 < entries.count, entries[child + 1].comes(before: entries[child]) { child += 1 }
      if !entries[child].comes(before: entry) { break }
      entries[parent] = entries[child]
      parent = child
    }
    entries[parent] = entry
  }
}

import JSONValues

/// Learns a byte-level BPE tokenizer from text: counts its words, then merges the most frequent pair of tokens again and again.
///
/// The result does not depend on the order of the texts. Of pairs equally frequent the one with the smaller ids merges first, as in the
/// `tokenizers` library, whose vocabulary and merges this gives.
package struct BytePairTrainer: Sendable {
  package struct Options: Sendable {
    /// Special tokens, the 256 bytes and what is learnt.
    package var vocabularySize: Int
    /// A pair that is rarer is not merged.
    package var minFrequency: Int
    /// Take the first ids, in this order.
    package var specialTokens: [String]

    package init(vocabularySize: Int, minFrequency: Int = 2, specialTokens: [String] = BytePairTrainer.chatTokens) {
      self.vocabularySize = vocabularySize
      self.minFrequency = minFrequency
      self.specialTokens = specialTokens
    }
  }

  /// What ChatML and the end of a text need.
  package static let chatTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

  private let preTokenizer: PreTokenizer
  private let normalizer: Normalizer
  private var words = WordCounter()

  package init(preTokenizer: PreTokenizer, normalizer: Normalizer = .none) {
    self.preTokenizer = preTokenizer
    self.normalizer = normalizer
  }

  /// How many different words the texts had so far.
  package var wordCount: Int { words.count }

  /// Counts the words of a text. Special tokens in it are text like any other.
  package mutating func add(_ text: String) {
    var text = normalizer.normalized(text)
    text.withUTF8 { bytes in
      preTokenizer.forEachWord(bytes) { words.add($0) }
    }
  }

  /// The tokenizer that the texts teach. It is smaller than asked for when the texts have too few pairs of that frequency.
  ///
  /// - Parameter progress: is told the size of the vocabulary now and the one asked for, now and then.
  package func train(_ options: Options, progress: (Int, Int) -> Void = { _, _ in }) throws(TokenizerError) -> TokenizerDefinition {
    var vocabulary = try Self.initialVocabulary(options)
    let byteIDs = ByteAlphabet.scalars.map { vocabulary.id(String($0)) ?? 0 }
    var corpus = TrainingCorpus(words, byteIDs)
    var queue = PairQueue()
    for (pair, positions) in corpus.takeNewPairs() { queue.push(pair, corpus.count(pair), positions) }

    var merges: [TokenPair] = []
    while vocabulary.count < options.vocabularySize, let (pair, count, positions) = queue.pop() {
      let current = corpus.count(pair)
      if current != count {  // it has become rarer since it was queued
        if current > 0 { queue.push(pair, current, positions) }
        continue
      }
      if count < max(1, options.minFrequency) { break }
      let merged = vocabulary.join(pair)
      merges.append(pair)
      corpus.merge(pair, into: merged, in: positions)
      for (pair, positions) in corpus.takeNewPairs() where corpus.count(pair) > 0 { queue.push(pair, corpus.count(pair), positions) }
      if merges.count % 256 == 0 { progress(vocabulary.count, options.vocabularySize) }
    }
    progress(options.vocabularySize, options.vocabularySize)
    return definition(vocabulary, merges, options)
  }

  private static func initialVocabulary(_ options: Options) throws(TokenizerError) -> TrainingVocabulary {
    let least = options.specialTokens.count + 256
    guard options.vocabularySize >= least, options.vocabularySize <= TokenizerDefinition.idLimit else {
      let range = "\(least) (\(options.specialTokens.count) special tokens and 256 bytes) to \(TokenizerDefinition.idLimit)"
      throw TokenizerError(path: "vocabulary_size", message: "\(options.vocabularySize) is out of range: \(range)")
    }
    var vocabulary = TrainingVocabulary()
    for token in options.specialTokens {
      if token.isEmpty { throw TokenizerError(path: "special_tokens", message: "a special token is empty") }
      guard vocabulary.add(token) else { throw TokenizerError(path: "special_tokens", message: "'\(token)' is there twice") }
    }
    for scalar in ByteAlphabet.scalars.sorted() where !vocabulary.add(String(scalar)) {
      throw TokenizerError(path: "special_tokens", message: "'\(scalar)' is a byte's token already")
    }
    return vocabulary
  }

  private func definition(_ vocabulary: TrainingVocabulary, _ merges: [TokenPair], _ options: Options) -> TokenizerDefinition {
    // A pair that was merged twice (in words that came by it later) counts where it was merged last.
    var last: [TokenPair: Int] = [:]
    for (rank, pair) in merges.enumerated() { last[pair] = rank }
    let kept = merges.enumerated().filter { last[$0.element] == $0.offset }.map(\.element)
    var definition = TokenizerDefinition(
      preTokenizer: preTokenizer,
      vocabulary: vocabulary.tokens.enumerated().map { (token: $1, id: Int32($0)) },
      merges: kept.map { (left: vocabulary.tokens[Int($0.left)], right: vocabulary.tokens[Int($0.right)]) })
    definition.normalizer = normalizer
    definition.addedTokens = options.specialTokens.enumerated().map { AddedToken(id: Int32($0), content: $1) }
    return definition
  }
}

/// Two tokens beside each other.
struct TokenPair: Hashable, Comparable {
  let left: Int32
  let right: Int32

  static func < (a: TokenPair, b: TokenPair) -> Bool { (a.left, a.right) < (b.left, b.right) }
}

/// The tokens learnt so far; an id is a place in the list.
struct TrainingVocabulary {
  private(set) var tokens: [String] = []
  private var ids: [ByteString: Int32] = [:]

  var count: Int { tokens.count }

  func id(_ token: String) -> Int32? { ids[ByteString(token)] }

  /// False when the token is there already.
  mutating func add(_ token: String) -> Bool {
    guard ids.updateValue(Int32(tokens.count), forKey: ByteString(token)) == nil else { return false }
    tokens.append(token)
    return true
  }

  /// The id of two tokens joined: a new one, or that of the token which is spelt the same.
  mutating func join(_ pair: TokenPair) -> Int32 {
    let joined = tokens[Int(pair.left)] + tokens[Int(pair.right)]
    if let known = id(joined) { return known }
    _ = add(joined)
    return Int32(tokens.count - 1)
  }
}

/// Held-out questions that stand in the training data too: what a score on them says of memory, and nothing of skill.
package struct Overlap: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// The same bytes.
    case exact
    /// The same words: case, spaces and the marks of a sentence apart.
    case normalized
    /// Most of the same runs of words.
    case near
  }

  /// A held-out question, and the training record most like it.
  package struct Match: Sendable, Equatable {
    package let heldout: Int
    package let train: Int
    package let kind: Kind
    /// Jaccard similarity of the shingles; 1 for what is equal.
    package let similarity: Double
  }

  /// One for each held-out question that is found, in their order.
  package let matches: [Match]
  /// How many were looked for.
  package let count: Int

  /// - Parameter near: nil looks for equal questions alone.
  package init(heldout: [ComparableText], train: [ComparableText], near: NearIndex.Settings? = .init()) {
    let exact = Self.firstPlaces(train.map(\.text))
    let normalized = Self.firstPlaces(train.map(\.normalized))
    var matches: [Match?] = heldout.enumerated().map { index, text in
      if let place = exact[Bytes(text.text)] { return Match(heldout: index, train: place, kind: .exact, similarity: 1) }
      return normalized[Bytes(text.normalized)].map { Match(heldout: index, train: $0, kind: .normalized, similarity: 1) }
    }
    // The suite is the small side: it is what stands in the index, and the training data pass by.
    let open = heldout.indices.filter { matches[$0] == nil }
    if let near, !open.isEmpty {
      var index = NearIndex(near)
      for place in open { index.add(Shingles(heldout[place], near.form)) }
      for (place, text) in train.enumerated() {
        for found in index.near(to: Shingles(text, near.form)) where found.similarity > matches[open[found.place]]?.similarity ?? 0 {
          matches[open[found.place]] = Match(heldout: open[found.place], train: place, kind: .near, similarity: found.similarity)
        }
      }
    }
    self.matches = matches.compactMap { $0 }
    count = heldout.count
  }

  package init(_ matches: [Match], of count: Int) { (self.matches, self.count) = (matches, count) }

  /// Of these held-out questions alone, counted from the first of them.
  package func part(_ range: Range<Int>) -> Overlap {
    Overlap(
      matches.filter { range.contains($0.heldout) }
        .map { Match(heldout: $0.heldout - range.lowerBound, train: $0.train, kind: $0.kind, similarity: $0.similarity) }, of: range.count)
  }

  package func count(_ kind: Kind) -> Int { matches.count { $0.kind == kind } }

  /// "12 of 128 questions of suite 'copy' stand in the training data: 8 exact, 3 normalized, 1 near"; nil where there is none.
  package func warning(suite: String) -> String? {
    guard !matches.isEmpty else { return nil }
    let kinds = Kind.allCases.filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue)" }.joined(separator: ", ")
    return "\(matches.count) of \(count) questions of suite '\(suite)' stand in the training data: \(kinds)"
  }

  private struct Bytes: Hashable {
    let utf8: [UInt8]
    init(_ text: String) { utf8 = Array(text.utf8) }
  }

  private static func firstPlaces(_ texts: [String]) -> [Bytes: Int] {
    Dictionary(texts.enumerated().map { (Bytes($1), $0) }) { first, _ in first }
  }
}

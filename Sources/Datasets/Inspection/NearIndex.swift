/// Finds texts that are nearly equal to a given one among many: MinHash signatures in bands name candidates (Broder 1997; Leskovec, Rajaraman and
/// Ullman, "Mining of Massive Datasets", chapter 3), and each candidate's Jaccard similarity is then computed exactly. So nothing is found that is
/// not near, and of what is near almost everything: `recall` says how much.
package struct NearIndex: Sendable {
  package struct Settings: Sendable, Equatable {
    /// The least similarity of near texts, above 0 and at most 1.
    package let threshold: Double
    package let form: Shingles.Form
    /// Hashes in a signature.
    package let permutations: Int

    package init(threshold: Double = 0.8, form: Shingles.Form = .init(), permutations: Int = 128) {
      precondition(threshold > 0 && threshold <= 1 && permutations > 0, "threshold \(threshold), \(permutations) permutations")
      (self.threshold, self.form, self.permutations) = (threshold, form, permutations)
    }

    /// Hashes in a band: as many as leave a recall of 95 % at the threshold, for fewer wrong candidates.
    package var rows: Int { (1...min(16, permutations)).last { recall(rows: $0) >= 0.95 } ?? 1 }
    package var bands: Int { permutations / rows }

    /// The chance that two texts of exactly this similarity become candidates: 1 − (1 − tʳ)ᵇ. More similar ones are found more surely.
    package var recall: Double { recall(rows: rows) }

    private func recall(rows: Int) -> Double {
      let agrees = (0..<rows).reduce(1.0) { power, _ in power * threshold }
      return 1 - (0..<permutations / rows).reduce(1.0) { power, _ in power * (1 - agrees) }
    }
  }

  package struct Match: Sendable, Equatable {
    /// The order in which the text was added.
    package let place: Int
    package let similarity: Double
  }

  package let settings: Settings
  private var texts: [Shingles] = []
  /// By band: hash of the band's rows -> places.
  private var tables: [[UInt64: [Int32]]]
  private let rows: Int

  package init(_ settings: Settings = .init()) {
    self.settings = settings
    rows = settings.rows
    tables = Array(repeating: [:], count: settings.bands)
  }

  package var count: Int { texts.count }

  package mutating func add(_ text: Shingles) {
    for (band, key) in keys(text).enumerated() { tables[band][key, default: []].append(Int32(texts.count)) }
    texts.append(text)
  }

  /// All texts that are near, in the order in which they were added.
  package func near(to text: Shingles) -> [Match] {
    var seen: Set<Int32> = []
    for (band, key) in keys(text).enumerated() { seen.formUnion(tables[band][key] ?? []) }
    return seen.sorted().compactMap { place in
      let similarity = text.similarity(to: texts[Int(place)])
      return similarity >= settings.threshold ? Match(place: Int(place), similarity: similarity) : nil
    }
  }

  /// The most similar of them; of equals the one added first.
  package func nearest(to text: Shingles) -> Match? {
    near(to: text).reduce(nil as Match?) { best, next in
      if let best, best.similarity >= next.similarity { best } else { next }
    }
  }

  // MARK: - Signatures

  private func keys(_ text: Shingles) -> [UInt64] {
    let used = rows * tables.count
    var signature = [UInt64](repeating: .max, count: used)
    for hash in text.hashes {
      for index in 0..<used { signature[index] = min(signature[index], StableHash.mix(hash ^ Self.salt(index))) }
    }
    return (0..<tables.count).map { band in
      signature[band * rows..<(band + 1) * rows].reduce(0) { StableHash.mix($0 ^ $1) }
    }
  }

  private static func salt(_ index: Int) -> UInt64 { UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15 }
}

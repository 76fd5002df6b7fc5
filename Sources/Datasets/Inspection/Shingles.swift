/// The set of a text's runs of words or characters, hashed: what two near-equal texts share most of.
package struct Shingles: Sendable, Equatable {
  package enum Unit: String, Sendable, CaseIterable { case word, character }

  /// How texts are cut. A text shorter than a run is one run.
  package struct Form: Sendable, Equatable {
    package let unit: Unit
    package let size: Int

    package init(_ unit: Unit = .word, size: Int = 5) {
      precondition(size > 0, "a shingle of \(size)")
      (self.unit, self.size) = (unit, size)
    }
  }

  /// Sorted, each once; at least one.
  package let hashes: [UInt64]

  package init(_ text: ComparableText, _ form: Form) {
    let parts: [UInt64] =
      switch form.unit {
      case .word: text.words.map { StableHash.of($0) }
      case .character: text.normalized.unicodeScalars.map { UInt64($0.value) }
      }
    let last = max(0, parts.count - form.size)
    let runs = (0...last).map { start in
      parts[start..<min(parts.count, start + form.size)].reduce(0x9E37_79B9_7F4A_7C15) { StableHash.mix($0 ^ $1) &+ 0x9E37_79B9_7F4A_7C15 }
    }
    hashes = Array(Set(runs)).sorted()
  }

  /// Jaccard: |A ∩ B| / |A ∪ B|, 0 to 1.
  package func similarity(to other: Shingles) -> Double {
    var (left, right, shared) = (0, 0, 0)
    while left < hashes.count, right < other.hashes.count {
      if hashes[left] == other.hashes[right] { shared += 1 }
      let isBehind = hashes[left] <= other.hashes[right]
      if hashes[left] >= other.hashes[right] { right += 1 }
      if isBehind { left += 1 }
    }
    return Double(shared) / Double(hashes.count + other.hashes.count - shared)
  }
}

import Tokenization

/// Texts that end a completion. Generation watches for them token by token; what is kept of the completion ends before the first of them.
package enum StopTexts {
  /// A rule for one sequence at a time: told its tokens in order, true once one of the texts stands in what they say. Nil without texts.
  ///
  /// A token says at least a byte, so a text that ends with the newest token lies within as many tokens as it has bytes: only those are
  /// decoded. Special tokens say nothing and are kept beside the count.
  package static func rule(
    _ stops: [String], _ decode: @escaping @Sendable ([Int32]) -> String
  ) -> (@Sendable () -> (Int32) -> Bool)? {
    let stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    guard let longest = stops.map(\.count).max() else { return nil }
    return {
      var tail: [Int32] = []
      return { token in
        if decode([token]).isEmpty { return false }
        // One more, whose last byte may belong to the text.
        if tail.count > longest { tail.removeFirst() }
        tail.append(token)
        let text = Array(decode(tail).utf8)
        return stops.contains { text.contains($0) }
      }
    }
  }

  /// The text before the first stop text in it.
  package static func cut(_ text: String, at stops: [String]) -> String {
    let bytes = Array(text.utf8)
    let end = stops.filter { !$0.isEmpty }.compactMap { bytes.firstRange(of: Array($0.utf8))?.lowerBound }.min()
    return end.map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? text
  }
}

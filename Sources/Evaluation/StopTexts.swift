import Datasets
import Generation

/// Texts that end a generated one. Told of a sequence's tokens as they come, it decodes the last few alone.
///
/// Of the codec it asks that tokens' bytes, joined, are the text's: then a stop text lies in the text of as many tokens as it has bytes.
package struct StopTexts: Sendable {
  private let stops: [[UInt8]]
  private let codec: TextCodec
  /// Tokens that are decoded together; three more than a stop text can take, for a character that was cut in front of them.
  private let window: Int

  /// Empty texts end nothing.
  package init(_ texts: [String], _ codec: TextCodec) {
    stops = texts.map { Array($0.utf8) }.filter { !$0.isEmpty }
    self.codec = codec
    // A stop text with U+FFFD in it stands for ill-formed bytes, which the window's edge makes too.
    let isUncertain = texts.contains { $0.unicodeScalars.contains("\u{FFFD}") }
    window = isUncertain ? .max : 3 + (stops.map(\.count).max() ?? 0)
  }

  /// A rule for each sequence: true at the token that completes a stop text. Nil when there is none to look for.
  package var makeRule: (@Sendable () -> GenerationLimits.StopRule)? {
    guard !stops.isEmpty else { return nil }
    return {
      var tail: [Int32] = []
      return { token in
        // A token without text (a special one) lies between no two bytes.
        if codec.decode([token]).isEmpty { return false }
        tail.append(token)
        if tail.count > window { tail.removeFirst() }
        let text = Array(codec.decode(tail).utf8)
        guard stops.contains(where: { text.contains($0) }) else { return false }
        tail.removeAll()
        return true
      }
    }
  }

  /// The text of `ids` before the first stop text in it, of those that end after the first `minNewTokens` tokens.
  package func text(of ids: [Int32], minNewTokens: Int = 0) -> String {
    let text = codec.decode(ids)
    let bytes = Array(text.utf8)
    let free = minNewTokens > 0 ? codec.decode(Array(ids.prefix(minNewTokens))).utf8.count : 0
    let ends = stops.compactMap { stop in
      let start = max(0, free + 1 - stop.count)
      return start < bytes.count ? bytes[start...].firstRange(of: stop)?.lowerBound : nil
    }
    return ends.min().map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? text
  }
}

/// The regular expressions that byte-level tokenizers split text with, each run by a scanner of its own over UTF-8.
///
/// An expression is recognised by its text; a general engine would be a hundred times slower, and a wrong guess would be silent.
package enum SplitPattern: String, Sendable, CaseIterable {
  case gpt2
  case qwen2
  case llama3

  /// The expression as tokenizer files spell it.
  package var expression: String {
    switch self {
    case .gpt2: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .qwen2: Self.foldedHead + #"|\p{N}"# + Self.foldedTail
    case .llama3: Self.foldedHead + #"|\p{N}{1,3}"# + Self.foldedTail
    }
  }

  private static let foldedHead = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"#
  private static let foldedTail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// The pattern with that expression, or nil when it is another one.
  package init?(expression: String) {
    guard let known = Self.allCases.first(where: { $0.expression.utf8.elementsEqual(expression.utf8) }) else { return nil }
    self = known
  }

  /// The pieces that the pattern cuts valid UTF-8 text into, as ranges of its bytes: every byte belongs to one piece.
  package func pieces(of text: [UInt8]) -> [Range<Int>] {
    text.withUnsafeBufferPointer { buffer in
      guard let bytes = buffer.baseAddress else { return [] }
      var pieces: [Range<Int>] = []
      var start = 0
      while start < buffer.count {
        let end = pieceEnd(bytes, start, buffer.count)
        pieces.append(start..<end)
        start = end
      }
      return pieces
    }
  }

  /// Where the piece that begins at `start` ends, in text that ends at `limit`; `start < limit`.
  @inline(__always)
  func pieceEnd(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ limit: Int) -> Int {
    let scanner = PieceScanner(bytes: bytes, limit: limit)
    switch self {
    case .gpt2: return scanner.gpt2(start)
    case .qwen2: return scanner.folded(start, digits: 1)
    case .llama3: return scanner.folded(start, digits: 3)
    }
  }
}

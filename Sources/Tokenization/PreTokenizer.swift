import JSONValues

/// How text is cut into the words that BPE works in: steps, each cutting the pieces of the one before.
package struct PreTokenizer: Sendable, Equatable {
  package enum Step: Sendable, Equatable {
    /// Bytes become letters; before that a space is put in front (`addPrefixSpace`) and GPT-2's pattern cuts (`useRegex`).
    case byteLevel(addPrefixSpace: Bool, useRegex: Bool)
    /// Numeric scalars are cut off, each alone or in runs.
    case digits(individual: Bool)
    case split(SplitPattern)
  }

  package let steps: [Step]
  private let cuts: [Cut]

  /// What the steps come down to once bytes are bytes.
  private enum Cut: Sendable, Equatable {
    case prefixSpace
    case digits(individual: Bool)
    case pattern(SplitPattern)
  }

  package init(_ steps: [Step]) {
    self.steps = steps
    cuts = steps.flatMap { step -> [Cut] in
      switch step {
      case .byteLevel(let addPrefixSpace, let useRegex): (addPrefixSpace ? [.prefixSpace] : []) + (useRegex ? [.pattern(.gpt2)] : [])
      case .digits(let individual): [.digits(individual: individual)]
      case .split(let pattern): [.pattern(pattern)]
      }
    }
  }

  /// GPT-2's.
  package static let gpt2 = PreTokenizer([.byteLevel(addPrefixSpace: false, useRegex: true)])
  /// SmolLM's: every number alone, then GPT-2's pattern.
  package static let gpt2Digits = PreTokenizer([.digits(individual: true), .byteLevel(addPrefixSpace: false, useRegex: true)])
  /// Qwen2's and Qwen3's.
  package static let qwen2 = PreTokenizer([.split(.qwen2), .byteLevel(addPrefixSpace: false, useRegex: false)])
  package static let llama3 = PreTokenizer([.split(.llama3), .byteLevel(addPrefixSpace: false, useRegex: false)])

  /// Hands every word of valid UTF-8 text to `body`, in order.
  func forEachWord(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    guard let bytes = text.baseAddress, !text.isEmpty else { return }
    cut(bytes, 0, text.count, level: 0, body)
  }

  private func cut(
    _ bytes: UnsafePointer<UInt8>, _ start: Int, _ limit: Int, level: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    guard level < cuts.count else { return body(UnsafeBufferPointer(start: bytes + start, count: limit - start)) }
    let isLast = level + 1 == cuts.count
    var at = start
    switch cuts[level] {
    case .prefixSpace:
      if bytes[start] == UInt8(ascii: " ") { return cut(bytes, start, limit, level: level + 1, body) }
      let spaced = [UInt8(ascii: " ")] + UnsafeBufferPointer(start: bytes + start, count: limit - start)
      spaced.withUnsafeBufferPointer { buffer in
        if let first = buffer.baseAddress { cut(first, 0, buffer.count, level: level + 1, body) }
      }
    case .digits(let individual):
      while at < limit {
        let end = digitsEnd(bytes, at, limit, individual)
        cut(bytes, at, end, level: level + 1, body)
        at = end
      }
    case .pattern(let pattern) where isLast:
      while at < limit {
        let end = pattern.pieceEnd(bytes, at, limit)
        body(UnsafeBufferPointer(start: bytes + at, count: end - at))
        at = end
      }
    case .pattern(let pattern):
      while at < limit {
        let end = pattern.pieceEnd(bytes, at, limit)
        cut(bytes, at, end, level: level + 1, body)
        at = end
      }
    }
  }

  /// One numeric scalar or a run of them, or the text up to the next one.
  private func digitsEnd(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ limit: Int, _ individual: Bool) -> Int {
    let classes = ScalarClasses.shared
    let (kind, length) = classes.scalar(bytes, start)
    let wanted = kind & ScalarClasses.numeric
    var at = start + length
    if wanted != 0, individual { return at }
    while at < limit {
      let (kind, length) = classes.scalar(bytes, at)
      if kind & ScalarClasses.numeric != wanted { break }
      at += length
    }
    return at
  }
}

/// Finds added tokens in text: the leftmost, and of those that start there the longest, none overlapping another.
struct AddedTokenMatcher: Sendable {
  /// A stretch of plain text, or an added token with the spaces it takes along.
  struct Part {
    let range: Range<Int>
    let token: Int32?
  }

  private let tokens: [AddedToken]
  /// For each byte, whether a token starts with it.
  private var starts = [Bool](repeating: false, count: 256)
  /// A trie: (node, byte) to node, and the token that ends at a node.
  private var children: [Int: Int] = [:]
  private var endings: [Int?] = [nil]

  var isEmpty: Bool { tokens.isEmpty }

  /// `contents` are the tokens as they are looked for: normalised where they are looked for in normalised text.
  init(_ tokens: [AddedToken], content: (AddedToken) -> String) {
    self.tokens = tokens
    for (index, token) in tokens.enumerated() { add(Array(content(token).utf8), index) }
  }

  private mutating func add(_ content: [UInt8], _ index: Int) {
    guard let first = content.first else { return }
    starts[Int(first)] = true
    var node = 0
    for byte in content {
      if let child = children[node << 8 | Int(byte)] {
        node = child
      } else {
        endings.append(nil)
        children[node << 8 | Int(byte)] = endings.count - 1
        node = endings.count - 1
      }
    }
    endings[node] = index
  }

  /// The parts of valid UTF-8 text in order. `special: false` leaves special tokens in the text as plain text.
  func parts(_ text: UnsafeBufferPointer<UInt8>, special: Bool) -> [Part] {
    var parts: [Part] = []
    var plainStart = 0
    var at = 0
    while at < text.count {
      guard starts[Int(text[at])], let (index, length) = longest(text, at) else {
        at += 1
        continue
      }
      let token = tokens[index]
      let found = at..<at + length
      at = found.upperBound
      if token.special && !special || token.singleWord && !Self.isSingleWord(text, found) { continue }
      let start = token.lstrip ? max(plainStart, Self.spacesStart(text, found.lowerBound)) : found.lowerBound
      let end = token.rstrip ? Self.spacesEnd(text, found.upperBound) : found.upperBound
      guard found.lowerBound >= plainStart else { continue }
      if start > plainStart { parts.append(Part(range: plainStart..<start, token: nil)) }
      parts.append(Part(range: start..<end, token: token.id))
      plainStart = end
    }
    if plainStart < text.count { parts.append(Part(range: plainStart..<text.count, token: nil)) }
    return parts
  }

  private func longest(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> (index: Int, length: Int)? {
    var (node, at) = (0, start)
    var best: (index: Int, length: Int)?
    while at < text.count, let child = children[node << 8 | Int(text[at])] {
      node = child
      at += 1
      if let index = endings[node] { best = (index, at - start) }
    }
    return best
  }

  // MARK: - What stands beside a match

  private static func isSingleWord(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    let before = String(decoding: text[..<range.lowerBound].suffix(4), as: UTF8.self).unicodeScalars.last
    let after = String(decoding: text[range.upperBound...].prefix(4), as: UTF8.self).unicodeScalars.first
    return !(before.map(isWord) ?? false) && !(after.map(isWord) ?? false)
  }

  /// `\w`
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }

  private static func spacesStart(_ text: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
    guard let bytes = text.baseAddress else { return end }
    var at = end
    while at > 0 {
      var start = at - 1
      while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
      if ScalarClasses.shared.scalar(bytes, start).kind & ScalarClasses.space == 0 { break }
      at = start
    }
    return at
  }

  private static func spacesEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    guard let bytes = text.baseAddress else { return start }
    var at = start
    while at < text.count {
      let (kind, length) = ScalarClasses.shared.scalar(bytes, at)
      if kind & ScalarClasses.space == 0 { break }
      at += length
    }
    return at
  }
}
